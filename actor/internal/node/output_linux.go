package node

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

const (
	// readSize is how much of one stream is read before others have their turn, in bytes.
	readSize = 32 << 10
	// pipeLimit is more than a pipe can hold (fs/pipe-max-size of pipe(7)), in bytes: so much
	// is read at most after the end of a process, whoever else writes.
	pipeLimit = 1 << 20
)

// outputs reads what all processes of a node print, on one goroutine: they are many, and
// most print nothing. It waits in one epoll instance, which itself sits in Go's poller, as
// the reaper's does. The goroutine begins with the first process and ends with close.
type outputs struct {
	mu   sync.Mutex // protects the following
	file *os.File   // the epoll instance; nil before the first use and after close
	fd   int
	byFd map[int32]*output // those of which the instance tells
	done chan struct{}     // closed when run has returned
}

// A source is the read end of one pipe, nonblocking.
type source struct {
	file *os.File
	conn syscall.RawConn
	all  *outputs // nil when closed, or never watched
	fd   int32    // of file; its name in all.byFd
}

// watch has o read from f until its end, or close. It takes ownership of f, even if it fails.
func (s *outputs) watch(o *output, f *os.File) error {
	conn, err := f.SyscallConn()
	if err == nil {
		o.source = source{file: f, conn: conn, all: s}
		err = s.add(o)
	}
	if err != nil {
		o.all = nil
		f.Close()
		return fmt.Errorf("capture %s: %w", f.Name(), err)
	}
	return nil
}

func (s *outputs) add(o *output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.startLocked(); err != nil {
		return err
	}
	var err error
	controlErr := o.conn.Control(func(fd uintptr) {
		o.fd = int32(fd)
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: o.fd}
		err = os.NewSyscallError("epoll_ctl", syscall.EpollCtl(s.fd, syscall.EPOLL_CTL_ADD, int(fd), &event))
	})
	if controlErr != nil || err != nil {
		return firstError(controlErr, err)
	}
	s.byFd[o.fd] = o
	return nil
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// startLocked makes the epoll instance and starts run, unless that is done. If it fails, for
// want of a descriptor, the next call tries again.
func (s *outputs) startLocked() error {
	if s.file != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	// By this flag os.NewFile knows that the descriptor belongs into Go's poller.
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	conn, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return err
	}
	s.file, s.fd = file, fd
	s.byFd, s.done = make(map[int32]*output), make(chan struct{})
	go s.run(conn)
	return nil
}

// run reads whatever there is to read, until close.
func (s *outputs) run(conn syscall.RawConn) {
	defer close(s.done)
	var events [64]syscall.EpollEvent
	var n int
	var err error
	collect := func(fd uintptr) bool { // called by Go's poller, which waits while it is false
		for {
			if n, err = syscall.EpollWait(int(fd), events[:], 0); err != syscall.EINTR {
				return n != 0 // -1 with an error
			}
		}
	}
	buf := make([]byte, readSize)
	for conn.Read(collect) == nil {
		if err != nil {
			// Only a program that closes descriptors it does not own gets here.
			panic("node: epoll_wait: " + err.Error())
		}
		for _, e := range events[:n] {
			if o := s.find(e.Fd); o != nil {
				o.read(buf)
			}
		}
	}
}

// find returns nil if the stream was closed after its event. If another one has its number
// by now, reading that finds nothing.
func (s *outputs) find(fd int32) *output {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byFd[fd]
}

// remove has the epoll instance tell no more of o. It comes before the descriptor is closed: a fork
// under way has a copy, and would keep the entry.
func (s *outputs) remove(o *output) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byFd[o.fd] == o {
		delete(s.byFd, o.fd)
		_ = o.conn.Control(func(fd uintptr) {
			_ = syscall.EpollCtl(s.fd, syscall.EPOLL_CTL_DEL, int(fd), nil)
		})
	}
}

// close ends the goroutine. What is printed from now on is not read.
func (s *outputs) close() {
	s.mu.Lock()
	file := s.file
	s.file, s.byFd = nil, nil
	s.mu.Unlock()
	if file != nil {
		file.Close()
		<-s.done
	}
}

// read takes a part of what there is. After the last, nobody need look again.
func (o *output) read(buf []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	more := false
	if !o.done {
		var n int
		n, more = o.take(buf)
		o.feed(buf[:n])
	}
	if !more && o.all != nil {
		o.finish()
		o.all.remove(o)
	}
}

// take reads once. Unless there is more to come at some time, the stream has ended.
func (o *output) take(buf []byte) (n int, more bool) {
	err := o.conn.Control(func(fd uintptr) { // Read would wait
		for {
			if n, more = readOnce(int(fd), buf); n >= 0 {
				return
			}
		}
	})
	return n, more && err == nil
}

// readOnce returns -1 if a signal came first.
func readOnce(fd int, buf []byte) (n int, more bool) {
	switch n, err := syscall.Read(fd, buf); err {
	case nil:
		return n, n > 0
	case syscall.EINTR:
		return -1, true
	case syscall.EAGAIN:
		return 0, true
	default:
		return 0, false
	}
}

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// drain takes what the pipe holds. What others may write later is not read.
func (o *output) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done || o.all == nil {
		return
	}
	buf := readBuffers.Get().(*[readSize]byte)
	defer readBuffers.Put(buf)
	for left := pipeLimit; left > 0; {
		n, _ := o.take(buf[:])
		if n == 0 {
			break
		}
		o.feed(buf[:n])
		left -= n
	}
	o.finish()
}

// close drains the pipe and closes it.
func (o *output) close() {
	o.drain()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all != nil {
		o.all.remove(o)
		o.file.Close()
		o.all = nil
	}
}
