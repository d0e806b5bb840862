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
	maxSpare   = 8 // chunks, together what a ring holds
)

// A queue holds the messages that were read and not yet begun, as they came: who
// decodes them is the worker. Its bound is the node's, which never sends more
// than the mailbox's capacity.
type queue struct {
	wake chan struct{}               // one token when there may be something to do
	end  atomic.Pointer[wire.Reason] // once set, nothing further is to be begun

	filling bool // mu is held by push; of who reads
	idle    bool // there was nothing when that began

	mu    sync.Mutex // protects the following
	items []item
	chunk []byte   // that is being filled
	full  [][]byte // those before it, of messages in items
	taken [][]byte // of the messages taken last
	spare [][]byte // to be used again
}

// item is a message.
type item struct {
	frame mailbox.Frame
	ask   *ask // nil for a Tell
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// push takes a message in. Unless its frame is Owned, the bytes are still the reader's. From the first push to filled
// the queue is locked: for messages that come together once, not for each.
func (q *queue) push(m item) {
	if !q.filling {
		q.mu.Lock()
		q.filling, q.idle = true, len(q.items) == 0
	}
	if !m.frame.Owned {
		m.frame.Bytes = q.copy(m.frame.Bytes)
	}
	q.items = append(q.items, m)
}

// filled ends what push has begun, if anything.
func (q *queue) filled() {
	if !q.filling {
		return
	}
	q.filling = false
	q.mu.Unlock()
	if q.idle {
		q.signal()
	}
}

// copy puts b into the current chunk, or another one.
func (q *queue) copy(b []byte) []byte {
	if len(b) > cap(q.chunk)-len(q.chunk) {
		q.another(len(b))
	}
	start := len(q.chunk)
	q.chunk = append(q.chunk, b...)
	return q.chunk[start:len(q.chunk):len(q.chunk)]
}

// another begins a chunk with room for size bytes.
func (q *queue) another(size int) {
	wanted := max(min(2*cap(q.chunk), maxChunk), firstChunk, size)
	if q.chunk != nil {
		q.full, q.chunk = append(q.full, q.chunk), nil
	}
	for n := len(q.spare); n > 0 && q.chunk == nil; n-- {
		if last := q.spare[n-1]; cap(last) >= wanted {
			q.chunk = last[:0]
		}
		q.spare = q.spare[:n-1]
	}
	if q.chunk == nil {
		q.chunk = make([]byte, 0, wanted)
	}
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
// not wait. Unless something of those is kept, their chunks are used again: so a stream of messages
// costs no memory but what its handler takes (1 KiB each: 0.9 of the time).
func (q *queue) take(spent []item, kept bool) (batch []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, q.items = q.items, spent[:0]
	for _, chunk := range q.taken {
		if !kept && len(q.spare) < maxSpare {
			q.spare = append(q.spare, chunk)
		}
	}
	clear(q.taken)
	q.taken, q.full = q.full, q.taken[:0]
	if len(q.chunk) > 0 {
		q.taken, q.chunk = append(q.taken, q.chunk), nil
	}
	return batch
}

// ready reports whether there is something to do.
func (q *queue) ready() bool {
	if q.stopped() {
		return true
	}
	q.mu.Lock()
	n := len(q.items)
	q.mu.Unlock()
	return n > 0
}
