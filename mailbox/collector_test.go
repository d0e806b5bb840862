//go:build unix

package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// newCollector returns a Collector that is closed at the test's end.
func newCollector(t testing.TB) *Collector {
	t.Helper()
	spawntest.Check(t)
	c := new(Collector)
	t.Cleanup(c.Close)
	return c
}

// A taker is what a Watch tells of.
type taker struct {
	t      testing.TB
	pieces chan string   // those that came, if it is not nil
	ended  chan struct{} // closed with the nil
	all    []byte        // to be read when nobody writes: after ended, Drain or Close
	done   bool
}

func newTaker(t testing.TB) *taker { return &taker{t: t, ended: make(chan struct{})} }

func (k *taker) take(data []byte) {
	switch {
	case k.done:
		k.t.Errorf("%d bytes came after the end", len(data))
	case data == nil:
		k.done = true
		close(k.ended)
	case len(data) == 0 || len(data) > collectSize:
		k.t.Errorf("%d bytes came at once", len(data))
	default:
		k.all = append(k.all, data...)
		if k.pieces != nil {
			k.pieces <- string(data)
		}
	}
	clear(data) // they are the reader's again
}

func mustWatch(t testing.TB, c *Collector, f *os.File, k *taker) *Watch {
	t.Helper()
	w, err := c.Watch(f, k.take)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func write(t testing.TB, f *os.File, s string) {
	t.Helper()
	if _, err := f.WriteString(s); err != nil {
		t.Fatal(err)
	}
}

// What is written comes as it is written; the end comes once, when the pipe is closed.
func TestCollector(t *testing.T) {
	c := newCollector(t)
	r, pw := pipe(t)
	k := newTaker(t)
	k.pieces = make(chan string, 10)
	w := mustWatch(t, c, r, k)
	for _, s := range []string{"one", "two"} {
		write(t, pw, s)
		if got := within(t, s, k.pieces); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	}
	write(t, pw, "three")
	pw.Close()
	within(t, "the end", k.ended)
	w.Drain()
	w.Close()
	w.Close()
	if got := string(k.all); got != "onetwothree" {
		t.Errorf("got %q", got)
	}
}

// What is in the pipe counts, though others have it open; what they write later does not.
func TestCollectorDrain(t *testing.T) {
	c := newCollector(t)
	for range 500 { // the Collector's goroutine may be before Drain, in it, or after
		r, pw := pipe(t)
		k := newTaker(t)
		w := mustWatch(t, c, r, k)
		write(t, pw, "before")
		w.Drain()
		if got := string(k.all); got != "before" || !k.done {
			t.Fatalf("got %q, ended: %t", got, k.done)
		}
		write(t, pw, "after")
		w.Drain()
		w.Close()
		if got := string(k.all); got != "before" {
			t.Fatalf("got %q", got)
		}
		if _, err := pw.WriteString("x"); !errors.Is(err, syscall.EPIPE) {
			t.Fatalf("writing after Close: got %v, want %v", err, syscall.EPIPE)
		}
		pw.Close()
	}
}

// One that writes without end does not keep the others from being read.
func TestCollectorFlood(t *testing.T) {
	c := newCollector(t)
	floodR, floodW := pipe(t)
	flood := mustWatch(t, c, floodR, newTaker(t))
	var flooding sync.WaitGroup
	flooding.Go(func() {
		for chunk := make([]byte, 64<<10); ; {
			if _, err := floodW.Write(chunk); err != nil {
				return
			}
		}
	})
	r, pw := pipe(t)
	k := newTaker(t)
	k.pieces = make(chan string, 1)
	mustWatch(t, c, r, k)
	for i := range 100 {
		want := fmt.Sprint(i)
		write(t, pw, want)
		if got := within(t, want, k.pieces); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	flood.Close()
	flooding.Wait()
}

// After Close nothing can be watched; what is, can still be drained.
func TestCollectorClose(t *testing.T) {
	spawntest.Check(t)
	var c Collector
	r, pw := pipe(t)
	k := newTaker(t)
	w := mustWatch(t, &c, r, k)
	c.Close()
	c.Close()
	write(t, pw, "rest")
	w.Close()
	if got := string(k.all); got != "rest" || !k.done {
		t.Errorf("got %q, ended: %t", got, k.done)
	}
	r, _ = pipe(t)
	if _, err := c.Watch(r, k.take); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Watch after Close: got %v, want %v", err, os.ErrClosed)
	}
	if err := r.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is open: %v", err)
	}
	new(Collector).Close() // which was not used
}

// Whoever drains and closes at once, each pipe has its own bytes, all of them, and one end.
func TestCollectorStress(t *testing.T) {
	c := newCollector(t)
	const pipes, size = 200, 10_000
	var all sync.WaitGroup
	takers := make([]*taker, pipes)
	for i := range pipes {
		r, pw := pipe(t)
		takers[i] = newTaker(t)
		w := mustWatch(t, c, r, takers[i])
		all.Go(func() {
			for part := range slices.Chunk(bytes.Repeat([]byte{byte(i)}, size), 777) {
				write(t, pw, string(part))
			}
			var closing sync.WaitGroup
			closing.Go(w.Drain)
			closing.Go(w.Close)
			closing.Go(func() { pw.Close() })
			closing.Wait()
		})
	}
	all.Wait()
	for i, k := range takers {
		if n := bytes.Count(k.all, []byte{byte(i)}); n != size || len(k.all) != size || !k.done {
			t.Errorf("pipe %d: %d bytes, of them %d its own; ended: %t", i, len(k.all), n, k.done)
		}
	}
}
