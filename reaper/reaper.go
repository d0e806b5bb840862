package reaper

import (
	"fmt"
	"os"
)

// Watch has notify called when p has ended.
//
// From then on p is the reaper's to wait for: until notify is called nobody
// else may call its Wait or Release. Its Signal and Kill stay free for use at
// any time; after the end they return [os.ErrProcessDone]. The caller need not
// keep p. There is nothing to release either, but for an Exit that is not
// Known: then p holds its pidfd until it is released or garbage.
//
// notify is called exactly once, for p that has ended already too, and maybe
// before Watch returns. The goroutine that calls it is the reaper's, so it must
// not block: whoever blocks it delays every other exit. It may call Watch. Where
// the system makes the reaper wait aside (see the package documentation) two
// calls may overlap.
//
// If Watch returns an error, p is not watched, notify is never called, and p
// is still the caller's to wait for. The error wraps [os.ErrProcessDone] if p
// was waited for before, [errors.ErrUnsupported] on systems without a reaper,
// and else the error of the system call that failed (too many open files at
// the first Watch, a process that is being watched already).
//
// Watch does not block. It is safe for concurrent use.
func Watch(p *os.Process, notify func(Exit)) error { return WatchBefore(p, nil, notify) }

// WatchBefore is like Watch and has before called first, on the same goroutine,
// when p has ended and its status has not been taken. Until before returns, p's
// pid and its process group cannot belong to anybody else: it is the moment to
// kill the group. before must not block. It is not called if that moment is
// over: the status was taken by somebody else.
func WatchBefore(p *os.Process, before func(), notify func(Exit)) error {
	pid := p.Pid
	if err := watchProcess(p, before, notify); err != nil {
		return fmt.Errorf("watch process %d: %w", pid, err)
	}
	return nil
}
