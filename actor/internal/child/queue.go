package child

import (
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/mailbox"
)

// The queue copies messages into chunks of so many bytes, each twice as large as the one before:
// many actors get few messages, and their memory is to be small.
const (
	firstChunk = 1 << 10
	maxChunk   = 32 << 10
)

// A queue holds the messages that were read and not yet begun, as they came: who
// decodes them is the worker. Its bound is the node's, which never sends more
// than the mailbox's capacity.
type queue struct {
	wake chan struct{}               // one token when there may be something to do
	end  atomic.Pointer[wire.Reason] // once set, nothing further is to be begun

	mu    sync.Mutex // protects the following
	items []item
	chunk []byte // of the messages in items
	taken []byte // of those taken last
}

// item is a message.
type item struct {
	frame mailbox.Frame
	ask   *ask // nil for a Tell
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// push takes a message in. Unless its frame is Owned, the bytes are still the reader's.
func (q *queue) push(m item) {
	q.mu.Lock()
	if !m.frame.Owned {
		m.frame.Bytes = q.copy(m.frame.Bytes)
	}
	q.items = append(q.items, m)
	first := len(q.items) == 1
	q.mu.Unlock()
	if first {
		q.signal()
	}
}

// copy puts b into the current chunk. A full one is freed with the last message in it.
func (q *queue) copy(b []byte) []byte {
	if len(b) > cap(q.chunk)-len(q.chunk) {
		q.chunk = make([]byte, 0, max(min(2*cap(q.chunk), maxChunk), firstChunk, len(b)))
	}
	start := len(q.chunk)
	q.chunk = append(q.chunk, b...)
	return q.chunk[start:len(q.chunk):len(q.chunk)]
}

// stop says that nothing further is to be begun, and why. The first word counts.
func (q *queue) stop(r wire.Reason) {
	q.end.CompareAndSwap(nil, &r)
	q.signal()
}

// stopped reports whether nothing further is to be begun.
func (q *queue) stopped() bool { return q.end.Load() != nil }

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns all messages there are, in the memory of spent, which is what it returned before. It does
// not wait. Unless something of those is kept, their chunk is used again: so a stream of messages
// costs no memory but what its handler takes.
func (q *queue) take(spent []item, kept bool) (batch []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, q.items = q.items, spent[:0]
	if kept {
		q.taken = nil
	}
	q.chunk, q.taken = q.taken[:0], q.chunk
	return batch
}

// ready reports whether there is something to do.
func (q *queue) ready() bool {
	if q.stopped() {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) > 0
}
