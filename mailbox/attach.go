package mailbox

import (
	"fmt"
	"os"
)

// Attach connects the Writer to a new reader: f is the write end of a pipe in
// nonblocking mode, of which it takes ownership, even if it fails. It writes
// first, one or more control frames or nothing, then what it holds, in order; the
// reader counts counted frames from 1, beginning with the oldest held.
//
// Progress is what WriterConfig.Progress is, for this reader; it is not called any more
// when Detach or Close has returned and, after Close, so has Abandon.
//
// If ring is not nil, frames go through it once there are some of them, and its reader must
// call UseRing. It is not used any more when Detach or Close has returned.
//
// Attach returns the number of this attachment, for PushTo: they count from 1, and the
// file given to NewWriter was one. Attach does not wait for the pipe. It fails if the
// Writer has a reader, and, with an error that wraps os.ErrClosed, after Close; then
// the number is 0, which no attachment has.
func (w *Writer) Attach(f *os.File, first []byte, progress func() uint64, ring *Ring) (attachment uint64, err error) {
	w.life.Lock()
	defer w.life.Unlock()
	w.mu.Lock()
	err = errAttached
	if w.closed {
		err = fmt.Errorf("mailbox: attach: %w", os.ErrClosed)
	}
	if w.closed || w.file != nil {
		w.mu.Unlock()
		f.Close()
		return 0, err
	}
	w.connectLocked(f, first, progress, ring)
	attachment = w.attachment
	w.dispatch()
	return attachment, nil
}

// connectLocked makes f the pipe. life is held, or nobody else has the Writer yet.
func (w *Writer) connectLocked(f *os.File, first []byte, progress func() uint64, ring *Ring) {
	w.file, w.sink = f, sink{}
	w.sink.init(f, ring, w.cfg.Trust)
	if w.cfg.Retain {
		w.progress = progress
	}
	if len(first) > 0 {
		w.stream.prepend(keep(first))
	}
	w.attachment++
	w.full, w.nudging, w.wanting, w.err = false, false, false, nil
	w.recheckLocked(firstRecheck)
	w.wantLocked()
}

// Detach takes the dead reader away and closes the pipe. The reader had begun so many
// counted frames, and finished so many, as its Page says; it is believed only where
// that can be true: it has finished what Release was told and no more than was
// written to it, and has begun at most one frame more.
//
// The finished frames are released. The one in progress, if any, is returned, and held
// no longer: its memory is the caller's. Control frames not yet written are dropped,
// Flush returns ErrDetached. All other counted frames are kept for the next reader,
// those that the dead one had in its pipe or its memory included, and are counted from 1
// anew. Those who wait for room go on waiting, and get what became free.
//
// Until Attach, counted frames are taken in as ever, and Push and Flush return ErrDetached.
//
// Detach waits for the drain goroutine and for writes under way, none of which
// blocks. What the dead reader still had to say must have been said: a Release for
// it after Attach would count for its successor. Detaching again does nothing.
// Detach after Close, before Abandon, serves to tell the frame in progress from the others.
//
// Without Retain, what was written is gone and nothing is returned.
func (w *Writer) Detach(begun, finished uint64) (suspect *Held) {
	w.life.Lock()
	defer w.life.Unlock()
	w.mu.Lock()
	w.err = ErrDetached // from here on nobody begins to write
	w.lasting = true
	w.unlock()

	w.seize()
	w.settleFlushesLocked(w.brokenLocked())
	w.progress = nil
	suspect = w.stream.bury(begun, finished)
	w.stream.rewind(nil)
	w.offered = 0
	if !w.closed {
		w.admitLocked()
	}
	w.yieldRole()
	w.unlock()
	w.closeFile()
	return suspect
}

// Return puts a frame that Detach returned back as the oldest, whatever the capacity, so
// that the next reader gets it first: at least once instead of at most once. How often
// is for the caller to limit. The frame is given as to Put. It fails if the Writer has
// a reader, and, with an error that wraps os.ErrClosed, after Close.
func (w *Writer) Return(suspect *Held) error {
	w.life.Lock()
	defer w.life.Unlock()
	if w.file != nil {
		return errAttached
	}
	w.mu.Lock()
	defer w.unlock()
	if err := checkFrame(suspect.Frame, w.refusalLocked()); err != nil {
		return err
	}
	w.stream.rewind(nil, suspect.Frame)
	return nil
}

// seize returns with writing set and mu held, when nobody else writes any more. The caller holds life
// and has set err or closed, so that nobody begins.
func (w *Writer) seize() {
	if w.file != nil {
		w.sink.interrupt()
	}
	w.drainer.Wait()
	w.mu.Lock()
	if w.writing {
		w.leaving, w.left = true, make(chan struct{})
		w.mu.Unlock()
		<-w.left
		w.mu.Lock()
		w.leaving = false
	}
	w.writing = true
}

// yieldRole ends the writing; who seizes it has it then. mu is held.
func (w *Writer) yieldRole() {
	if w.leaving {
		close(w.left)
		return
	}
	w.writing = false
}

// closeFile closes the pipe, if there is one. life is held.
func (w *Writer) closeFile() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// bury releases what a reader had finished before it died, and takes out and returns the
// frame that it had begun. It believes no count that cannot be true.
func (q *stream) bury(begun, finished uint64) (suspect *Held) {
	held := &q.held
	delivered := q.delivered()
	finished = min(finished, delivered)
	for held.released() < finished {
		held.pop()
	}
	if next := held.released() + 1; begun >= next && next <= delivered {
		suspect = &Held{Seq: next, Frame: keep(held.at(0).bytes())}
		held.pop()
	}
	return suspect
}

// delivered is how many counted frames are written to the last byte: all others no
// reader can have begun.
func (q *stream) delivered() uint64 {
	n := q.held.n
	for n > 0 && !q.held.at(n-1).written() {
		n--
	}
	return q.held.released() + uint64(n)
}

// rewind makes the stream anew, nothing of it written: the frames given, then those held,
// or if keep is not nil, those it is true for, by their place among them. Control frames are
// dropped, and counting begins at 1.
func (q *stream) rewind(keep func(i int) bool, oldest ...[]byte) {
	old := *q
	*q = stream{}
	for s := old.head; s != nil; {
		next := s.next
		s.left, s.next = true, nil
		s.reuse()
		s = next
	}
	for _, frame := range oldest {
		q.take(frame, false)
	}
	for i := 0; old.held.n > 0; i++ {
		if keep == nil || keep(i) {
			q.take(old.held.at(0).bytes(), false)
		}
		old.held.pop()
	}
}

// prepend puts control frames in front of all others, none of which is written.
func (q *stream) prepend(control []byte) {
	s := adopt(control)
	s.control = len(control)
	s.next = q.head
	q.head = s
	if q.tail == nil {
		q.tail = s
	}
	q.control += len(control)
	q.appended += uint64(len(control))
}
