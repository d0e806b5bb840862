//go:build linux || darwin

package spawn

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// KillGroup sends SIGKILL to the process group that the process leads, so to
// what it started and kept in its group, and then to the process itself by its
// handle. A process that called setsid or setpgid is out of the group's reach.
//
// The number of the group is certain only while the process was not reaped:
// call KillGroup before, or never concurrently with, the wait. After
// the wait it does nothing and returns [os.ErrProcessDone].
func (p *Process) KillGroup() error {
	if err := p.OS.Signal(syscall.Signal(0)); errors.Is(err, os.ErrProcessDone) {
		return err
	}
	// An error says that the group is empty, or (EPERM) that nobody in it may be
	// signalled: what the process's own handle says is more to the point.
	_ = unix.Kill(-p.Pid, unix.SIGKILL)
	if err := p.OS.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
