//go:build !unix

package mailbox

import (
	"errors"
	"io"
	"os"
	"time"
)

// past is a deadline that wakes whoever waits.
var past = time.Unix(1, 0)

// sink writes through os.File, which waits: so only the drain goroutine writes.
type sink struct {
	file    *os.File
	ring    *ringWriter // there is no shared memory here, and so no ring
	ringing bool
}

func (s *sink) init(f *os.File, _ *Ring, _ bool) { s.file = f }

func (s *sink) ripe() bool   { return false }
func (s *sink) change() bool { return false }
func (s *sink) wake()        {}
func (s *sink) bell(byte)    {}

func (s *sink) write(chunk []byte, wait bool) (int, error) {
	if !wait {
		return 0, errWouldBlock
	}
	return s.file.Write(chunk)
}

func (s *sink) interrupt() { _ = s.file.SetWriteDeadline(past) }

// source reads through os.File, which waits.
type source struct {
	file *os.File
	room func() []byte
	idle func()

	trust bool // makes no difference here
}

func (s *source) init(f *os.File, room func() []byte, idle func()) {
	s.file, s.room, s.idle = f, room, idle
}

func (s *source) read(wait bool) (int, error) {
	if !wait {
		return 0, errWouldBlock
	}
	n, err := s.file.Read(s.room())
	if n == 0 {
		s.idle()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (s *source) interrupt() { _ = s.file.SetReadDeadline(past) }

func (s *source) pending() int { return 0 }
