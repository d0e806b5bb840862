//go:build (linux || darwin) && !race

// Not under the race detector: there sync.Pool drops items on purpose, which allocates.

package mailbox

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

// allocations returns how often the whole program allocates in each of n calls of f, on
// average. The pools are full by then, and no collection empties them.
func allocations(n int, f func()) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range n {
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// What allocates on the way from Put to Next or to Serve's handle.
const (
	bellAllocations  = 0 // a byte is written to wake a reader
	drainAllocations = 2 // the start of the drain goroutine: the method value, and WaitGroup.Go's function
)

// A frame on its way allocates nothing, as long as no more are held than an empty Writer has room
// for (smallRing): not in the Writer, kept until it is released or not, nor in the Reader. What is
// allocated is for the burst: the start of the goroutine that drains, and the bell.
func TestAllocations(t *testing.T) {
	const (
		rounds   = 2000
		rounding = 0.1 // the runtime's own, and a drain goroutine where one is seldom needed
	)
	ctx := context.Background()
	f := frame(64)
	for _, c := range []struct {
		name         string
		ring, retain bool
		burst        int
		most         float64 // in a burst
	}{
		{"lone/pipe", false, false, 1, 0},
		{"lone/pipe/retained", false, true, 1, 0},
		{"lone/ring", true, false, 1, bellAllocations},
		{"lone/ring/retained", true, true, 1, bellAllocations},
		{"burst/pipe", false, false, smallRing, drainAllocations},
		{"burst/pipe/retained", false, true, smallRing, drainAllocations},
		{"burst/ring", true, false, smallRing, drainAllocations + smallRing*bellAllocations},
		{"burst/ring/retained", true, true, smallRing, drainAllocations + smallRing*bellAllocations},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t)
			w, wait := allocationLink(t, c.ring, c.retain, c.burst)
			done := uint64(0)
			got := allocations(rounds, func() {
				if c.burst == 1 && !c.ring {
					w.streak = 0 // a lone frame needs no drain goroutine
				}
				for range c.burst {
					if err := w.Put(ctx, f); err != nil {
						t.Fatal(err)
					}
				}
				wait()
				done += uint64(c.burst)
				if c.retain {
					if err := w.Release(done); err != nil {
						t.Fatal(err)
					}
				}
			})
			if got > c.most+rounding {
				t.Errorf("%.3f allocations for %d frames, want at most %v", got, c.burst, c.most)
			}
			if w.sink.ringing != c.ring {
				t.Error("the ring was not used as it should be")
			}
		})
	}
}

// allocationLink is a Writer, and a wait until a whole burst was read: by Next from a pipe, by Serve
// from a ring.
func allocationLink(t *testing.T, ring, retain bool, burst int) (w *Writer, wait func()) {
	if !ring {
		w, r := link(t, WriterConfig{Retain: retain})
		return w, func() {
			for range burst {
				if _, err := r.Next(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	page, file, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	pr, pw := pipe(t)
	w = NewWriter(pw, WriterConfig{Ring: page.Inbox(), Retain: retain})
	r := NewReader(pr, codec.DefaultFrameLimit)
	r.UseRing(page.Inbox(), w) // what is said of room it says to itself
	read, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		n := 0
		r.Serve(func(Frame) error {
			if n++; n%burst == 0 {
				read <- struct{}{}
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		w.Close()
		<-ended
		r.Close()
		page.Close()
	})
	return w, func() { <-read }
}
