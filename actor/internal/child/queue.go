package child

import (
	"sync"
	"sync/atomic"
)

// chunkSize is how much the queue copies messages into at a time.
const chunkSize = 32 << 10

// A queue holds the messages that were read and not yet begun, as they came: who
// decodes them is the worker. Its bound is the node's, which never sends more
// than the mailbox's capacity.
type queue struct {
	wake chan struct{} // one token when there may be something to do
	end  atomic.Int32  // whether anything further is to be begun

	mu    sync.Mutex // protects the following
	items []item
	chunk []byte
}

// item is the content of one frame.
type item struct {
	content []byte
	ask     *ask // nil for a Tell
}

// The values of a queue's end. The first word counts.
const (
	working int32 = iota
	stopped       // by the actor itself
	stoppedByNode
)

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// push takes a message in. Unless owned, its bytes are still the reader's.
func (q *queue) push(m item, owned bool) {
	q.mu.Lock()
	if !owned {
		m.content = q.copy(m.content)
	}
	q.items = append(q.items, m)
	first := len(q.items) == 1
	q.mu.Unlock()
	if first {
		q.signal()
	}
}

// copy puts b into the current chunk. A chunk is freed when the last message
// in it is.
func (q *queue) copy(b []byte) []byte {
	if len(b) > cap(q.chunk)-len(q.chunk) {
		q.chunk = make([]byte, 0, max(chunkSize, len(b)))
	}
	start := len(q.chunk)
	q.chunk = append(q.chunk, b...)
	return q.chunk[start:len(q.chunk):len(q.chunk)]
}

// stop says that nothing further is to be begun.
func (q *queue) stop(by int32) {
	q.end.CompareAndSwap(working, by)
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for messages and returns all there are, in the memory of spent,
// or false when it is to stop.
func (q *queue) next(spent []item) (batch []item, ok bool) {
	for {
		if q.end.Load() != working {
			return nil, false
		}
		q.mu.Lock()
		if len(q.items) > 0 {
			batch, q.items = q.items, spent[:0]
			q.mu.Unlock()
			return batch, true
		}
		q.mu.Unlock()
		<-q.wake
	}
}
