package child

import (
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/mailbox"
)

// Messages that were read with few others are copied into chunks of so many bytes, each twice as large as the one before:
// many actors get few messages, and their memory is to be small. With keepFrom bytes together the queue keeps
// the memory they were read into: copying a stream of 1 KiB each took a tenth of the time.
const (
	firstChunk = 1 << 10
	maxChunk   = 32 << 10
	keepFrom   = 16 << 10
)

// A queue holds the messages that were read and not yet begun, as they came: who
// decodes them is the worker. Its bound is the node's, which never sends more
// than the mailbox's capacity.
type queue struct {
	wake chan struct{}               // one token when there may be something to do
	end  atomic.Pointer[wire.Reason] // once set, nothing further is to be begun

	// Of who reads, from the first push to filled. (Small, for the queue to fit in 160 bytes: the next size is
	// one that nothing else of an idle process has.)
	filling bool  // mu is held
	first   int32 // the first of the items that it is about
	bytes   int32 // of them

	mu    sync.Mutex // protects the following
	items []item
	chunk []byte          // of the messages in items
	kept  []mailbox.Chunk // the same
	taken memory          // of the messages taken last
}

// memory is what messages lie in.
type memory struct {
	chunk []byte
	kept  []mailbox.Chunk
}

// item is a message.
type item struct {
	frame mailbox.Frame
	ask   *ask // nil for a Tell
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// push takes a message in. Until filled, its bytes are still the reader's, and the queue is locked: for messages
// that come together once, not for each.
func (q *queue) push(f mailbox.Frame, a *ask) {
	if !q.filling {
		q.mu.Lock()
		q.filling, q.first, q.bytes = true, int32(len(q.items)), 0
	}
	if !f.Owned() {
		q.bytes += int32(len(f.Bytes))
	}
	q.items = append(q.items, item{f, a})
}

// filled ends what push has begun, if anything: what keep returns is the memory of the messages, if it is called.
func (q *queue) filled(keep func() mailbox.Chunk) {
	if !q.filling {
		return
	}
	q.filling = false
	if q.bytes >= keepFrom {
		q.kept = append(q.kept, keep())
	} else if q.bytes > 0 {
		q.copy(q.items[q.first:])
	}
	q.mu.Unlock()
	if q.first == 0 {
		q.signal()
	}
}

// copy puts messages into the current chunk. A full one is freed with the last message in it.
func (q *queue) copy(items []item) {
	for i := range items {
		f := &items[i].frame
		if f.Owned() {
			continue
		}
		if len(f.Bytes) > cap(q.chunk)-len(q.chunk) {
			q.chunk = make([]byte, 0, max(min(2*cap(q.chunk), maxChunk), firstChunk, len(f.Bytes)))
		}
		start := len(q.chunk)
		q.chunk = append(q.chunk, f.Bytes...)
		f.Bytes = q.chunk[start:len(q.chunk):len(q.chunk)]
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
// not wait. Unless something of those is kept, the memory they lie in is used again: so a stream of messages
// costs no memory but what its handler takes.
func (q *queue) take(spent []item, kept bool) (batch []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch, q.items = q.items, spent[:0]
	last := q.taken
	if kept {
		last.chunk = nil
	} else {
		for _, chunk := range last.kept {
			chunk.Free()
		}
	}
	clear(last.kept)
	q.taken = memory{q.chunk, q.kept}
	q.chunk, q.kept = last.chunk[:0], last.kept[:0]
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
