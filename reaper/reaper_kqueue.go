//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package reaper

import (
	"os"

	"golang.org/x/sys/unix"
)

// A poller is a kqueue in which one thread is blocked while nothing ends.
type poller struct {
	fd int

	// Of the goroutine that calls wait:
	events [64]unix.Kevent_t
	keys   [64]uint64
}

func newPoller() (*poller, error) {
	fd, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(fd) // a forked child does not inherit it in any case: kqueue(2)
	return &poller{fd: fd}, nil
}

// key returns the pid: EVFILT_PROC knows processes by nothing else.
func (p *poller) key(process *os.Process) uint64 {
	return uint64(process.Pid)
}

// add makes a later wait return w.key, once.
func (p *poller) add(w *watch) error {
	var event unix.Kevent_t
	unix.SetKevent(&event, w.process.Pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	event.Fflags = unix.NOTE_EXIT
	_, err := p.kevent([]unix.Kevent_t{event}, nil)
	if err == unix.ESRCH { // it has ended already
		return errAside
	}
	return os.NewSyscallError("kevent", err)
}

// wait blocks until processes have ended and returns their keys. The slice is
// valid until the next call.
func (p *poller) wait() []uint64 {
	n, err := p.kevent(nil, p.events[:])
	if err != nil {
		// Only a program that closes descriptors it does not own gets here.
		panic("reaper: kevent: " + err.Error())
	}
	for i, event := range p.events[:n] {
		p.keys[i] = uint64(event.Ident)
	}
	return p.keys[:n]
}

func (p *poller) kevent(changes, events []unix.Kevent_t) (int, error) {
	for {
		n, err := unix.Kevent(p.fd, changes, events, nil)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// A handle is nothing: the process is known by its pid, which is its own until
// the reaper has waited for it.
type handle struct{}

func (w *watch) open() error { return nil }

func (w *watch) close() {}

// status reports that there is one to take and that Wait does not block for
// long: NOTE_EXIT may come a moment before, and Wait lasts that moment.
func (w *watch) status() (ours, withheld bool) { return true, false }

// await has nothing to wait for: what kqueue has no event for has ended.
func (w *watch) await() (ours bool) { return true }
