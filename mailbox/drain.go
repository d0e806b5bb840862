package mailbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

const (
	// maxRounds is how many writes a sender does for others before it hands over.
	maxRounds = 16

	// hotGap and hotStreak tell a stream from an exchange: so many writes, each begun
	// so soon after the last one ended. A reply of another process takes longer.
	hotGap    = time.Microsecond
	hotStreak = 8

	// linger is how long the drain goroutine waits for more before it ends.
	linger = 50 * time.Microsecond

	// helpBytes is how much may be unwritten before a sender writes although the
	// drain goroutine lives: it may be without a processor.
	helpBytes = 32 << 10
)

var start = time.Now()

// quickChunk is how many bytes are copied into a ring with mu held.
const quickChunk = 8 << 10

// now is a monotonic clock.
func now() time.Duration { return time.Since(start) }

// dispatch sees to it that what is unwritten gets written: by who is at it, by the
// drain goroutine or by the caller. It is called with mu held and releases it.
//
// Whoever leaves bytes unwritten knows one of: somebody is writing, and looks again under mu
// before that ends; or the drain goroutine lives, and looks before it ends.
func (w *Writer) dispatch() {
	unwritten := w.stream.unwritten()
	switch {
	case w.nudging && w.err == nil && !w.closed && !w.writing:
		w.writing = true
		w.writeRounds()
	case unwritten == 0 || w.err != nil || w.closed:
	case w.full && (w.draining || w.sink.ringing): // somebody waits for room, or will be told of it
	case w.draining && !w.sink.ringing && unwritten < helpBytes:
	case w.writing:
	case !w.draining && !w.sink.ringing && w.hotLocked():
		w.startDrainLocked()
	default:
		w.writing = true
		w.writeRounds()
	}
	w.unlock()
}

// writeRounds writes, writing set and mu held, until nothing is left, the pipe is full, or it has
// done enough for others; then it hands over to the drain goroutine.
func (w *Writer) writeRounds() {
	for range maxRounds {
		if w.stream.unwritten() == 0 || w.err != nil || w.closed {
			break
		}
		if w.writeHead(false); w.full {
			break
		}
	}
	w.release()
	if w.stream.unwritten() > 0 {
		w.startDrainLocked()
	}
	if !w.sink.ringing {
		w.lastWrite = now()
	}
}

// hotLocked counts the streak of writes that follow closely on one another and
// says whether it is long enough.
func (w *Writer) hotLocked() bool {
	if now()-w.lastWrite > hotGap {
		w.streak = 0
		return false
	}
	w.streak++
	return w.streak >= hotStreak
}

// writeHead does one write from the head of the stream. writing is set and mu held; mu is released
// meanwhile. If wait, it waits until the pipe takes something, or for Close.
func (w *Writer) writeHead(wait bool) {
	s := w.stream.head
	chunk := s.buf[s.written:]
	w.offered = max(w.offered, s.last)
	n, err := w.putLocked(chunk, wait)
	w.full = err == errWouldBlock
	if n > 0 {
		w.wroteLocked(s, n)
	}
	if err != nil && !w.full && w.err == nil && !(w.closed && errors.Is(err, os.ErrDeadlineExceeded)) {
		w.err = &PipeError{Op: "write", Err: err}
		if !w.lasting {
			w.dismissLocked(w.err)
		}
		w.settleFlushesLocked(w.err)
		if w.cfg.Broken != nil {
			broken, err := w.attachment, w.err
			w.callbacks = append(w.callbacks, func() { w.cfg.Broken(broken, err) })
		}
	}
}

// putLocked writes once, and wakes the reader of a ring. mu is released where it takes
// longer than that would.
func (w *Writer) putLocked(chunk []byte, wait bool) (n int, err error) {
	if w.sink.ripe() {
		w.changeLocked()
	}
	if w.sink.ringing && len(chunk) <= quickChunk {
		n, err = w.sink.write(chunk, false)
	} else {
		w.mu.Unlock()
		n, err = w.sink.write(chunk, wait)
		w.mu.Lock()
	}
	if !w.sink.ringing || err != nil {
		return n, err
	}
	// A control frame is urgent, and one may wait behind what did not fit.
	if w.sink.ring.sleeper(w.stream.control > 0 || n < len(chunk)) {
		w.mu.Unlock()
		w.sink.wake()
		w.mu.Lock()
	}
	if n < len(chunk) {
		err = errWouldBlock
	}
	return n, err
}

// changeLocked leaves the pipe for the ring, if the pipe takes the bell. mu is released meanwhile;
// who has a bell for room to ring then, leaves it.
func (w *Writer) changeLocked() {
	w.changing = true
	w.mu.Unlock()
	changed := w.sink.change()
	w.mu.Lock()
	w.changing = false
	if w.sink.ringing = changed; w.nudging && !changed {
		w.nudging = false
		w.appendBellLocked()
	}
}

func (w *Writer) wroteLocked(s *segment, n int) {
	s.written += n
	w.stream.written += uint64(n)
	if !w.cfg.Retain {
		w.stream.dropWritten()
		if !w.closed {
			w.admitLocked()
		}
	}
	w.stream.settle()
	if len(w.flushes) > 0 {
		w.settleFlushesLocked(nil)
	}
}

func (w *Writer) startDrainLocked() {
	if w.draining || w.closed || w.err != nil {
		return
	}
	w.draining = true
	w.streak = 0
	w.drainer.Go(w.drain)
}

