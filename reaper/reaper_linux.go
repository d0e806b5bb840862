package reaper

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A poller is an epoll instance over pidfds which itself sits in Go's network
// poller, so that waiting for the end of any number of processes parks one
// goroutine and blocks no thread.
type poller struct {
	fd   int
	file *os.File // owns fd; kept, for its finalizer would close it
	conn syscall.RawConn
	last uint64 // key; under the reaper's lock

	// Of the goroutine that calls wait:
	events [64]unix.EpollEvent
	keys   [64]uint64
	n      int
	err    error
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// An epoll instance has no blocking mode, but by this flag os.NewFile
	// knows that the descriptor belongs into Go's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if p.conn, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// key returns a number never used before. It is not the pid, which may be
// given away again while an event is on its way if the status was stolen.
func (p *poller) key(*os.Process) uint64 {
	p.last++
	return p.last
}

// add makes a later wait return w.key, once.
func (p *poller) add(w *watch) error {
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLONESHOT,
		Fd:     int32(w.key),
		Pad:    int32(w.key >> 32),
	}
	return w.withPidfd(func(pidfd int) error {
		return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, pidfd, &event))
	})
}

// wait parks until processes have ended and returns their keys. The slice is
// valid until the next call.
func (p *poller) wait() []uint64 {
	err := p.conn.Read(p.collect)
	if err == nil {
		err = p.err
	}
	if err != nil {
		// Only a program that closes descriptors it does not own gets here.
		panic("reaper: epoll_wait: " + err.Error())
	}
	for i, event := range p.events[:p.n] {
		p.keys[i] = uint64(uint32(event.Fd)) | uint64(uint32(event.Pad))<<32
	}
	return p.keys[:p.n]
}

// collect takes what has ended by now. It is called by Go's poller, which
// parks the goroutine while it returns false.
func (p *poller) collect(uintptr) bool {
	for {
		p.n, p.err = unix.EpollWait(p.fd, p.events[:], 0)
		if p.err != unix.EINTR {
			return p.n != 0 // -1 with an error
		}
	}
}

// A handle is the pidfd that the reaper had to open because the process has
// none of its own.
type handle struct {
	pidfd  int
	opened bool // whether there is one: 0 is a descriptor like others
}

// open makes sure that there is a pidfd.
func (w *watch) open() error {
	err := w.process.WithHandle(func(uintptr) {})
	if !errors.Is(err, os.ErrNoHandle) {
		return err
	}
	// The caller has not waited for the process, so the pid is still its own.
	w.pidfd, err = unix.PidfdOpen(w.process.Pid, 0) // close-on-exec, always
	if err != nil {
		return errAside
	}
	w.opened = true
	return nil
}

// close closes what open has opened.
func (w *watch) close() {
	if w.opened {
		unix.Close(w.pidfd)
		w.opened = false
	}
}

// withPidfd calls f with a pidfd that is valid until f returns.
func (w *watch) withPidfd(f func(pidfd int) error) error {
	if w.opened {
		return f(w.pidfd)
	}
	var err error
	if e := w.process.WithHandle(func(pidfd uintptr) { err = f(int(pidfd)) }); e != nil {
		return e
	}
	return err
}

// status tells of the process, which has ended, whether its status is still to
// be taken, and whether taking it would block: a debugger that is attached to
// it gets the status first, and may let us wait for as long as its user thinks
// (ptrace(2), "Death under ptrace").
func (w *watch) status() (ours, withheld bool) {
	var info unix.Siginfo // stays zero if there is no status to take
	err := w.withPidfd(func(pidfd int) error {
		return peek(unix.P_PIDFD, pidfd, &info, unix.WNOHANG)
	})
	return err == nil, err == nil && info.Signo == 0
}

// await blocks until the process has ended and tells whether its status is
// still to be taken.
func (w *watch) await() (ours bool) {
	return peek(unix.P_PID, w.process.Pid, nil, 0) == nil
}

// peek is waitid(2) for an end, and leaves the status to be taken.
func peek(idType, id int, info *unix.Siginfo, options int) error {
	for {
		err := unix.Waitid(idType, id, info, unix.WEXITED|unix.WNOWAIT|options, nil)
		if err != unix.EINTR {
			return err
		}
	}
}
