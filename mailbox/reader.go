package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/codec"
)

// bufferSize is what a Reader reads at once at most, in bytes: the usual capacity of a pipe.
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Frame is what Next returns. It is to stay at 32 bytes: the compiler holds that in registers. With 56 it went through the stack
// from call to call, which cost a small message 20 ns.
type Frame struct {
	Bytes  []byte  // the frame's content, without its header
	memory *[]byte // all of it, if Owned
}

// Owned reports whether Bytes is the caller's to keep; else it is valid until the next call of Next (but see Keep).
func (f Frame) Owned() bool { return f.memory != nil }

// Recycle gives the memory of a frame that is Owned to others; the caller keeps nothing of it.
// Otherwise it does nothing. Not to call it is no mistake.
func (f Frame) Recycle() {
	if f.memory != nil {
		putLarge(*f.memory)
	}
}

// Reader is the receiving end of a pipe. One goroutine at a time may call Next and
// Ready, or Serve; Assist, Drain and Close are safe from any.
type Reader struct {
	limit int
	src   source

	// Of the goroutine that calls Next.
	buf      []byte            // what was read and is not returned is buf[pos:end]; nil if nothing
	pooled   *[bufferSize]byte // the memory of buf; nil if it is a large frame's own
	pos, end int
	need     int   // how many bytes the next frame has, header included; 0 if not known
	err      error // final

	ring    *ringReader // nil if there is none
	back    *Writer     // of the other direction
	ringing bool        // frames come by the ring, and only bells by the pipe
	reads   int         // of the ring since the last look at the pipe

	// With Serve: turn is held by whoever reads and handles, and protects all of the above.
	turn    sync.Mutex
	handle  func(Frame) error
	between func() error     // see Between; never nil
	look    func(fd uintptr) // of Poll, made once
	polling polling
	eager   bool
	crowd   int         // while it is not 0, several frames are expected at once
	lingers atomic.Bool // Serve looks for more by itself

	draining atomic.Bool
	budget   atomic.Int64  // while draining: how many bytes may still be read from the pipe
	last     atomic.Uint64 // while draining: the ring's position behind the last byte to be read
	closed   atomic.Bool
}

// NewReader returns a Reader from f, the read end of a pipe in nonblocking mode, and takes
// ownership of f. limit is the most bytes a frame's content may have.
func NewReader(f *os.File, limit int) *Reader {
	r := &Reader{limit: limit, between: func() error { return nil }}
	r.src.init(f, r.space, r.rest)
	return r
}

// Trust tells that the Writer is honest: memory for a large frame is taken at its word, at
// once, and system calls are made without telling Go's scheduler, which is cheaper. It lets no
// other goroutine of the thread run for as long as a call takes, and a process that means harm can
// make one on a pipe that is also its own last (write(2) from memory whose page fault it
// delays). Call it before Next and Serve.
func (r *Reader) Trust() { r.src.trust = true }

// Linger tells that many wait for the frames, and that it pays to look for more for some
// microseconds when several have come at once. Call it before Serve.
func (r *Reader) Linger() { r.eager = true }

// Lingers reports whether Serve looks for more by itself just now, so that Poll would not.
func (r *Reader) Lingers() bool { return r.lingers.Load() }

// UseRing tells where frames are when the other process's Writer no longer puts them into the
// pipe, and which Writer is the one back to that process: what is to be said of the two
// rings' room, they say to each other. It is to be called before Serve; to Next such a Writer
// is none.
func (r *Reader) UseRing(ring *Ring, back *Writer) {
	r.ring, r.back = newRingReader(ring), back
}

// A Chunk is memory of frames that somebody keeps. The zero Chunk is none.
type Chunk struct{ memory *[bufferSize]byte }

// Free gives the memory up: the frames in it are valid no longer. It is to be called once at most. Not to call it is no mistake.
func (c Chunk) Free() {
	if c.memory != nil {
		buffers.Put(c.memory)
	}
}

// Keep makes the frames that were just handled, and are not Owned, valid beyond the next: they lie in the Chunk, which is
// 64 KiB however many they are. It is for done of Between.
func (r *Reader) Keep() Chunk {
	if r.pooled == nil {
		return Chunk{}
	}
	kept, rest := Chunk{r.pooled}, r.buf[r.pos:r.end]
	r.buf, r.pooled, r.pos, r.end = nil, nil, 0, 0
	if len(rest) > 0 {
		r.renew()
		r.end = copy(r.buf, rest)
	}
	return kept
}

// renew begins a buffer.
func (r *Reader) renew() {
	r.pooled = buffers.Get().(*[bufferSize]byte)
	r.buf, r.pos, r.end = r.pooled[:], 0, 0
}

// Between has done called whenever Serve or Poll has handled all the frames that it read at once, before
// it reads again, waits, or lets others read. An error of done ends Serve as one of handle does. Call it before Serve.
func (r *Reader) Between(done func() error) { r.between = done }

// Next returns the next frame. It waits for it in the poller, until Drain or Close.
// Errors are final:
//
//   - io.EOF: all writers have closed the pipe, after a whole frame or before any
//   - *TruncatedError: the same, within a frame
//   - *codec.LimitError, *codec.MalformedError: what came is no frame
//   - *PipeError: read(2) failed
//   - one that wraps os.ErrClosed: Close was called
func (r *Reader) Next() (Frame, error) {
	for r.err == nil {
		if r.closed.Load() {
			r.err = errReadClosed
			break
		}
		if f, ok := r.parse(); ok {
			return f, nil
		}
		if r.err == nil {
			r.fill()
		}
	}
	r.drop()
	return Frame{}, r.err
}

