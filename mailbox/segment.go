package mailbox

import "sync"

const (
	smallSegment = 4 << 10
	largeSegment = 64 << 10 // also the usual capacity of a pipe: more does not fit into one write

	// sparse is what part of a segment must be held for it to be kept as it is.
	sparse = 4
)

// segment is memory that frames are appended to and written from. A written
// segment lives on while counted frames in it are held.
type segment struct {
	buf     []byte     // filled within its capacity only: it must not move under a write
	pool    *sync.Pool // where it came from; nil for an adopted frame
	written int        // bytes of buf that are in the pipe
	held    int        // counted frames in buf that have not been released
	bytes   int        // the sum of their sizes
	control int        // bytes of control frames, until all of buf is written
	last    uint64     // the sequence number of the last counted frame in buf; 0 if none
	left    bool       // it is no longer part of the stream
	adopted []byte     // an adopted frame with all its memory
	own     bool       // nobody else will want that
	next    *segment
}

var (
	smallSegments = sync.Pool{New: func() any { return &segment{buf: make([]byte, 0, smallSegment)} }}
	largeSegments = sync.Pool{New: func() any { return &segment{buf: make([]byte, 0, largeSegment)} }}
)

func newSegment(pool *sync.Pool) *segment {
	s := pool.Get().(*segment)
	s.pool = pool
	return s
}

// adopt makes a segment of a frame as it is.
func adopt(frame []byte) *segment {
	return &segment{buf: frame[:len(frame):len(frame)], adopted: frame}
}

func (s *segment) room() int      { return cap(s.buf) - len(s.buf) }
func (s *segment) finished() bool { return s.written == len(s.buf) }

// reuse gives the memory back when neither the stream nor a held frame needs it.
func (s *segment) reuse() {
	if s.held > 0 || !s.left {
		return
	}
	if s.pool == nil {
		if s.own && s.adopted != nil {
			putLarge(s.adopted)
			s.buf, s.adopted = nil, nil
		}
		return
	}
	pool := s.pool
	*s = segment{buf: s.buf[:0]}
	pool.Put(s)
}

// stream is the queue of segments on their way into the pipe. If anything in it is
// unwritten, then head has unwritten bytes.
type stream struct {
	head, tail *segment // head is being written, tail appended to
	appended   uint64   // bytes that ever entered
	written    uint64   // bytes that ever left
	control    int      // bytes of control frames in segments that are not all written
	held       heldRing // counted frames in the stream or past it
}

func (q *stream) unwritten() int { return int(q.appended - q.written) }

// append takes a frame in and says where it lies. hot asks for a large segment.
func (q *stream) append(frame []byte, hot bool) (s *segment, off int) {
	q.appended += uint64(len(frame))
	if len(frame) >= AdoptSize {
		s = adopt(frame)
		q.link(s)
		return s, 0
	}
	if q.tail == nil || q.tail.room() < len(frame) {
		pool := &smallSegments
		if hot || q.tail != nil || len(frame) > smallSegment {
			pool = &largeSegments
		}
		q.link(newSegment(pool))
	}
	s = q.tail
	off = len(s.buf)
	s.buf = append(s.buf, frame...)
	return s, off
}

// take takes a counted frame in.
func (q *stream) take(frame []byte, hot bool) {
	s, off := q.append(frame, hot)
	q.held.push(heldFrame{s, off, off + len(frame)})
}

func (q *stream) link(s *segment) {
	switch old := q.tail; {
	case old == nil:
		q.head = s
	case old.finished(): // then it is head as well
		q.head = s
		q.leave(old)
	default:
		old.next = s
	}
	q.tail = s
}

// settle follows a write from head: it moves on if head is all written.
func (q *stream) settle() {
	s := q.head
	if !s.finished() {
		return
	}
	q.control -= s.control
	s.control = 0
	if s.next != nil {
		q.head = s.next
		q.leave(s)
		return
	}
	q.trim()
}

// trim gives up the last segment when nothing needs it.
func (q *stream) trim() {
	if s := q.tail; s != nil && s == q.head && s.finished() && s.held == 0 {
		q.head, q.tail = nil, nil
		q.leave(s)
	}
}

// leave takes s out of the stream. If few of its bytes are held, they move, for else
// a few small frames among many control frames would keep whole segments.
func (q *stream) leave(s *segment) {
	s.left, s.next = true, nil
	if s.held > 0 && s.pool != nil && s.bytes < cap(s.buf)/sparse {
		q.held.compact(s)
	}
	s.reuse()
}

// dropWritten releases the held frames of the head that are written.
func (q *stream) dropWritten() {
	for s := q.head; q.held.n > 0; {
		if h := q.held.at(0); h.seg != s || h.end > s.written {
			return
		}
		q.held.pop()
	}
}
