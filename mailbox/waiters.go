package mailbox

import (
	"runtime"
	"time"
)

const (
	// lookLimit is how long the first of those who wait looks for room itself, before it sleeps: to be woken takes
	// 30 to 50 µs, and a reader in a stream makes room all the time.
	lookLimit = 50 * time.Microsecond

	// Between two looks so much time goes by that the reader can finish a few frames: each costs the
	// reader a cache line. With little room it may finish all in less.
	longestLook  = 16 * time.Microsecond
	framesForOne = 256 // of the capacity, for each microsecond of that
)

// A reader tells of what it has finished when it is asked to (Ring.Wanted), and then a part of the capacity at a time. Who waits
// for room of a slow one is not to wait for so much: somebody looks at its page after firstRecheck, and as long as
// nothing moves after twice the time, up to lastRecheck.
const (
	firstRecheck = time.Millisecond
	lastRecheck  = 100 * time.Millisecond
)

// waiter is a counted frame that waits for room.
type waiter struct {
	frame    []byte
	force    bool          // it needs no room, only its turn
	admitted func()        // called when it was taken in; may be nil
	ready    chan struct{} // of a Put that blocks: closed when it is done; else nil
	err      error         // of such a Put, once ready is closed

	prev, next *waiter
	queued     bool
}

// waiterQueue is a list of waiters, first come, first served.
type waiterQueue struct {
	first, last *waiter
	n           int
}

func (q *waiterQueue) push(wt *waiter) {
	wt.queued = true
	q.n++
	wt.prev = q.last
	if q.last != nil {
		q.last.next = wt
	} else {
		q.first = wt
	}
	q.last = wt
}

func (q *waiterQueue) remove(wt *waiter) {
	if wt.prev != nil {
		wt.prev.next = wt.next
	} else {
		q.first = wt.next
	}
	if wt.next != nil {
		wt.next.prev = wt.prev
	} else {
		q.last = wt.prev
	}
	wt.prev, wt.next, wt.queued = nil, nil, false
	q.n--
}

// admitLocked takes in those who wait while there is room.
func (w *Writer) admitLocked() {
	for wt := w.waiting.first; wt != nil && (wt.force || w.hasRoomLocked()); wt = w.waiting.first {
		w.waiting.remove(wt)
		w.takeLocked(wt.frame)
		if wt.admitted != nil {
			w.callbacks = append(w.callbacks, wt.admitted)
		}
		if wt.ready != nil {
			close(wt.ready)
		}
	}
}

// dismissLocked sends every blocked Put away with err. Frames that wait without
// a caller stay for Abandon.
func (w *Writer) dismissLocked(err error) {
	for wt := w.waiting.first; wt != nil; {
		next := wt.next
		if wt.ready != nil {
			w.waiting.remove(wt)
			wt.err = err
			close(wt.ready)
		}
		wt = next
	}
}

// awaitLocked has wt wait for its turn; looking says that the caller is about to look for room himself.
func (w *Writer) awaitLocked(wt *waiter, looking bool) {
	w.waiting.push(wt)
	w.recheckLocked(firstRecheck)
	if !looking {
		w.wantLocked()
	}
}

// wantLocked has the reader tell what it finishes, if frames wait for room and nobody looks for it. A reader
// that always told would wake us for nothing, each time for 30 µs of its own.
func (w *Writer) wantLocked() {
	if w.waiting.first != nil && !w.wanting && w.sink.ring != nil && w.err == nil && !w.closed {
		w.wanting = true
		w.sink.ring.wanted.Store(1)
	}
}

// unwantLocked takes it back when nobody waits.
func (w *Writer) unwantLocked() {
	if w.waiting.first == nil && w.wanting && w.err == nil && !w.closed {
		w.wanting = false
		w.sink.ring.wanted.Store(0)
	}
}

// recheckLocked sees to it that somebody looks for room after pause, if frames wait for it.
func (w *Writer) recheckLocked(pause time.Duration) {
	if w.recheck != nil || w.waiting.first == nil || w.progress == nil || w.closed {
		return
	}
	w.recheck = time.AfterFunc(pause, func() {
		w.mu.Lock()
		w.recheck = nil
		before := w.stream.held.released()
		if w.refusalLocked() == nil {
			_ = w.pullLocked() // a lying reader is Put's to report
		}
		if pause = min(2*pause, lastRecheck); w.stream.held.released() != before {
			pause = firstRecheck
		}
		w.recheckLocked(pause)
		w.dispatch()
	})
}

// look looks for room for wt, for as long as lookLimit. The error is that of the page, and wt no longer waits then.
func (w *Writer) look(wt *waiter) error {
	pause := min(max(time.Duration(w.cfg.Capacity.Messages/framesForOne)*time.Microsecond, time.Microsecond), longestLook)
	for start := now(); now()-start < lookLimit; {
		for next := now() + pause; now() < next; {
			runtime.Gosched()
		}
		w.mu.Lock()
		var err error
		if wt.queued && w.refusalLocked() == nil {
			if err = w.pullLocked(); err != nil {
				w.waiting.remove(wt)
				w.admitLocked() // a Force may have stood behind it
			}
		}
		queued := wt.queued
		w.dispatch()
		if !queued {
			return err
		}
	}
	w.mu.Lock()
	w.wantLocked()
	w.mu.Unlock()
	return nil
}
