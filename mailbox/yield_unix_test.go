//go:build linux || darwin

package mailbox

import (
	"runtime"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

// Whom a frame was for runs before Serve looks whether there is more: that takes system calls.
func TestServeYields(t *testing.T) {
	check(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	w, r := ringLink(t)
	got, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- r.Serve(func(Frame) error { got <- struct{}{}; return nil })
	}()
	early := 0
	const rounds = 100
	for i := range ringAfter + 1 + rounds {
		ring := w.sink.ringing
		if ring {
			eventually(t, "Serve sleeps", func() bool { return r.ring.asleep.Load() == 1 })
		}
		mustPut(t, w, numbered(i, 20))
		<-got
		if ring && r.ring.asleep.Load() == 0 {
			early++
		}
	}
	if early < rounds/2 { // the runtime may preempt anybody now and then
		t.Errorf("%d of %d frames were with the receiver before Serve looked for more", early, rounds)
	}
	w.Close()
	within(t, "Serve's end", ended)
	r.Close()
}

// A Reader and a Writer that trust each other tell of the same things as others.
func TestTrust(t *testing.T) {
	check(t)
	pr, pw := pipe(t)
	w, r := NewWriter(pw, WriterConfig{Trust: true}), NewReader(pr, codec.DefaultFrameLimit)
	r.Trust()
	mustPut(t, w, numbered(1, 20), numbered(2, 100_000), numbered(3, 20)) // more than the pipe takes
	nextAre(t, r, 1, 2, 3)
	waits := make(chan int, 1)
	go func() {
		f, err := r.Next()
		if err != nil {
			t.Error(err)
			close(waits)
			return
		}
		waits <- number(f.Bytes)
	}()
	mustPut(t, w, numbered(4, 20))
	if n := within(t, "the frame that was waited for", waits); n != 4 {
		t.Errorf("got frame %d, want 4", n)
	}
	r.Close()
	eventually(t, "the Writer sees that nobody reads", func() bool { return w.TryPut(numbered(5, 20)) != nil })
	w.Close()
}
