package mailbox

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
