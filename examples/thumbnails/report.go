package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/progeny-go/progeny/actor"
)

const (
	fileRoom    = 40  // characters of a name
	outcomeRoom = 120 // and of an error, which may be as long as a message
)

// report says what became of each file.
func report(to io.Writer, entries []entry, dir, sheet string) error {
	buffered := bufio.NewWriter(to)
	table := tabwriter.NewWriter(buffered, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "#\tFILE\tBYTES\tKIND\tPIXELS\tOUTCOME")
	var made, ended int
	for i, e := range entries {
		kind, pixels := "-", "-"
		if e.header != (Header{}) {
			kind = shorten(legible(e.header.Kind), 8)
			pixels = fmt.Sprintf("%d×%d", e.header.Width, e.header.Height)
		}
		fmt.Fprintf(table, "%d\t%s\t%v\t%s\t%s\t%s\n",
			i+1, shorten(legible(e.file.name), fileRoom), e.size, kind, pixels, outcome(e))
		if e.err == nil {
			made++
		}
		if _, ok := errors.AsType[*actor.DownError](e.err); ok {
			ended++
		}
	}
	table.Flush() // what fails there fails again below
	fmt.Fprintf(buffered, "\n%d files: %d thumbnails, %d failed, of which %d ended their actor\n",
		len(entries), made, len(entries)-made, ended)
	fmt.Fprintf(buffered, "thumbnails: %s\n", dir)
	fmt.Fprintf(buffered, "contact sheet: %s\n", sheet)
	if len(entries) > sheetCells {
		fmt.Fprintf(buffered, "the contact sheet has the first %d\n", sheetCells)
	}
	return buffered.Flush()
}

// outcome is one entry's, in a line.
func outcome(e entry) string {
	down, died := errors.AsType[*actor.DownError](e.err)
	_, refused := errors.AsType[*actor.RemoteError](e.err)
	var text string
	switch {
	case e.err == nil:
		return fmt.Sprintf("ok: %d×%d in %.1f ms", e.width, e.height, float64(e.took)/float64(time.Millisecond))
	case died:
		text = "its actor ended: " + down.Down.Reason.Error()
	case errors.Is(e.err, errNotImage), errors.Is(e.err, errTruncated):
		text = e.err.Error()
	case refused:
		text = "damaged: " + e.err.Error()
	default:
		text = e.err.Error()
	}
	return shorten(legible(text), outcomeRoom)
}

// bytesOf is a size.
type bytesOf int64

// String gives it in bytes, KiB or MiB.
func (n bytesOf) String() string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", int64(n))
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// legible keeps names and errors from doing something to the terminal.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// shorten returns at most n characters of s.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
