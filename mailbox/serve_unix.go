//go:build unix

package mailbox

import (
	"errors"
	"os"
)

// Serve reads frames and calls handle for each, one at a time and in order, until
// the pipe ends, is drained or closed, or handle returns an error. It returns
// that error, or one of those of Next. It takes the place of Next: a Reader is used
// with one or the other. A Frame is valid until handle returns, unless it is Owned.
// handle must not close the Reader, and must not block.
func (r *Reader) Serve(handle func(Frame) error) error {
	conn := r.src.conn
	if conn == nil {
		return r.src.err
	}
	r.turn.Lock()
	r.handle = handle
	r.look = func(fd uintptr) { r.consume(fd, true) }
	r.turn.Unlock()
	// One call of Read lasts for the Reader's life: the poller calls back when
	// there is something to read.
	err := conn.Read(func(fd uintptr) bool {
		r.turn.Lock()
		defer r.turn.Unlock()
		r.consume(fd, false)
		return r.err != nil
	})
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

// Assist does at once what Serve would do when it is woken: it reads what the pipe
// holds and handles it, on the caller's goroutine. It never waits: if somebody is at
// it already, or there is nothing to read, it does nothing. It reads once: a process
// that writes without end would keep the caller for ever, and the rest is Serve's.
// Whoever expects an answer within microseconds, and calls Assist until it is there,
// has it sooner than another goroutine can be woken, which takes tens of microseconds.
func (r *Reader) Assist() {
	if !r.turn.TryLock() {
		return
	}
	defer r.turn.Unlock()
	if r.err != nil || r.handle == nil {
		return
	}
	if r.src.conn.Control(r.look) == nil && r.err != nil {
		r.src.interrupt() // Serve is to return it
	}
}

// consume reads and handles what there is; if once, what one read gives. Serve
// must find the pipe empty before it waits: the poller tells of each change once,
// and may have told of the pipe's end together with its last bytes. turn is held.
func (r *Reader) consume(fd uintptr, once bool) {
	for read := false; r.err == nil; {
		if f, ok := r.parse(); ok {
			r.err = r.handle(f)
			continue
		}
		draining := r.draining.Load()
		switch {
		case r.err != nil:
			return
		case draining && r.budget.Load() <= 0:
			r.finish()
			return
		case read && once:
			r.rest()
			return
		}
		r.src.try(fd)
		n, err := r.src.n, r.src.err
		switch {
		case n > 0:
			read = true
			r.end += n
			if draining {
				r.budget.Add(-int64(n))
			}
		case err == errWouldBlock && !draining:
			return
		case err == nil || err == errWouldBlock:
			r.finish()
		default:
			r.err = &PipeError{Op: "read", Err: err}
		}
	}
}
