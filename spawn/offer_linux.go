package spawn

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// offerLimit is how many bytes a pipe takes at once or not at all: PIPE_BUF of pipe(7).
const offerLimit = 4096

// Offer writes b to Inbox if that is possible at once, and if the process is certain to understand it
// although its Hello has not been read: if it runs the very file that runs here. It reports whether all of b was
// written; nothing was if not. It never does after TakeInbox or Close, for more than 4096
// bytes, or on other systems than Linux.
//
// The scheduler is not told of the system call, which does not wait: no code but this program's has run at the other
// end yet. In a program that was idle, to tell costs a wake-up of another thread first, which is 13 µs.
func (p *Process) Offer(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Inbox == nil || !p.exact || len(b) == 0 || len(b) > offerLimit {
		return false
	}
	conn, err := p.Inbox.SyscallConn()
	if err != nil {
		return false
	}
	written := false
	err = conn.Control(func(fd uintptr) {
		_, _, errno := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		written = errno == 0
	})
	return err == nil && written
}
