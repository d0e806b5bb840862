package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// ApplyOutside is Apply for a thread that starts other processes: these are
// confined from their first instruction on. It leaves out what would keep the thread
// from doing so, and what p refuses of clone(2) and execve(2). That is for
// [Policy.ApplyInside] in the process started.
//
// A thread that is confined must not end as long as processes with a parent-death signal
// need it. The Go runtime makes no other thread from it.
func (p *Policy) ApplyOutside() (*Confinement, error) {
	return p.applied(func() (*Confinement, error) {
		return p.applyOutside(thisKernel())
	})
}

func (p *Policy) applyOutside(k kernel) (*Confinement, error) {
	return p.confine(k, func() []unix.SockFilter { return assemble(p.outsideRules()) })
}

// Inside returns what ApplyInside has to do for p: a Policy for it, without paths, or
// the zero Policy.
func (p *Policy) Inside() Policy {
	if !p.NoProcesses && !p.Syscalls {
		return Policy{}
	}
	return Policy{NoProcesses: p.NoProcesses, Syscalls: p.Syscalls, BestEffort: p.BestEffort}
}

// ApplyInside does what ApplyOutside has left out: it makes this process, with all the
// threads that it has, refuse to make processes and namespaces, as p says. It is for a process that a thread confined by ApplyOutside has started, whose threads can gain no
// new privileges already; elsewhere it fails with EACCES, but for CAP_SYS_ADMIN. See
// SECCOMP_FILTER_FLAG_TSYNC in seccomp(2).
func (p *Policy) ApplyInside() error {
	inside := p.Inside()
	if inside.Empty() {
		return nil
	}
	if err := seccompAvailable(); err != nil {
		if p.BestEffort {
			return nil
		}
		return fmt.Errorf("sandbox: %w: %w", err, errors.ErrUnsupported)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := installFilter(assemble(inside.insideRules()), unix.SECCOMP_FILTER_FLAG_TSYNC); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// Plan returns what Apply would do on this machine, and its error if the kernel lacks
// something, without doing it.
func (p *Policy) Plan() (*Confinement, error) {
	return p.applied(func() (*Confinement, error) { return p.planned(thisKernel()) })
}

// applied is what Apply, ApplyOutside and Plan have in common.
func (p *Policy) applied(do func() (*Confinement, error)) (*Confinement, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.Empty() {
		return &Confinement{}, nil
	}
	c, err := do()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return c, nil
}

// setUser returns why this process cannot start another as another user, or nil. See
// capabilities(7).
func setUser() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	const needed = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID
	if data[0].Effective&needed != needed {
		return fmt.Errorf("changing to another user needs CAP_SETUID and CAP_SETGID: %w", unix.EPERM)
	}
	return nil
}