// drain writes what others append, waiting for the pipe where it must. It ends when
// nothing came for a while, when the writer breaks, and when it is closed.
func (w *Writer) drain() {
	idle := now()
	w.mu.Lock()
	for w.err == nil && !w.closed {
		if w.stream.unwritten() > 0 && !w.writing {
			w.writing = true
			w.writeHead(true)
			if w.sink.ringing && w.full {
				w.awaitRoom()
			}
			w.release()
			// Only now, for while release rings others append, and are told of room.
			if w.sink.ringing && (w.full || w.stream.unwritten() == 0) {
				break
			}
			w.unlock()
			idle = now()
		} else {
			if now()-idle > linger {
				break
			}
			w.unlock()
			w.await(idle + linger)
		}
		w.mu.Lock()
	}
	w.draining = false
	w.unlock()
}

// await yields until there is something to write, or the time is up.
func (w *Writer) await(until time.Duration) {
	for {
		runtime.Gosched()
		if w.unwritten.Load() > 0 || now() > until {
			return
		}
	}
}

// release ends the writing, and rings first for whom others could not. mu is held, and released
// meanwhile.
func (w *Writer) release() {
	for w.nudging {
		w.nudging = false
		w.mu.Unlock()
		w.sink.bell(bellRoom)
		w.mu.Lock()
	}
	w.yieldRole()
}

// awaitRoom waits a little for room in the ring. If there is none, full stays set, and the
// reader is to ring when there is. writing is set and mu held; mu is released meanwhile.
func (w *Writer) awaitRoom() {
	ring := w.sink.ring
	w.unlock()
	room := ring.hasRoom()
	for start := now(); !room && now()-start < linger; room = ring.hasRoom() {
		runtime.Gosched()
	}
	w.mu.Lock()
	w.full = !room && w.err == nil && !w.closed && ring.wantRoom()
}

// resume goes on writing: there is room in the ring again.
func (w *Writer) resume() {
	w.mu.Lock()
	if w.sink.ringing {
		w.full = false
	}
	w.dispatch()
}

// nudge has the other process resume: there is room again in the ring that it writes to.
func (w *Writer) nudge() {
	w.mu.Lock()
	switch {
	case w.err != nil || w.closed:
	case w.sink.ringing || w.changing:
		w.nudging = true
	default:
		w.appendBellLocked()
	}
	w.dispatch()
}

// appendBellLocked puts a bell for room among the frames.
func (w *Writer) appendBellLocked() {
	s, _ := w.stream.append([]byte{bellRoom}, w.draining)
	s.control++
	w.stream.control++
}

// Unwritten returns how many bytes were taken in and are not in the pipe: a
// glance that costs next to nothing, to see whether there is anything to Flush.
func (w *Writer) Unwritten() int { return int(w.unwritten.Load()) }

// flush is a call of Flush that waits.
type flush struct {
	target uint64        // the stream's position when it came
	done   chan struct{} // closed when the position is reached, or err is set
	err    error
}

// Flush waits until all that was taken in before is written to the pipe, or ctx is
// done. What still waits for room was not taken in.
func (w *Writer) Flush(ctx context.Context) error {
	w.mu.Lock()
	if w.closed || w.err != nil {
		defer w.mu.Unlock()
		return w.brokenLocked()
	}
	if w.stream.unwritten() > 0 && !w.writing {
		w.writing = true
		w.writeRounds()
	}
	if w.stream.unwritten() == 0 && !w.closed && w.err == nil {
		w.unlock()
		return nil
	}
	f := &flush{target: w.stream.appended, done: make(chan struct{})}
	w.flushes = append(w.flushes, f)
	w.settleFlushesLocked(w.err) // that write may have broken it; if it was closed, Close settles
	w.unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.flushes {
		if other == f {
			w.flushes = append(w.flushes[:i], w.flushes[i+1:]...)
			return fmt.Errorf("mailbox: flush: %w", context.Cause(ctx))
		}
	}
	return f.err
}

// settleFlushesLocked answers those whose bytes are written, and all others with err
// unless it is nil.
func (w *Writer) settleFlushesLocked(err error) {
	rest := w.flushes[:0]
	for _, f := range w.flushes {
		if f.target > w.stream.written {
			if err == nil {
				rest = append(rest, f)
				continue
			}
			f.err = err
		}
		close(f.done)
	}
	clear(w.flushes[len(rest):])
	w.flushes = rest
}

// Close wakes all who wait with an error that wraps os.ErrClosed, writes what the pipe
// takes without waiting and closes it. What is left is for Abandon. It waits for the
// drain goroutine and for writes under way, none of which blocks. Closing again does nothing
// and returns the same.
//
// First nobody may enter or wait any longer; then who is writing leaves, so that the last
// write is ours; the descriptor goes last.
func (w *Writer) Close() error {
	w.life.Lock()
	defer w.life.Unlock()
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return w.closeErr
	}
	w.closed = true
	w.dismissLocked(fmt.Errorf("mailbox: put: %w", os.ErrClosed))
	w.unlock()

	w.seize()
	for w.full = false; w.stream.unwritten() > 0 && !w.full && w.err == nil; {
		w.writeHead(false)
	}
	w.settleFlushesLocked(w.brokenLocked())
	w.yieldRole()
	w.unlock()
	w.closeErr = w.closeFile()
	return w.closeErr
}
