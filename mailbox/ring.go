package mailbox

import (
	"sync/atomic"
	"unsafe"
)

const (
	// ringSize is how many bytes a Ring takes. Those that a stream has gone through
	// stay resident, up to all of them. There is room for a full mailbox (DefaultMessages) of small ones.
	ringSize = 512 << 10
	ringMask = ringSize - 1

	// ringStep is how much is copied before the other side is told: both are at work then, and do
	// not wait for each other.
	ringStep = 32 << 10

	// ringRestart is how far a ring is used before it begins anew when it is empty.
	// So an exchange of small messages stays in its first page.
	ringRestart = 2 << 10
)

const (
	cacheLine     = 64
	prefetchLimit = 2 << 10 // bytes; longer writes fetch as they go
)

// What stands in the pipe where a frame could begin, and is none.
const (
	// bellFrames says that the next frame is in the ring, as are all after it: from then
	// on only bells come through the pipe. It means nothing in msgpack.
	bellFrames = 0xc1
	// bellRoom says that the ring of the other direction has room again. It is
	// msgpack's nil. It cannot be a frame: if both rings were full, each would wait for the
	// other.
	bellRoom = 0xc0
)

// The words of a ring, each in a cache line of its own.
const (
	ringTail   = 0   // how many bytes were ever put in
	ringOrigin = 8   // where the writer has last begun anew
	ringShort  = 16  // 1: the writer wants to be told when there is room
	ringHead   = 64  // how many bytes were ever taken out
	ringAsleep = 128 // whether the reader wants to be woken by a bell: for any frame, or what is said below
	ringWanted = 136 // 1: the writer wants to be told what is finished; beside what is seldom stored
	ringWords  = 192
)

// What ringAsleep says.
const (
	ringAwake = 0 // no bell: the reader looks
	ringSleep = 1 // a bell for anything
	ringBusy  = 2 // the reader looks when it has handled what it has: a bell for what must not wait so long
)

// A Ring is a pipe's bytes in shared memory: of one [Writer], for one [Reader] in another
// process, in one direction. A pipe goes with it, for the first frames, for the bell that
// wakes a reader, and for the end. It is a part of a [Page].
//
// A pipe costs a system call on each side for each message; where a waiting
// reader looks again and again, a ring costs none. What was put into it survives the
// writer's death, as what was written to a pipe does.
//
// Neither side believes the other's words more than that they move within bounds.
type Ring struct {
	words []byte
	data  []byte
}

func (r *Ring) word(offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&r.words[offset]))
}

// Wanted reports whether frames wait for room, so that the Writer is to be told what is finished, by Release. Else it
// finds out by itself when it needs to. Who asks may just miss it: the Writer looks again after a while.
func (r *Ring) Wanted() bool { return r.word(ringWanted).Load() != 0 }

// publish sets a word before a look at one of the other side's, which does the same the other way round: of two that
// meet, one at least must see the other. So there must be no look ahead of the store. Store sees to that as well, but not under the
// race detector: in memory that is not Go's it is only a release there. On amd64 both are the same instruction.
func publish(word *atomic.Uint64, v uint64) { word.Swap(v) }

// ringWriter is the writing side of a Ring.
type ringWriter struct {
	tail, origin, short, wanted *atomic.Uint64 // written here
	head, asleep                *atomic.Uint64 // written there

	data []byte
	at   uint64 // tail
	seen uint64 // head, as last looked at
	look uint64 // from where on it is time to see whether the ring is empty
}

func newRingWriter(r *Ring) *ringWriter {
	return &ringWriter{
		tail: r.word(ringTail), origin: r.word(ringOrigin), short: r.word(ringShort), wanted: r.word(ringWanted),
		head: r.word(ringHead), asleep: r.word(ringAsleep),
		data: r.data,
		look: ringRestart,
	}
}

// write puts in what fits, and says how much that was.
func (w *ringWriter) write(b []byte) (int, error) {
	if w.at >= w.look { // seldom: the look costs a cache line that the reader has just written
		if err := w.refresh(); err != nil {
			return 0, err
		}
		w.restart()
	}
	if ringSize-int(w.at-w.seen) < len(b) {
		if err := w.refresh(); err != nil {
			return 0, err
		}
	}
	n := min(len(b), ringSize-int(w.at-w.seen))
	for b = b[:n]; len(b) > 0; {
		step := b[:min(len(b), ringStep)]
		first := copy(w.data[w.at&ringMask:], step)
		copy(w.data, step[first:])
		w.at += uint64(len(step))
		publish(w.tail, w.at)
		b = b[len(step):]
	}
	w.prefetch(n)
	return n, nil
}

