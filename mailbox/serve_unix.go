//go:build unix

package mailbox

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// Serve reads frames and calls handle for each, one at a time and in order, until
// the pipe ends, is drained or closed, or handle returns an error. It returns
// that error, or one of those of Next. It takes the place of Next, which nobody may call
// any more. A Frame is valid until handle returns, unless it is Owned.
// handle must not close the Reader, and must not block.
func (r *Reader) Serve(handle func(Frame) error) error {
	conn := r.src.conn
	if conn == nil {
		return r.src.err
	}
	r.turn.Lock()
	r.handle = handle
	r.look = r.poll
	r.turn.Unlock()
	serve := func(fd uintptr) bool {
		r.turn.Lock()
		defer r.turn.Unlock()
		r.consume(fd, false)
		return r.err != nil
	}
	// One call of Read lasts for the Reader's life, unless Poll has too much to do: the
	// poller calls back when there is something to read.
	err := conn.Read(serve)
	for errors.Is(err, os.ErrDeadlineExceeded) && !r.draining.Load() {
		r.unpass()
		err = conn.Read(serve)
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	if r.err == nil && r.draining.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		// It was woken to drain; Control minds no deadline.
		_ = conn.Control(func(fd uintptr) { r.consume(fd, false) })
	}
	switch {
	case r.err != nil:
	case r.closed.Load():
		r.err = errReadClosed
	default:
		r.err = &PipeError{Op: "read", Err: err}
	}
	r.drop()
	return r.err
}

// pass leaves what there is to the goroutine in Serve.
func (r *Reader) pass() { r.src.interrupt() }

// unpass takes the deadline back, unless Drain has set it as well.
func (r *Reader) unpass() {
	_ = r.src.file.SetReadDeadline(time.Time{})
	if r.draining.Load() {
		r.src.interrupt()
	}
}

// consume reads and handles what there is; if once, what one read gives. Serve
// must find the pipe empty before it waits: the poller tells of each change once,
// and may have told of the pipe's end together with its last bytes. turn is held.
func (r *Reader) consume(fd uintptr, once bool) {
	yielded := once
	frames, rounds := 0, 0
	for read := false; r.err == nil; {
		if frames += r.handleAll(); r.err != nil {
			return
		}
		if read && once {
			r.rest()
			return
		}
		if read && !yielded {
			rounds++
			more := r.linger(frames) && rounds < lingerRounds
			yielded, read, frames = !more, !more, 0
			continue
		}
		n, err := 0, error(nil)
		if r.ringing {
			n, err = r.readRing(fd, once)
		} else {
			n, err = r.readPipe(fd)
		}
		switch {
		case n > 0:
			read = true
			r.end += n
		case err == errWouldBlock:
			return
		case err == nil:
			r.finish()
		default:
			r.err = &PipeError{Op: "read", Err: err}
		}
	}
}

// handleAll handles the frames that are here, and says how many those were.
func (r *Reader) handleAll() (frames int) {
	for f, ok := r.parse(); ok; f, ok = r.parse() {
		frames++
		if r.err = r.handle(f); r.err != nil {
			break
		}
	}
	if frames > 0 {
		if err := r.between(); r.err == nil {
			r.err = err
		}
	}
	return frames
}

// yield lets those run for whom a frame was: to see that nothing more is there takes two system
// calls, which they need not wait for. turn is held, but for meanwhile: they may Poll.
func (r *Reader) yield() {
	r.turn.Unlock()
	runtime.Gosched()
	r.turn.Lock()
}

// readsPerLook is how many reads of a ring that is never empty there are between two looks at the pipe, which may have
// ended.
const readsPerLook = 32

const (
	// lingerLimit is how long Serve looks for more after the last frame, when several came at once.
	lingerLimit = 30 * time.Microsecond

	// lingerRounds is how often it does so before it looks for bells: one for room may be among them.
	lingerRounds = 256

	// lingerLooks is how many looks there are between two times at which others run.
	lingerLooks = 200

	// crowded is for how many batches of a single frame several are still expected.
	crowded = 64
)

// lingering is how many Readers linger now. Each takes a processor.
var lingering atomic.Int32

// linger lets those run for whom the frames were. Where several have come at once there are
// several who wait, and what they do next brings more frames: so it looks for those
// for a while, and reports whether there are any. It asks for no bell meanwhile, and nobody need
// Poll. Those who were woken run on this processor, one after the other, and what they send
// is on its way before the next look.
func (r *Reader) linger(frames int) bool {
	if frames > 1 {
		r.crowd = crowded
	} else if r.crowd > 0 {
		r.crowd--
	}
	if r.crowd == 0 || !r.eager || !r.ringing || runtime.NumCPU() == 1 {
		r.yield()
		return false
	}
	defer lingering.Add(-1)
	if int(lingering.Add(1)) > max(runtime.GOMAXPROCS(0)/2, 1) {
		r.yield()
		return false
	}
	r.lingers.Store(true)
	defer r.lingers.Store(false)
	r.ring.wake()
	for start := now(); ; {
		r.yield()
		for range lingerLooks {
			if n, err := r.ring.available(); n > 0 || err != nil {
				return true
			}
		}
		if r.err != nil || r.draining.Load() || now()-start > lingerLimit {
			return false
		}
	}
}

// readPipe does one read(2); 0 and no error is the end.
func (r *Reader) readPipe(fd uintptr) (int, error) {
	draining := r.draining.Load()
	if draining && r.budget.Load() <= 0 {
		return 0, nil
	}
	r.src.try(fd)
	n, err := r.src.n, r.src.err
	if draining {
		r.budget.Add(-int64(n))
		if err == errWouldBlock {
			err = nil
		}
	}
	return n, err
}

// readRing takes out what fits; 0 and no error is the end. Unless once, it asks for a bell
// when there is nothing.
func (r *Reader) readRing(fd uintptr, once bool) (int, error) {
	if r.draining.Load() {
		space := r.space()
		rest := r.last.Load() - r.ring.at
		switch {
		case int64(rest) <= 0:
			return 0, nil
		case rest > 2*ringSize: // what is in there, and the gap before where it has begun anew
			return 0, ErrRing
		}
		return r.ring.read(space[:min(uint64(len(space)), rest)])
	}
	n, err := r.ring.available()
	open := true
	if r.reads++; (n == 0 || r.reads > readsPerLook) && err == nil && !once {
		// The bells first: one that is rung because of sleep must be left for the
		// poller. The look last: what was put in before the pipe's end, or while
		// nobody was asked for a bell, is seen then.
		var room bool
		if room, open, err = r.src.bells(fd, &r.draining); room {
			r.back.resume()
		}
		r.reads = 0
		if err == nil && n == 0 {
			r.ring.sleep()
			n, err = r.ring.available()
		}
	}
	switch {
	case err != nil:
		return 0, err
	case n == 0 && open:
		r.rest()
		return 0, errWouldBlock
	case n == 0:
		return 0, nil
	case !open: // what it writes after the pipe's end does not count
		r.last.Store(r.ring.tail.Load())
		r.draining.Store(true)
	}
	n, err = r.ring.read(r.space())
	if r.ring.oweRoom() {
		r.back.nudge()
	}
	return n, err
}
