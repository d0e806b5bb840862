//go:build unix

package mailbox

import (
	"bytes"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// past is a deadline that wakes whoever waits in the poller.
var past = time.Unix(1, 0)

// ringAfter is how many writes to a pipe are made before the ring is used: an actor with
// little to say needs no more memory.
const ringAfter = 16

// sink writes to a nonblocking pipe and, after a while, to the ring that goes with it.
// One goroutine at a time may write.
type sink struct {
	file  *os.File
	conn  syscall.RawConn
	chunk []byte // what is being written
	n     int    // how much of it was
	err   error

	ring    *ringWriter // nil if there is none
	ringing bool        // the pipe is for bells only
	writes  int         // to the pipe, so far
	whole   bool        // the last one took all it was given: a frame ends there
	trust   bool        // the reader does not hold up our calls

	clapper [1]byte // a bell on its way: here, so that it allocates nothing

	try  func(fd uintptr)      // made once, so that a write allocates nothing
	wait func(fd uintptr) bool // the same
}

func (s *sink) init(f *os.File, ring *Ring, trust bool) {
	s.file, s.trust = f, trust
	if ring != nil {
		s.ring = newRingWriter(ring)
	}
	s.conn, s.err = f.SyscallConn()
	s.try = func(fd uintptr) {
		if s.trust {
			s.n, s.err = retry(rawWrite, fd, s.chunk)
		} else {
			s.n, s.err = retry(unix.Write, fd, s.chunk)
		}
	}
	s.wait = func(fd uintptr) bool { s.try(fd); return s.err != errWouldBlock }
}

// write does one write(2), or puts what fits into the ring. When the pipe is full, it waits in
// the poller, or returns errWouldBlock. It never waits for the ring: see Writer.Resume.
func (s *sink) write(chunk []byte, wait bool) (int, error) {
	if s.ringing {
		return s.ring.write(chunk)
	}
	n, err := s.writePipe(chunk, wait)
	s.writes++
	s.whole = n == len(chunk)
	return n, err
}

// ripe reports whether it is time to leave the pipe for the ring.
func (s *sink) ripe() bool { return s.ring != nil && !s.ringing && s.whole && s.writes >= ringAfter }

// change says so to the reader; it reports false if the pipe does not take the bell. It rings
// for room as well: such a bell may wait among the frames, and must not wait for the ring.
func (s *sink) change() bool {
	n, _ := s.writePipe([]byte{bellFrames, bellRoom}, false)
	return n > 0
}

// wake rings the bell if the ring's reader sleeps.
func (s *sink) wake() {
	if s.ring.mustWake() {
		s.bell(bellFrames)
	}
}

// bell wakes the reader. A full pipe holds bells enough, and who has closed it needs none.
func (s *sink) bell(b byte) {
	s.clapper[0] = b
	_, _ = s.writePipe(s.clapper[:], false)
}

func (s *sink) writePipe(chunk []byte, wait bool) (int, error) {
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

	trust bool // the writer does not hold up our calls

	try  func(fd uintptr)
	wait func(fd uintptr) bool
}

func (s *source) init(f *os.File, room func() []byte, idle func()) {
	s.file, s.room, s.idle = f, room, idle
	s.conn, s.err = f.SyscallConn()
	s.try = func(fd uintptr) {
		if s.n, s.err = s.call(fd, s.room()); s.err == errWouldBlock {
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

// call does one read(2), which does not wait.
func (s *source) call(fd uintptr, b []byte) (int, error) {
	if s.trust {
		return retry(rawRead, fd, b)
	}
	return retry(unix.Read, fd, b)
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

// bells takes the bells that are in the pipe, until it is empty or somebody wants to stop, and reports
// whether one was for room, and false at the pipe's end.
func (s *source) bells(fd uintptr, stop *atomic.Bool) (room, open bool, err error) {
	var b [512]byte
	for !stop.Load() { // others may ring without end
		switch n, err := s.call(fd, b[:]); {
		case err == errWouldBlock:
			return room, true, nil
		case err != nil:
			return room, false, err
		case n == 0:
			return room, false, nil
		default:
			room = room || bytes.IndexByte(b[:n], bellRoom) >= 0
		}
	}
	return room, true, nil
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
