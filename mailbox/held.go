package mailbox

// Held is a counted frame that was not released.
type Held struct {
	Seq    uint64 // its number as the reader counts, from 1; 0 if it was still waiting for room
	Frame  []byte // the frame as it was given, header included
	Waited bool   // it waited for room and never was taken in

	// Admitted is what Enqueue was given for one that waited; nil if nothing.
	Admitted func()
}

// heldFrame is where a counted frame lies.
type heldFrame struct {
	seg      *segment
	off, end int
}

func (h heldFrame) bytes() []byte { return h.seg.buf[h.off:h.end:h.end] }
func (h heldFrame) size() int     { return h.end - h.off }

// written says whether all of it went into the pipe.
func (h heldFrame) written() bool { return h.seg.left || h.end <= h.seg.written }

const (
	firstRing = 4  // what a ring begins with: a reply is written at once
	smallRing = 16 // what an empty ring may keep
)

// heldRing is the queue of counted frames that are held, oldest first.
type heldRing struct {
	frames   []heldFrame // its length is a power of two
	first, n int
	bytes    int    // sum of their sizes
	taken    uint64 // counted frames that ever entered
}

// released is how many counted frames ever left.
func (r *heldRing) released() uint64 { return r.taken - uint64(r.n) }

func (r *heldRing) at(i int) *heldFrame { return &r.frames[(r.first+i)&(len(r.frames)-1)] }

func (r *heldRing) push(h heldFrame) {
	if r.n == len(r.frames) {
		grown := make([]heldFrame, max(firstRing, 2*len(r.frames)))
		for i := range r.n {
			grown[i] = *r.at(i)
		}
		r.frames, r.first = grown, 0
	}
	r.n++
	r.taken++
	*r.at(r.n - 1) = h
	r.bytes += h.size()
	h.seg.held++
	h.seg.bytes += h.size()
	h.seg.last = r.taken
}

// pop forgets the oldest frame, and its segment if that was the last.
func (r *heldRing) pop() {
	h := r.at(0)
	s := h.seg
	s.held--
	s.bytes -= h.size()
	r.bytes -= h.size()
	*h = heldFrame{}
	r.first = (r.first + 1) & (len(r.frames) - 1)
	r.n--
	if r.n == 0 && len(r.frames) > smallRing {
		r.frames, r.first = nil, 0
	}
	s.reuse()
}

// compact moves the frames of s to memory of just their size.
func (r *heldRing) compact(s *segment) {
	to := &segment{buf: make([]byte, 0, s.bytes), held: s.held, bytes: s.bytes, left: true}
	end := r.n - int(r.taken-s.last)
	for i := end - s.held; i < end; i++ {
		h := r.at(i)
		off := len(to.buf)
		to.buf = append(to.buf, h.bytes()...)
		*h = heldFrame{to, off, len(to.buf)}
	}
	s.held, s.bytes = 0, 0
}
