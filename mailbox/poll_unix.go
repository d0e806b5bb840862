//go:build unix

package mailbox

import (
	"runtime"
	"time"
)

const (
	// PollLimit is how long Poll looks at most. A look that finds something saves the 30
	// to 50 µs that waking a goroutine on another thread takes; so a vain one costs
	// no more than a wake-up.
	PollLimit = 50 * time.Microsecond

	// pollStall is how far apart two looks are when the thread was without a processor
	// in between: others need it more.
	pollStall = 30 * time.Microsecond

	// pollLooks is how many looks there are between two times at which other
	// goroutines may run.
	pollLooks = 8

	// maxMisses bounds how much is left out after vain looks: 63 calls of 64.
	maxMisses = 6
)

// Poll does at once what Serve would do when it is woken: it reads what there is and
// handles it, on the caller's goroutine, again and again until done returns true, or
// for PollLimit. It reports whether done did. It never sleeps, and does nothing if somebody
// is at it already.
//
// Whoever expects a message within microseconds and calls Poll has it sooner than another
// goroutine can be woken, which takes tens of microseconds; while it looks, nobody need
// ring a bell either. With one processor there is nothing to win, and after vain calls, or
// where another process wants the processor, Poll returns false at once for a while: the
// more often, the longer.
func (r *Reader) Poll(done func() bool) bool { return r.pollFor(done, false) }

// PollAgain is Poll for the one goroutine that handles what comes, and then calls PollAgain
// again if it has returned true. Until that call no bell is rung for counted frames, however
// long it takes, nor does anybody read them; for a control frame it is, and when the ring is
// full.
func (r *Reader) PollAgain(done func() bool) bool { return r.pollFor(done, true) }

func (r *Reader) pollFor(done func() bool, again bool) bool {
	if r.lingers.Load() || !r.turn.TryLock() {
		return false // in the end that one asks for bells
	}
	defer r.turn.Unlock()
	if r.err != nil || r.handle == nil || r.draining.Load() {
		return false
	}
	if !r.polling.pays() {
		if !r.polling.busy {
			return false
		}
		done, again = nil, false
	}
	r.polling.done, r.polling.again, r.polling.found = done, again, false
	_ = r.src.conn.Control(r.look)
	r.polling.done = nil
	if r.err != nil {
		r.src.interrupt() // Serve is to return it
	}
	return r.polling.found
}

// Look is for who calls Next and expects a frame within microseconds: it looks for one, for so long at
// most, and does not sleep. The Next that follows returns it, or waits as ever. Where another process wants
// the processor, Look ends sooner.
func (r *Reader) Look(limit time.Duration) {
	start := now()
	for last := start; !r.Ready(); {
		n, err := r.src.read(false)
		if r.end += n; n == 0 && err != errWouldBlock {
			return // Next finds the same
		}
		runtime.Gosched()
		t := now()
		if t-start > limit || t-last > pollStall {
			return
		}
		last = t
	}
}

// polling is the state of Poll.
type polling struct {
	done  func() bool // nil if bells are to be asked for, and nothing else
	again bool        // it is PollAgain
	found bool
	busy  bool // PollAgain has found something, and not been called since

	misses uint8 // vain calls in a row, up to maxMisses
	skip   uint8 // how many calls are to be left out
}

// pays reports whether this call is worth it.
func (p *polling) pays() bool {
	if p.skip > 0 {
		p.skip--
		return false
	}
	return true
}

func (p *polling) miss(stalled bool) {
	if !stalled {
		return
	}
	p.misses = min(p.misses+1, maxMisses)
	p.skip = 1<<p.misses - 1
}

// poll is Poll with the descriptor. turn is held.
func (r *Reader) poll(fd uintptr) {
	if r.ringing {
		r.ring.wake()
	}
	start := now()
	for last := start; r.err == nil && r.polling.done != nil; {
		for range pollLooks {
			r.glance(fd)
			if r.polling.found = r.polling.done(); r.polling.found || r.err != nil || !r.ringing {
				break
			}
		}
		if r.polling.found {
			r.polling.misses = 0
			break
		}
		runtime.Gosched()
		t := now()
		if stalled := t-last > pollStall; stalled || t-start > PollLimit {
			r.polling.miss(stalled)
			break
		}
		last = t
	}
	if r.ringing {
		r.leave(fd, start)
	}
}

// glance reads and handles once, if there is anything.
func (r *Reader) glance(fd uintptr) {
	if r.ringing {
		if n, err := r.ring.available(); n == 0 && err == nil {
			return
		}
	}
	r.consume(fd, true)
}

// leave asks for a bell again, or for one in urgent cases only. What has come meanwhile nobody will
// ring for, so it is read here; if it does not end, by Serve.
func (r *Reader) leave(fd uintptr, start time.Duration) {
	if r.polling.busy = r.polling.again && r.polling.found; r.polling.busy {
		r.ring.busy()
	} else {
		r.ring.sleep()
	}
	for r.err == nil {
		if n, err := r.ring.available(); n == 0 && err == nil {
			return
		}
		if now()-start > 2*PollLimit {
			r.pass()
			return
		}
		r.consume(fd, true)
	}
}
