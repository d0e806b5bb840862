package mailbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// Stream is the receiving end of a pipe without frames: what a process prints.
// One goroutine at a time may call Read; Drain and Close are safe from any.
type Stream struct {
	src      source
	space    []byte // of the Read under way
	draining atomic.Bool
	budget   atomic.Int64 // while draining: how many bytes may still be read
	closed   atomic.Bool
}

// NewStream returns a Stream from f, the read end of a pipe in nonblocking mode,
// and takes ownership of f.
func NewStream(f *os.File) *Stream {
	s := new(Stream)
	s.src.init(f, func() []byte { return s.space }, func() {})
	return s
}

// Read reads what there is, waiting for it in the poller until Drain or Close. It
// returns io.EOF when all writers have closed the pipe, and when it is drained.
func (s *Stream) Read(p []byte) (int, error) {
	for {
		draining := s.draining.Load()
		s.space = p
		if draining {
			s.space = p[:min(int64(len(p)), s.budget.Load())]
			if len(s.space) == 0 {
				return 0, io.EOF
			}
		}
		n, err := s.src.read(!draining)
		if draining { // else Drain may have set the budget since, without these bytes
			s.budget.Add(-int64(n))
		}
		switch {
		case n > 0:
			return n, nil
		case s.closed.Load():
			return 0, fmt.Errorf("mailbox: read pipe: %w", os.ErrClosed)
		case err == nil, draining && err == errWouldBlock:
			return 0, io.EOF
		case s.draining.Load() && errors.Is(err, os.ErrDeadlineExceeded): // woken: once more, without waiting
		default:
			return 0, &PipeError{Op: "read", Err: err}
		}
	}
}

// Drain does for a Stream what it does for a Reader: Read returns what the pipe
// holds at this moment, and then io.EOF instead of waiting.
func (s *Stream) Drain() {
	s.budget.Store(int64(s.src.pending()))
	s.draining.Store(true)
	s.src.interrupt()
}

// Close closes the pipe and wakes Read. Closing again does nothing.
func (s *Stream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.src.file.Close()
}
