package spawn

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Process is one that Start started. Its methods are safe for concurrent use,
// except that Hello is called once and before TakeOutbox.
type Process struct {
	// OS is the process with its handle (a pidfd where the platform has it).
	// Whoever reaps it waits on this.
	OS *os.Process

	Pid     int
	Started time.Time // when exec had succeeded

	// The parent's ends of the pipes, nonblocking and in the poller. Close closes
	// those that were not taken.
	Inbox          *os.File // write end: to the child
	Outbox         *os.File // read end: from the child
	Stdout, Stderr *os.File // read ends

	name    string
	exact   bool   // what runs is the file that runs here, before its Hello says so
	release func() // of what started it; nil after Close

	mu    sync.Mutex  // protects crash, release, and the taking and closing of the files
	crash crashMemory // nil after Close
}

// crashMemory is where the child's runtime leaves its last words.
type crashMemory interface {
	text() []byte // a copy
	close() error
}

// TakeInbox transfers the ownership of Inbox to the caller and sets the field
// to nil. It returns nil the second time, or after Close.
func (p *Process) TakeInbox() *os.File { return p.take(&p.Inbox) }

// TakeOutbox does for Outbox what TakeInbox does for Inbox.
func (p *Process) TakeOutbox() *os.File { return p.take(&p.Outbox) }

// TakeStdout does for Stdout what TakeInbox does for Inbox.
func (p *Process) TakeStdout() *os.File { return p.take(&p.Stdout) }

// TakeStderr does for Stderr what TakeInbox does for Inbox.
func (p *Process) TakeStderr() *os.File { return p.take(&p.Stderr) }

func (p *Process) take(field **os.File) *os.File {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := *field
	*field = nil
	return f
}

// CrashText returns what the Go runtime of the child wrote when it crashed, at
// most 64 KiB; empty if it did not, nil after Close. It is complete once
// the process has exited, of whatever cause. The result is the caller's own.
func (p *Process) CrashText() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crash == nil {
		return nil
	}
	return p.crash.text()
}

// Signal sends sig by the process's handle, so never to another process that
// got the same pid. After the process was reaped it returns [os.ErrProcessDone].
func (p *Process) Signal(sig os.Signal) error { return p.OS.Signal(sig) }

// Close closes the files that were not taken and releases the crash memory. It
// neither ends the process nor waits for it; if that was not waited for before, the
// thread that started it stays, where it is one for its Sandbox. Close is idempotent; it
// returns the first error.
func (p *Process) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for _, field := range []**os.File{&p.Inbox, &p.Outbox, &p.Stdout, &p.Stderr} {
		if *field != nil {
			keep((*field).Close())
			*field = nil
		}
	}
	if p.crash != nil {
		keep(p.crash.close())
		p.crash = nil
	}
	if p.release != nil && errors.Is(p.OS.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		p.release()
	}
	p.release = nil
	return first
}
