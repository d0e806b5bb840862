package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

func TestOutcome(t *testing.T) {
	remote := func(text string) error { return &actor.RemoteError{Text: text} }
	down := func(reason actor.Reason) error {
		return &actor.DeliveryError{Op: "ask", Fate: actor.InProgress, Err: &actor.DownError{Down: actor.Down{Reason: reason}}}
	}
	for want, e := range map[string]entry{
		"ok: 160×120 in 12.3 ms":                                {width: 160, height: 120, took: 12345 * time.Microsecond},
		"not an image":                                          {err: errNotImage},
		"truncated: unexpected EOF":                             {err: fmt.Errorf("%w: unexpected EOF", errTruncated)},
		"damaged: bad filter type":                              {err: remote("bad filter type")},
		"its actor ended: exited with status 3":                 {err: down(actor.ExitCode{Code: 3})},
		"its actor ended: panic: out?[2Jof":                     {err: down(actor.Panic{Value: "out\x1b[2Jof"})},
		"not read: permission denied":                           {err: errors.New("not read: permission denied")},
		"damaged: " + strings.Repeat("x", outcomeRoom-10) + "…": {err: remote(strings.Repeat("x", 1000))},
	} {
		if got := outcome(e); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestReport(t *testing.T) {
	entries := []entry{
		{file: file{name: "a.png"}, size: 2048, header: Header{"png", 320, 240}, width: 160, height: 120},
		{file: file{name: "b\n\x1b[2J"}, size: 3, err: errNotImage},
	}
	var out strings.Builder
	if err := report(&out, entries, "OUT", "SHEET"); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimLeft(`
#  FILE    BYTES    KIND  PIXELS   OUTCOME
1  a.png   2.0 KiB  png   320×240  ok: 160×120 in 0.0 ms
2  b??[2J  3 B      -     -        not an image

2 files: 1 thumbnails, 1 failed, of which 0 ended their actor
thumbnails: OUT
contact sheet: SHEET
`, "\n")
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
	for _, n := range []int{sheetCells - 1, sheetCells, sheetCells + 1} {
		out.Reset()
		if err := report(&out, make([]entry, n), "OUT", "SHEET"); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(out.String(), "has the first 400\n"); said != (n > sheetCells) {
			t.Errorf("%d files: it is said that some are not on the sheet: %v", n, said)
		}
	}
}

func TestBytesOf(t *testing.T) {
	for n, want := range map[bytesOf]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1024.0 KiB", 1 << 20: "1.0 MiB", 5 << 30: "5120.0 MiB",
	} {
		if got := n.String(); got != want {
			t.Errorf("%d: got %s, want %s", int64(n), got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for s, want := range map[string]string{"": "", "éàü": "éàü", "éàüö": "éà…"} {
		if got := shorten(s, 3); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}
