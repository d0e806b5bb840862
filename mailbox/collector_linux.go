package mailbox

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// readers is the epoll instance of a Collector, and its goroutine.
type readers struct {
	mu     sync.Mutex // protects the following
	closed bool
	file   *os.File // the epoll instance; nil before the first use and after close
	fd     int
	byFd   map[int32]*tap // those of which the instance tells
	done   chan struct{}  // closed when run has returned
}

// A tap is one end of a pipe, nonblocking.
type tap struct {
	file  *os.File
	conn  syscall.RawConn
	fd    int32            // of file; its name in all.byFd
	all   *readers         // nil when closed
	ready func(buf []byte) // called when the instance has told of it
}

func (w *Watch) begin(all *readers, f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	w.tap = tap{file: f, conn: conn, all: all, ready: w.read}
	return all.add(&w.tap, unix.EPOLLIN)
}

func (s *readers) add(w *tap, events uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.startLocked(); err != nil {
		return err
	}
	var err error
	controlErr := w.conn.Control(func(fd uintptr) {
		w.fd = int32(fd)
		event := unix.EpollEvent{Events: events, Fd: w.fd}
		err = os.NewSyscallError("epoll_ctl", unix.EpollCtl(s.fd, unix.EPOLL_CTL_ADD, int(fd), &event))
	})
	if controlErr != nil {
		return controlErr
	}
	if err != nil {
		return err
	}
	s.byFd[w.fd] = w
	return nil
}

// startLocked makes the epoll instance and starts run, unless that is done.
func (s *readers) startLocked() error {
	switch {
	case s.closed:
		return os.ErrClosed
	case s.file != nil:
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	// By this flag os.NewFile knows that the descriptor belongs into Go's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	conn, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return err
	}
	s.file, s.fd = file, fd
	s.byFd, s.done = make(map[int32]*tap), make(chan struct{})
	go s.run(conn)
	return nil
}

// run reads whatever there is to read, until close.
func (s *readers) run(conn syscall.RawConn) {
	defer close(s.done)
	var events [64]unix.EpollEvent
	var n int
	var err error
	collect := func(fd uintptr) bool { // called by Go's poller, which waits while it is false
		for {
			if n, err = unix.EpollWait(int(fd), events[:], 0); err != unix.EINTR {
				return n != 0 // -1 with an error
			}
		}
	}
	buf := make([]byte, collectSize)
	for conn.Read(collect) == nil {
		if err != nil {
			// Only a program that closes descriptors it does not own gets here.
			panic("mailbox: epoll_wait: " + err.Error())
		}
		for _, e := range events[:n] {
			if w := s.find(e.Fd); w != nil {
				w.ready(buf)
			}
		}
	}
}

// find returns nil if the pipe was closed after its event. If another one has its number
// by now, that finds nothing to do.
func (s *readers) find(fd int32) *tap {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byFd[fd]
}

// remove has the epoll instance tell no more of w. It comes before the descriptor is closed: a fork
// under way has a copy, and would keep the entry.
func (s *readers) remove(w *tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byFd[w.fd] == w {
		delete(s.byFd, w.fd)
		_ = w.conn.Control(func(fd uintptr) {
			_ = unix.EpollCtl(s.fd, unix.EPOLL_CTL_DEL, int(fd), nil)
		})
	}
}

func (s *readers) close() {
	s.mu.Lock()
	s.closed = true
	file := s.file
	s.file, s.byFd = nil, nil
	s.mu.Unlock()
	if file != nil {
		file.Close()
		<-s.done
	}
}

// read takes a part of what there is. After the last, nobody need look again.
func (w *Watch) read(buf []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		return
	}
	if !w.done {
		n, more := w.once(buf)
		w.pass(buf[:n])
		if more {
			return
		}
	}
	w.finish()
	w.all.remove(&w.tap)
}

// pass hands on what was read. mu is held.
func (w *Watch) pass(data []byte) {
	if len(data) > 0 {
		w.take(data)
	}
}

// once reads once. Unless there is more to come at some time, the pipe has ended.
func (w *Watch) once(buf []byte) (n int, more bool) {
	var err error
	controlErr := w.conn.Control(func(fd uintptr) { // Read would wait
		n, err = retry(unix.Read, fd, buf)
	})
	return n, controlErr == nil && (n > 0 || err == errWouldBlock)
}

var collectBuffers = sync.Pool{New: func() any { return new([collectSize]byte) }}

func (w *Watch) hush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all != nil {
		w.all.remove(&w.tap)
	}
}

func (w *Watch) drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drainLocked()
}

func (w *Watch) drainLocked() {
	if w.done {
		return
	}
	buf := collectBuffers.Get().(*[collectSize]byte)
	defer collectBuffers.Put(buf)
	for left := drainLimit; left > 0; {
		n, _ := w.once(buf[:min(left, collectSize)])
		if n == 0 {
			break
		}
		w.pass(buf[:n])
		left -= n
	}
	w.finish()
}

func (w *Watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drainLocked()
	if w.all != nil {
		w.all.remove(&w.tap)
		w.file.Close()
		w.all = nil
	}
}
