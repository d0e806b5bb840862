//go:build linux || darwin

package mailbox

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Whoever writes for others and rings for room meanwhile loses nothing that is appended during the
// ring, nor a word of room that comes then.
func TestNudgesWhileOthersWrite(t *testing.T) {
	check(t)
	w, r := ringLink(t)
	var got atomic.Int64
	ended := make(chan error, 1)
	go func() {
		ended <- r.Serve(func(Frame) error { got.Add(1); return nil })
	}()
	const senders, rounds = 4, 400
	large, small := numbered(1, 100_000), numbered(2, 20)
	total := int64(0)
	for round := range rounds {
		var wg sync.WaitGroup
		for range senders {
			wg.Go(func() { // together they fill the ring, so that the drain goroutine writes
				for range 3 {
					if err := w.Put(context.Background(), append([]byte(nil), large...)); err != nil {
						t.Error(err)
					}
					w.nudge()
					if err := w.Put(context.Background(), small); err != nil {
						t.Error(err)
					}
				}
			})
		}
		total += senders * 6
		wg.Wait()
		for deadline := time.Now().Add(patience); got.Load() < total; time.Sleep(20 * time.Microsecond) {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: %d of %d frames; %d bytes unwritten, with nobody to write them", round, got.Load(), total, w.Unwritten())
			}
		}
	}
	w.Close()
	within(t, "Serve's end", ended)
	r.Close()
}
