package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// What the zero fields of Capacity and WriterConfig mean, and other sizes in bytes.
const (
	DefaultMessages     = 4096
	DefaultBytes        = 32 << 20
	DefaultControlBytes = 64 << 20

	// AdoptSize is the size from which a frame is adopted instead of copied.
	AdoptSize = largeSegment
)

// Capacity bounds the counted frames a Writer holds. It takes one while it holds
// fewer than Messages frames and fewer than Bytes bytes, so that Bytes may be
// exceeded by one frame, and a frame of any size gets through an empty Writer.
type Capacity struct {
	Messages int // zero means DefaultMessages
	Bytes    int // zero means DefaultBytes
}

// WriterConfig is how a Writer is to work. The zero value is useful.
type WriterConfig struct {
	Capacity Capacity

	// Retain keeps each counted frame until Release says that the reader has
	// finished with it. Without it, a frame is held until it is written.
	Retain bool

	// Progress, if not nil, returns how many counted frames the reader has finished
	// since the start, as Release would be told; it must be quick and never block. It is
	// asked by Put and TryPut when room or memory is short, by Depth and by Abandon. It
	// wakes nobody by itself: those who wait need a Release. Only with Retain, and
	// only of the file given to NewWriter: Attach has its own.
	Progress func() uint64

	// Ring goes with the file given to NewWriter, as Attach says.
	Ring *Ring

	// Trust tells that the reader is honest: see Reader.Trust.
	Trust bool

	// Broken, if not nil, is called when a write has failed, with the *PipeError: the reader of that attachment
	// (see Attach; the file given to NewWriter is number 1) has closed the
	// pipe. It is called like the admitted of Enqueue, by whoever wrote.
	Broken func(attachment uint64, err error)

	// ControlBytes bounds the control frames that are not yet written; zero
	// means DefaultControlBytes.
	ControlBytes int
}

// Writer is the sending end of a pipe, or of one pipe after another (Attach, Detach).
// All its methods are safe for concurrent use.
//
// A frame is a complete one, as codec.AppendFrame gives it: the Writer neither adds
// nor checks anything. It is the caller's again when the call returns, except
// that a frame of AdoptSize bytes or more is adopted if the call succeeds: then
// the caller must not touch it again.
type Writer struct {
	cfg WriterConfig

	life     sync.Mutex // serializes Attach, Detach, Return, Filter, Held and Close; protects the following
	file     *os.File   // nil without a reader
	closeErr error

	sink sink // of file; used by who is writing, replaced while nobody can be

	drainer sync.WaitGroup // the drain goroutine

	unwritten atomic.Int64 // stream.unwritten when mu was last released, for a glance without it

	mu sync.Mutex // protects the following; never held during a callback, or a write but a small one to a ring

	// writing is the role of who is writing to the pipe. Whoever finds it taken knows: that one will look for more
	// work before giving it back. Only Close and Detach wait for it, with leaving set, for left.
	writing, leaving bool
	left             chan struct{}

	stream     stream
	waiting    waiterQueue
	recheck    *time.Timer // runs while frames wait for room; nil if it does not
	flushes    []*flush
	callbacks  []func() // of frames admitted: due as soon as mu is released
	progress   func() uint64
	offered    uint64 // counted frames ever given to write(2), whole: the reader may have them
	draining   bool   // the drain goroutine lives
	full       bool   // the last write found the pipe, or the ring, full
	changing   bool   // the pipe is just being left for the ring
	nudging    bool   // a bell for room is due in the pipe beside a ring
	wanting    bool   // the reader is to tell what it finishes
	streak     int    // writes in a row that followed closely upon the one before
	lastWrite  time.Duration
	attachment uint64 // the last one, that of file if there is one
	lasting    bool   // it outlives its readers: err is no reason to refuse a counted frame
	closed     bool
	err        error // why nobody writes: *PipeError or ErrDetached
}

