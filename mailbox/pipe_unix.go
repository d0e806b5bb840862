//go:build unix

package mailbox

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// past is a deadline that wakes whoever waits in the poller.
var past = time.Unix(1, 0)

// sink writes to a nonblocking pipe. One goroutine at a time may write.
type sink struct {
	file  *os.File
	conn  syscall.RawConn
	chunk []byte // what is being written
	n     int    // how much of it was
	err   error

	try  func(fd uintptr)      // made once, so that a write allocates nothing
	wait func(fd uintptr) bool // the same
}

func (s *sink) init(f *os.File) {
	s.file = f
	s.conn, s.err = f.SyscallConn()
	s.try = func(fd uintptr) { s.n, s.err = retry(unix.Write, fd, s.chunk) }
	s.wait = func(fd uintptr) bool { s.try(fd); return s.err != errWouldBlock }
}

// write does one write(2). When the pipe is full, it waits in the poller, or returns
// errWouldBlock.
func (s *sink) write(chunk []byte, wait bool) (int, error) {
	if s.conn == nil {
		return 0, s.err
	}
	s.chunk, s.n = chunk, 0
	var err error
	if wait {
		err = s.conn.Write(s.wait)
	} else {
		err = s.conn.Control(s.try) // cheaper than Write, which prepares the poller for a wait
	}
	s.chunk = nil
	if err != nil {
		return 0, err
	}
	return s.n, s.err
}

// interrupt ends a wait in write with os.ErrDeadlineExceeded, now and later.
func (s *sink) interrupt() { _ = s.file.SetWriteDeadline(past) }

// source reads from a nonblocking pipe.
type source struct {
	file *os.File
	conn syscall.RawConn
	n    int // what the last read gave
	err  error

	room func() []byte // gives the space to read into
	idle func()        // told before a wait that there was nothing to read

	try  func(fd uintptr)
	wait func(fd uintptr) bool
}

func (s *source) init(f *os.File, room func() []byte, idle func()) {
	s.file, s.room, s.idle = f, room, idle
	s.conn, s.err = f.SyscallConn()
	s.try = func(fd uintptr) {
		if s.n, s.err = retry(unix.Read, fd, s.room()); s.err == errWouldBlock {
			s.idle()
		}
	}
	s.wait = func(fd uintptr) bool { s.try(fd); return s.err != errWouldBlock }
}

// read does one read(2); 0 and no error is the end. When the pipe is empty, it waits in
// the poller, or returns errWouldBlock.
func (s *source) read(wait bool) (int, error) {
	if s.conn == nil {
		return 0, s.err
	}
	s.n = 0
	var err error
	if wait {
		err = s.conn.Read(s.wait)
	} else {
		err = s.conn.Control(s.try) // works whatever the deadline
	}
	if err != nil {
		return 0, err
	}
	return s.n, s.err
}

// interrupt ends a wait in read with os.ErrDeadlineExceeded, now and later.
func (s *source) interrupt() { _ = s.file.SetReadDeadline(past) }

// pending is how many bytes are in the pipe (FIONREAD, pipe(7)).
func (s *source) pending() int {
	if s.conn == nil {
		return 0
	}
	n := 0
	err := s.conn.Control(func(fd uintptr) {
		if v, err := unix.IoctlGetInt(int(fd), fionread); err == nil {
			n = v
		}
	})
	if err != nil {
		return 0
	}
	return n
}

// retry makes a call again that a signal interrupted.
func retry(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		switch n, err := call(int(fd), b); err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, errWouldBlock
		default:
			return 0, err
		}
	}
}
