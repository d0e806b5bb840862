package mailbox

import "fmt"

// Release says that the reader has finished so many counted frames since it was
// attached: they are held no longer, and those who wait get their room. A count lower
// than before is ignored. One that is higher than what was given to the pipe, be it
// because there is none, returns ErrProgress and changes nothing. Without Retain
// it does nothing else. After Close it still works, until Abandon.
func (w *Writer) Release(finished uint64) error {
	w.mu.Lock()
	err := w.releaseLocked(finished)
	w.unwantLocked()
	w.dispatch()
	return err
}

func (w *Writer) releaseLocked(finished uint64) error {
	if finished > w.offered {
		return fmt.Errorf("%w: %d of %d", ErrProgress, finished, w.offered)
	}
	if !w.cfg.Retain {
		return nil
	}
	for held := &w.stream.held; held.n > 0 && held.released() < finished; {
		held.at(0).seg.own = true
		held.pop()
	}
	w.stream.trim()
	if w.refusalLocked() == nil {
		w.admitLocked()
	}
	return nil
}

// pullLocked releases what the shared page says is finished.
func (w *Writer) pullLocked() error {
	if w.progress == nil || w.stream.held.n == 0 {
		return nil
	}
	return w.releaseLocked(w.progress())
}

// Abandon returns, once and only after Close, the counted frames that were never
// released, oldest first, then those that waited for room without a caller (Enqueue,
// Force). Their memory is the caller's. A frame among them may have been read, partly or
// wholly: that it was not released is all that is known. Put that was still waiting
// has told its caller, so its frame is not here.
func (w *Writer) Abandon() []Held {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		return nil
	}
	_ = w.pullLocked() // a count that cannot be true releases nothing
	var all []Held
	held := &w.stream.held
	for i := range held.n {
		all = append(all, Held{Seq: held.released() + uint64(i) + 1, Frame: held.at(i).bytes()})
	}
	for wt := w.waiting.first; wt != nil; wt = wt.next {
		if wt.ready == nil {
			all = append(all, Held{Frame: wt.frame, Waited: true, Admitted: wt.admitted})
		}
	}
	w.stream, w.waiting = stream{}, waiterQueue{}
	return all
}