// NewWriter returns a Writer to f, the write end of a pipe in nonblocking mode, and
// takes ownership of f.
//
// If f is nil, the Writer has no reader until Attach, and outlives each that it has:
// it takes in counted frames within its capacity, and nobody's wait ends, whether it is
// attached, detached, or the pipe is broken and Detach has not been called yet.
func NewWriter(f *os.File, cfg WriterConfig) *Writer {
	if cfg.Capacity.Messages <= 0 {
		cfg.Capacity.Messages = DefaultMessages
	}
	if cfg.Capacity.Bytes <= 0 {
		cfg.Capacity.Bytes = DefaultBytes
	}
	if cfg.ControlBytes <= 0 {
		cfg.ControlBytes = DefaultControlBytes
	}
	w := &Writer{cfg: cfg, lasting: f == nil, err: ErrDetached}
	if f != nil {
		w.connectLocked(f, nil, cfg.Progress, cfg.Ring)
	}
	return w
}

// Put sends a counted frame. If there is no room, it waits for its turn until ctx is
// done; the error then wraps context.Cause(ctx), and nothing of the frame was or
// will be sent.
func (w *Writer) Put(ctx context.Context, frame []byte) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mailbox: put: %w", context.Cause(ctx))
	}
	w.mu.Lock()
	ok, err := w.tryPutLocked(frame)
	if ok || err != nil {
		w.dispatch()
		return err
	}
	wt := &waiter{frame: frame, ready: make(chan struct{})}
	look := w.progress != nil && w.waiting.first == nil && runtime.NumCPU() > 1 && runtime.GOMAXPROCS(0) > 1
	w.awaitLocked(wt, look)
	w.dispatch()
	if look {
		if err := w.look(wt); err != nil {
			return err
		}
	}
	select {
	case <-wt.ready:
		return wt.err
	case <-ctx.Done():
		return w.giveUp(ctx, wt)
	}
}

// giveUp takes a waiter out of the queue, unless it has got what it waited for.
func (w *Writer) giveUp(ctx context.Context, wt *waiter) error {
	w.mu.Lock()
	if !wt.queued {
		w.mu.Unlock()
		return wt.err
	}
	w.waiting.remove(wt)
	w.admitLocked() // a Force may have stood behind it
	w.dispatch()
	return fmt.Errorf("mailbox: put: no room: %w", context.Cause(ctx))
}

// TryPut sends a counted frame if there is room and nobody waits for it, else it returns
// ErrFull. It never blocks.
func (w *Writer) TryPut(frame []byte) error {
	w.mu.Lock()
	ok, err := w.tryPutLocked(frame)
	w.dispatch()
	if !ok && err == nil {
		return ErrFull
	}
	return err
}

// Enqueue sends a counted frame without ever blocking: if there is no room, or others
// wait for it, a copy of it takes its place in their queue. When the frame is taken
// in, admitted is called unless it is nil, before Enqueue returns if that is at once. It
// is called by whichever goroutine made room; it may call other methods of the Writer, but
// must not block, nor call Attach, Detach, Return, Filter, Held or Close. Should the Writer break or be
// closed first, it is never called, and the frame is for Abandon. The queue has no bound:
// the caller limits what it lets wait.
func (w *Writer) Enqueue(frame []byte, admitted func()) error {
	w.mu.Lock()
	ok, err := w.tryPutLocked(frame)
	if !ok && err == nil {
		w.awaitLocked(&waiter{frame: keep(frame), admitted: admitted}, false)
	}
	w.dispatch()
	if ok && admitted != nil {
		admitted()
	}
	return err
}

// Force sends a counted frame whatever the capacity: it waits behind those who wait
// for room, but not for room itself. It never blocks.
func (w *Writer) Force(frame []byte) error {
	w.mu.Lock()
	err := checkFrame(frame, w.refusalLocked())
	switch {
	case err != nil:
	case w.waiting.first == nil:
		w.takeLocked(frame)
	default:
		w.awaitLocked(&waiter{frame: keep(frame), force: true}, false)
	}
	w.dispatch()
	return err
}

// Push sends a control frame: not counted, never held, never waiting. It overtakes those
// who wait for room, nothing else. If with it more than ControlBytes of control
// frames were unwritten, it returns ErrFull; a single one is always taken. It is meant for
// the reader there is: without one it returns ErrDetached, and what a dead reader has
// not been given, its successor never gets.
func (w *Writer) Push(frame []byte) error {
	w.mu.Lock()
	return w.push(frame, w.brokenLocked(), w.cfg.ControlBytes)
}