var errReadClosed = fmt.Errorf("mailbox: read pipe: %w", os.ErrClosed)

// parse takes the frame at the head of the buffer, if it is all there.
func (r *Reader) parse() (Frame, bool) {
	if r.pos == r.end {
		return Frame{}, false
	}
	if r.buf[r.pos]&^1 == bellRoom && r.ring != nil && r.handle != nil && !r.bell() {
		return Frame{}, false
	}
	content, n, need, err := codec.Split(r.buf[r.pos:r.end], r.limit)
	if n == 0 {
		r.err, r.need = err, need
		return Frame{}, false
	}
	return r.take(content, n), true
}

// Ready says whether the next call of Next returns without a system call.
func (r *Reader) Ready() bool {
	if r.err != nil || r.closed.Load() {
		return true
	}
	if r.pos == r.end {
		return false
	}
	_, n, _, err := codec.Split(r.buf[r.pos:r.end], r.limit)
	return n > 0 || err != nil
}

// Drain says that the process at the other end has exited. Next then returns what the
// pipe holds at this moment, and instead of waiting for more io.EOF or
// *TruncatedError, even if somebody else still has the pipe open for writing, and
// writes. A Next that waits is woken.
func (r *Reader) Drain() {
	// What is in the pipe now is a bound: whatever the process wrote is in there or
	// has been read. A concurrent Next may read some of it before it sees the
	// budget; then it reads that much more of what others write, and no harm is done.
	r.budget.Store(int64(r.src.pending()))
	if r.ring != nil {
		r.last.Store(r.ring.tail.Load())
	}
	r.draining.Store(true)
	r.src.interrupt()
}

// Close closes the pipe and wakes Next. Closing again does nothing.
func (r *Reader) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	return r.src.file.Close()
}

// bell deals with the bells at the head of the buffer; it reports whether a frame may follow.
func (r *Reader) bell() bool {
	for ; r.pos < r.end; r.pos++ {
		switch r.buf[r.pos] {
		case bellRoom:
			r.back.resume()
		case bellFrames:
			if r.ringing { // there it is no bell
				return true
			}
			r.ringing = true
			if bytes.IndexByte(r.buf[r.pos:r.end], bellRoom) >= 0 {
				r.back.resume()
			}
			r.pos = r.end // only bells follow
			return false
		default:
			return true
		}
	}
	return false
}

// take returns the frame at the head of the buffer.
func (r *Reader) take(content []byte, n int) Frame {
	r.pos += n
	r.need = 0
	if r.pooled != nil {
		return Frame{Bytes: content}
	}
	f := Frame{Bytes: content, memory: new(r.buf)}
	r.buf, r.pos, r.end = nil, 0, 0
	return f
}

// fill reads once, or sets err.
func (r *Reader) fill() {
	draining := r.draining.Load()
	if draining && r.budget.Load() <= 0 {
		r.finish()
		return
	}
	n, err := r.src.read(!draining)
	if n > 0 {
		r.end += n
		if draining {
			r.budget.Add(-int64(n))
		}
		return
	}
	switch {
	case r.closed.Load(): // Next tells
	case err == nil, draining && err == errWouldBlock:
		r.finish()
	case r.draining.Load() && errors.Is(err, os.ErrDeadlineExceeded): // woken: once more, without waiting
	default:
		r.err = &PipeError{Op: "read", Err: err}
	}
}

// finish sets err to what the end of the pipe means here.
func (r *Reader) finish() {
	if r.pos == r.end {
		r.err = io.EOF
		return
	}
	r.err = &TruncatedError{Bytes: r.end - r.pos}
}

// space returns where the next bytes are to go, and is never empty.
func (r *Reader) space() []byte {
	switch {
	case r.buf == nil:
		r.renew()
	case r.pos == r.end:
		r.pos, r.end = 0, 0
	case r.need > len(r.buf):
		r.grow()
	case r.end == len(r.buf) || r.pos+r.need > len(r.buf):
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.pos = 0
	}
	free := r.buf[r.end:]
	if r.draining.Load() && !r.ringing {
		free = free[:min(int64(len(free)), max(r.budget.Load(), 1))]
	}
	return free
}

// grow gives a large frame a buffer of its own, or a larger one when that is full. It has
// four times what has come, so that a length that lies costs nothing and copying stays
// rare, and never more than the frame needs, so that the next frame does not get in. Of a
// Writer that is trusted it has all at once.
func (r *Reader) grow() {
	if r.pooled == nil && r.end < len(r.buf) {
		return
	}
	have := r.buf[r.pos:r.end]
	size := r.need
	if !r.src.trust {
		size = min(size, 4*max(len(have), bufferSize))
	}
	own := getLarge(size)[:size]
	n := copy(own, have)
	if r.pooled == nil {
		putLarge(r.buf)
	}
	r.drop()
	r.buf, r.pos, r.end = own, 0, n
}

// rest gives the buffer back when a wait begins and nothing is in it.
func (r *Reader) rest() {
	if r.pos == r.end {
		r.drop()
	}
}

func (r *Reader) drop() {
	if r.pooled != nil {
		buffers.Put(r.pooled)
	}
	r.buf, r.pooled, r.pos, r.end = nil, nil, 0, 0
}
