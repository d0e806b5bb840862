package child

import "sync"

// chunkSize is how much the queue copies messages into at a time.
const chunkSize = 32 << 10

// A queue holds the messages that were read and not yet begun. Its bound is the
// node's: it never sends more than the mailbox's capacity.
type queue struct {
	wake chan struct{} // one token when there may be something to do

	mu      sync.Mutex // protects the following
	items   []*Delivery
	chunk   []byte
	stopped bool // nothing further is to be begun
	asked   bool // by the node, not by the actor itself
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// push takes d in. Its bytes still belong to the reader unless owned.
func (q *queue) push(d *Delivery, owned bool) {
	q.mu.Lock()
	if !owned {
		d.Type, d.Trace, d.Payload = q.copy(d.Type), q.copy(d.Trace), q.copy(d.Payload)
	}
	q.items = append(q.items, d)
	first := len(q.items) == 1
	q.mu.Unlock()
	if first {
		q.signal()
	}
}

// copy puts b into the current chunk. A chunk is freed when the last message
// in it is.
func (q *queue) copy(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if len(b) > cap(q.chunk)-len(q.chunk) {
		q.chunk = make([]byte, 0, max(chunkSize, len(b)))
	}
	start := len(q.chunk)
	q.chunk = append(q.chunk, b...)
	return q.chunk[start:len(q.chunk):len(q.chunk)]
}

// stop says that nothing further is to be begun.
func (q *queue) stop(asked bool) {
	q.mu.Lock()
	if !q.stopped {
		q.stopped, q.asked = true, asked
	}
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for messages and returns all there are, in the memory of spent,
// or stopped.
func (q *queue) next(spent []*Delivery) (batch []*Delivery, stopped bool) {
	for {
		q.mu.Lock()
		if q.stopped {
			q.mu.Unlock()
			return nil, true
		}
		if len(q.items) > 0 {
			batch, q.items = q.items, spent[:0]
			q.mu.Unlock()
			return batch, false
		}
		q.mu.Unlock()
		<-q.wake
	}
}

// isStopped is asked between two messages.
func (q *queue) isStopped() (stopped, asked bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stopped, q.asked
}