// PushTo is Push to the reader of one attachment, as Attach has numbered it. If another
// one is attached, or none, it returns ErrDetached: a frame that was meant for a dead
// reader does not reach its successor. After Close it returns an error that wraps
// os.ErrClosed, whatever the attachment.
func (w *Writer) PushTo(attachment uint64, frame []byte) error {
	return w.pushTo(attachment, frame, w.cfg.ControlBytes)
}

// UrgeTo is PushTo for what must not be lost: it returns ErrFull only when twice
// ControlBytes are unwritten.
func (w *Writer) UrgeTo(attachment uint64, frame []byte) error {
	return w.pushTo(attachment, frame, 2*w.cfg.ControlBytes)
}

func (w *Writer) pushTo(attachment uint64, frame []byte, limit int) error {
	w.mu.Lock()
	refusal := w.brokenLocked()
	if attachment != w.attachment && !w.closed {
		refusal = ErrDetached
	}
	return w.push(frame, refusal, limit)
}

// push takes a control frame in, given what speaks against any. It is called with mu held
// and releases it.
func (w *Writer) push(frame []byte, refusal error, limit int) error {
	err := checkFrame(frame, refusal)
	switch control := w.stream.control; {
	case err != nil:
	case control > 0 && control+len(frame) > limit:
		err = ErrFull
	default:
		s, _ := w.stream.append(frame, w.draining)
		s.control += len(frame)
		s.own = true
		w.stream.control += len(frame)
	}
	w.dispatch()
	return err
}

// Depth says how many counted frames, of how many bytes, the Writer holds. Those that
// wait for room are not among them.
func (w *Writer) Depth() (messages, bytes int) {
	w.mu.Lock()
	if w.refusalLocked() == nil {
		_ = w.pullLocked() // a lying reader is Put's to report
	}
	messages, bytes = w.stream.held.n, w.stream.held.bytes
	w.dispatch()
	return messages, bytes
}

// Waiting says how many counted frames wait for room.
func (w *Writer) Waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting.n
}

// keep returns a copy of frame, or frame itself if it is adopted.
func keep(frame []byte) []byte {
	if len(frame) >= AdoptSize {
		return frame
	}
	return bytes.Clone(frame)
}

// brokenLocked is why nothing can be written; nil if it can.
func (w *Writer) brokenLocked() error {
	if w.closed {
		return fmt.Errorf("mailbox: write pipe: %w", os.ErrClosed)
	}
	return w.err
}

// refusalLocked is why no counted frame is taken in; nil if it depends on room.
func (w *Writer) refusalLocked() error {
	if w.lasting && !w.closed {
		return nil
	}
	return w.brokenLocked()
}

// checkFrame is why frame is not taken in, given what speaks against any.
func checkFrame(frame []byte, refusal error) error {
	if refusal == nil && len(frame) == 0 {
		return errEmpty
	}
	return refusal
}

// tryPutLocked takes a counted frame in if there is room and nobody waits.
func (w *Writer) tryPutLocked(frame []byte) (ok bool, err error) {
	if err := checkFrame(frame, w.refusalLocked()); err != nil {
		return false, err
	}
	if w.progress != nil && w.shortLocked(len(frame)) {
		if err := w.pullLocked(); err != nil {
			return false, err
		}
	}
	if w.waiting.first != nil || !w.hasRoomLocked() {
		return false, nil
	}
	w.takeLocked(frame)
	return true, nil
}

func (w *Writer) hasRoomLocked() bool {
	return w.stream.held.n < w.cfg.Capacity.Messages && w.stream.held.bytes < w.cfg.Capacity.Bytes
}

// shortLocked says whether it is worth a look at the shared page: a frame is
// about to cost a wait or another segment. Else the look would cost each Put a
// cache line that the reader has just written.
func (w *Writer) shortLocked(size int) bool {
	return !w.hasRoomLocked() || w.stream.tail == nil || w.stream.tail.room() < size
}

// takeLocked takes a counted frame in.
func (w *Writer) takeLocked(frame []byte) {
	w.stream.take(frame, w.draining)
}

// unlock releases mu, then calls what became due under it.
func (w *Writer) unlock() {
	due := w.callbacks
	w.callbacks = nil
	if n := int64(w.stream.unwritten()); n != w.unwritten.Load() { // an atomic store costs as much as all else here
		w.unwritten.Store(n)
	}
	w.mu.Unlock()
	for _, admitted := range due {
		admitted()
	}
}
