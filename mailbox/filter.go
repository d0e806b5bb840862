package mailbox

import "bytes"

// Filter takes counted frames out of a Writer without a reader: those for which keep is
// false, of all that it holds at the moment of the call. The others stay as they are and in
// order, and those who wait for room get what became free. It returns how many it took out;
// while a reader is attached, and after Close, it does nothing and returns 0.
//
// Frames that still wait for room are not looked at, nor are those that come while Filter
// runs: nothing but Filter itself keeps them from being taken in.
//
// Keep is called without a lock that sending needs, by the caller's goroutine, oldest frame
// first. It may call methods of the Writer that do not wait, but not Attach, Detach, Return,
// Filter, Held or Close, all of which wait for Filter to return. The frame is valid until
// keep returns, and must not be changed. If keep panics, nothing is taken out.
func (w *Writer) Filter(keep func(frame []byte) bool) (dropped int) {
	w.life.Lock()
	defer w.life.Unlock()
	w.mu.Lock()
	frames := w.idleLocked()
	w.mu.Unlock()
	for i, frame := range frames {
		if !keep(frame) {
			frames[i] = nil
			dropped++
		}
	}
	if dropped == 0 {
		return 0
	}
	w.mu.Lock()
	w.stream.rewind(func(i int) bool { return i >= len(frames) || frames[i] != nil })
	w.admitLocked()
	w.unlock()
	return dropped
}

// Held yields all counted frames of a Writer without a reader, as they are at the moment of
// the call: those that it holds, oldest first, then those that wait for room, in their turn,
// whether their caller blocks (Put) or not (Enqueue, Force). While a reader is attached, and
// after Close, it yields nothing. It is an iter.Seq: for frame := range w.Held.
//
// What is said of Filter's keep holds for yield. Frames of Put are copied, since their
// callers can give up at any time.
func (w *Writer) Held(yield func(frame []byte) bool) {
	w.life.Lock()
	defer w.life.Unlock()
	w.mu.Lock()
	frames := w.idleLocked()
	if w.file == nil && !w.closed {
		for wt := w.waiting.first; wt != nil; wt = wt.next {
			frame := wt.frame
			if wt.ready != nil {
				frame = bytes.Clone(frame)
			}
			frames = append(frames, frame)
		}
	}
	w.mu.Unlock()
	for _, frame := range frames {
		if !yield(frame) {
			return
		}
	}
}

// idleLocked returns the frames held, oldest first, if there is no reader. While life is
// held too, nothing is written or released, so that their memory stays and frames
// are only added.
func (w *Writer) idleLocked() [][]byte {
	held := &w.stream.held
	if w.file != nil || w.closed || held.n == 0 {
		return nil
	}
	frames := make([][]byte, held.n)
	for i := range frames {
		frames[i] = held.at(i).bytes()
	}
	return frames
}