// prefetch begins to fetch the cache lines that the next write of so many bytes goes to, of what is free. The reader has
// had them last, and the next instruction that is atomic would wait for them, here or in a mutex: 50 ns for each
// message of 100 bytes.
func (w *ringWriter) prefetch(n int) {
	free := ringSize - int(w.at-w.seen)
	if n > prefetchLimit || n+cacheLine >= free {
		return
	}
	at := int(w.at+cacheLine) & ringMask
	prefetchForWrite(unsafe.Pointer(&w.data[at]), min(n, ringSize-at))
}

// refresh looks how far the reader is. After restart it may not have noticed yet.
func (w *ringWriter) refresh() error {
	head := w.head.Load()
	if head > w.at {
		return ErrRing
	}
	w.seen = max(w.seen, head)
	return nil
}

// restart goes back to the beginning of the memory, if the ring is empty.
func (w *ringWriter) restart() {
	w.look = w.at + ringRestart
	if w.seen != w.at || w.at&ringMask < ringRestart {
		return
	}
	w.at = (w.at + ringMask) &^ ringMask
	w.seen, w.look = w.at, w.at+ringRestart
	w.origin.Store(w.at) // the reader looks at it when it sees tail beyond
}

// wantRoom asks to be told when there is room; it reports false if there is already.
func (w *ringWriter) wantRoom() bool {
	publish(w.short, 1)
	if w.refresh() == nil && ringSize-int(w.at-w.seen) == 0 {
		return true
	}
	w.short.Store(0)
	return false
}

// hasRoom looks for room that is worth a write.
func (w *ringWriter) hasRoom() bool {
	return w.refresh() != nil || w.at-w.seen <= ringSize-ringStep
}

// sleeper reports whether the reader wants a bell, which one that is busy does only for what is
// urgent, and mustWake whether it is for the caller to ring it.
func (w *ringWriter) sleeper(urgent bool) bool {
	state := w.asleep.Load()
	return state != ringAwake && (urgent || state != ringBusy)
}
func (w *ringWriter) mustWake() bool { return w.asleep.Swap(ringAwake) != ringAwake }

// ringReader is the reading side of a Ring.
type ringReader struct {
	tail, origin, short *atomic.Uint64 // written there
	head, asleep        *atomic.Uint64 // written here
	data                []byte
	at                  uint64 // head
	seen                uint64 // tail, as last looked at
}

func newRingReader(r *Ring) *ringReader {
	return &ringReader{
		tail: r.word(ringTail), origin: r.word(ringOrigin), short: r.word(ringShort),
		head: r.word(ringHead), asleep: r.word(ringAsleep),
		data: r.data,
	}
}

// refresh looks how much there is.
func (q *ringReader) refresh() error {
	tail := q.tail.Load()
	if tail == q.seen {
		return nil
	}
	at := q.at
	if origin := q.origin.Load(); origin > at {
		at = origin // the writer has begun anew; all before was taken out
	}
	if at&ringMask != 0 && at != q.at || tail < at || tail-at > ringSize {
		return ErrRing
	}
	q.at, q.seen = at, tail
	return nil
}

// available is how many bytes can be taken out now.
func (q *ringReader) available() (int, error) {
	if q.seen == q.at {
		if err := q.refresh(); err != nil {
			return 0, err
		}
	}
	return int(q.seen - q.at), nil
}

// read takes out what there is, as far as it fits.
func (q *ringReader) read(b []byte) (int, error) {
	n, err := q.available()
	if n == 0 || err != nil {
		return 0, err
	}
	n = min(n, len(b))
	for b = b[:n]; len(b) > 0; {
		step := b[:min(len(b), ringStep)]
		first := copy(step, q.data[q.at&ringMask:])
		copy(step[first:], q.data)
		q.at += uint64(len(step))
		publish(q.head, q.at)
		b = b[len(step):]
	}
	return n, nil
}

// oweRoom reports whether the writer waits for room and there is much of it, so that the
// caller must tell it.
func (q *ringReader) oweRoom() bool {
	return q.short.Load() != 0 && q.seen-q.at <= ringSize/2 && q.short.Swap(0) != 0
}

// sleep asks for a bell when more comes, busy only when that is urgent, and wake takes it back.
// Whoever calls sleep or busy looks once more before it does something else.
func (q *ringReader) sleep() { publish(q.asleep, ringSleep) }
func (q *ringReader) busy()  { publish(q.asleep, ringBusy) }
func (q *ringReader) wake()  { q.asleep.Store(ringAwake) }
