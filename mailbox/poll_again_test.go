//go:build linux || darwin

package mailbox

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// poller is a Reader in Serve whose frames come by a ring, and which nobody has polled yet.
func poller(t *testing.T, setup ...func(*Reader)) (w *Writer, r *Reader, got *atomic.Int64) {
	t.Helper()
	check(t)
	w, r = ringLink(t)
	for _, f := range setup {
		f(r)
	}
	got = new(atomic.Int64)
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(func(Frame) error { got.Add(1); return nil }) }()
	t.Cleanup(func() {
		w.Close()
		within(t, "Serve's end", ended)
		r.Close()
	})
	sent := int64(0)
	eventually(t, "Serve reads the ring", func() bool {
		mustPut(t, w, numbered(1, 20))
		sent++
		return r.ring.head.Load() > 0
	})
	eventually(t, "Serve sleeps", func() bool { return got.Load() == sent && r.ring.asleep.Load() == ringSleep })
	return w, r, got
}

// again puts a frame that nobody is told of, and calls PollAgain for it. A late bell may wake Serve
// meanwhile, or after that.
func again(t *testing.T, w *Writer, r *Reader, got *atomic.Int64) {
	t.Helper()
	eventually(t, "PollAgain finds a frame", func() bool {
		before := got.Load()
		r.turn.Lock()
		r.ring.wake()
		mustPut(t, w, numbered(1, 20))
		r.turn.Unlock()
		return r.PollAgain(func() bool { return got.Load() > before }) && r.ring.asleep.Load() == ringBusy
	})
}

// While the frames of PollAgain are handled, others wait for its next call without a bell.
func TestPollAgainRingsNoBell(t *testing.T) {
	w, r, got := poller(t)
	quiet := 0
	const rounds = 50
	for range rounds {
		again(t, w, r, got)
		before := got.Load()
		mustPut(t, w, numbered(1, 20), numbered(2, 20))
		if r.ring.asleep.Load() == ringBusy && got.Load() == before {
			quiet++
		}
		all := func() bool { return got.Load() == before+2 }
		eventually(t, "the next call finds them", func() bool { return r.PollAgain(all) || all() })
	}
	if quiet < rounds/2 { // Serve may be late with an earlier bell
		t.Errorf("in %d of %d rounds nobody was told of the next frames", quiet, rounds)
	}
}

// A call that is left out, as after vain ones, asks for bells again, and reads what nobody has rung for.
func TestPollAgainLeftOut(t *testing.T) {
	w, r, got := poller(t)
	again(t, w, r, got)
	before := got.Load()
	mustPut(t, w, numbered(1, 20))
	r.turn.Lock()
	r.polling.skip = 1
	r.turn.Unlock()
	if r.PollAgain(func() bool { return true }) {
		t.Error("it was not left out")
	}
	eventually(t, "the frame is read", func() bool { return got.Load() == before+1 })
	mustPut(t, w, numbered(2, 20))
	eventually(t, "Serve is woken", func() bool { return got.Load() == before+2 })
}

// A control frame does not wait for the next call.
func TestPollAgainControl(t *testing.T) {
	w, r, got := poller(t)
	again(t, w, r, got)
	before := got.Load()
	mustPut(t, w, numbered(1, 20))
	if err := w.Push(numbered(2, 20)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Serve is woken", func() bool { return got.Load() == before+2 })
}

// Nor does a full ring: behind it there may be control frames.
func TestPollAgainFull(t *testing.T) {
	w, r, got := poller(t)
	again(t, w, r, got)
	before := got.Load()
	const frames = 2*ringSize/10_000 + 2
	for i := range frames {
		mustPut(t, w, numbered(i, 10_000))
	}
	eventually(t, "Serve is woken", func() bool { return got.Load() > before })
}

// Where several frames come at once, Serve looks for more without a bell, and lets others run.
func TestServeLingers(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("with one processor it never lingers; run it on a machine with two")
	}
	w, r, got := poller(t, (*Reader).Linger)
	sent := got.Load()
	eventually(t, "Serve expects more", func() bool {
		r.turn.Lock() // so that they are there at once
		defer r.turn.Unlock()
		mustPut(t, w, numbered(1, 20), numbered(2, 20))
		sent += 2
		return r.crowd > 0
	})
	lingered := false
	eventually(t, "Serve lingers", func() bool {
		for range 100 {
			lingered = lingered || r.Lingers()
			mustPut(t, w, numbered(1, 20))
			sent++
		}
		return lingered
	})
	eventually(t, "all are read, and Serve sleeps", func() bool { return got.Load() == sent && !r.Lingers() && r.ring.asleep.Load() == ringSleep })
}
