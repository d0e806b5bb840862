package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// KillTimeout is how long Kill waits. Only a process that hangs in the kernel
// needs as long, or one that may not be signalled.
const KillTimeout = 2 * time.Second

// killBatch bounds how many descriptors a Kill takes, and only without cgroup.kill.
const killBatch = 64

// Kill kills all processes of the group by SIGKILL, in whatever session and process
// group they are, and returns when they are dead: at once if there are none,
// at latest after KillTimeout, then with an error that wraps
// [os.ErrDeadlineExceeded] and says how many are left. It does not reap them. Start
// nothing into the group afterwards.
func (g *Group) Kill() error {
	p := g.at[kill]
	if p == nil {
		return fmt.Errorf("cgroup %s: kill: %w", g.name, errors.ErrUnsupported)
	}
	if err := p.kill(time.Now().Add(KillTimeout)); err != nil {
		return fmt.Errorf("cgroup %s: kill: %w", g.name, err)
	}
	return nil
}

func (p *place) kill(deadline time.Time) error {
	if p.version == 1 || !exists(p.dir+"/cgroup.kill") { // Linux 5.14
		return p.killEach(deadline)
	}
	if err := write(p.dir+"/cgroup.kill", "1"); err != nil {
		return err
	}
	return p.awaitEmpty(deadline)
}

// awaitEmpty waits until a group of version 2 has no living process. The kernel
// reports the change by POLLPRI, see cgroups(7), but not within 10 ms of the last
// (CGROUP_FILE_NOTIFY_MIN_INTV), while a death takes a fraction of one. So it looks
// by itself too, ever more seldom.
func (p *place) awaitEmpty(deadline time.Time) error {
	fd, err := unix.Open(p.dir+"/cgroup.events", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("open cgroup.events", err)
	}
	defer unix.Close(fd)
	text := make([]byte, 256)
	for pause := 50 * time.Microsecond; ; pause *= 2 {
		n, err := retry(func() (int, error) { return unix.Pread(fd, text, 0) })
		if err != nil {
			return os.NewSyscallError("read cgroup.events", err)
		}
		if strings.Contains(string(text[:n]), "populated 0") {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return p.survivors()
		}
		poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}, min(pause, left))
	}
}

// killEach does what cgroup.kill does where that is not. New processes cannot
// outrun it: who has been signalled cannot fork, and where tasks are
// counted nobody can.
func (p *place) killEach(deadline time.Time) error {
	if err := ifThere(write(p.dir+"/pids.max", "0")); err != nil {
		return err
	}
	for {
		pids, err := processes(p.dir)
		if err != nil {
			return err
		}
		pids = slices.DeleteFunc(pids, notToKill)
		if len(pids) == 0 {
			return nil
		}
		if err := p.killSome(pids[:min(len(pids), killBatch)], deadline); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return p.survivors()
		}
	}
}

// notToKill is for what else may be in a list: 0, for a process that cannot be seen
// from here and which kill(2) would take for our process group, and
// ourselves, while a thread of ours is in the group to fork.
func notToKill(pid int) bool { return pid <= 0 || pid == os.Getpid() }

// killSome kills these processes and waits for their death. Between reading a list
// and a signal a pid may come to belong to a stranger. So each gets a
// handle first, and is signalled by it if the pid is in the list still.
func (p *place) killSome(pids []int, deadline time.Time) error {
	handles := make([]unix.PollFd, 0, len(pids))
	defer func() {
		for _, h := range handles {
			unix.Close(int(h.Fd))
		}
	}()
	opened := make([]int, 0, len(pids))
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		switch {
		case err == nil:
			handles = append(handles, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
			opened = append(opened, pid)
		case err == unix.ESRCH: // dead
		case len(handles) > 0: // no more descriptors: these first
		default:
			return os.NewSyscallError("pidfd_open", err)
		}
	}
	still, err := processes(p.dir)
	if err != nil {
		return err
	}
	var refused error
	for i, pid := range opened {
		if !slices.Contains(still, pid) {
			continue
		}
		err := unix.PidfdSendSignal(int(handles[i].Fd), unix.SIGKILL, nil, 0)
		if err != nil && err != unix.ESRCH {
			refused = fmt.Errorf("pid %d: %w", pid, err) // the others get theirs
		}
	}
	if refused != nil {
		return refused
	}
	for i := range handles {
		if !poll(handles[i:i+1], time.Until(deadline)) {
			return p.survivors()
		}
	}
	return nil
}

// poll waits until one of fds is ready, and reports false if none is after that
// time.
func poll(fds []unix.PollFd, wait time.Duration) bool {
	deadline := time.Now().Add(wait)
	n, _ := retry(func() (int, error) { // a signal does not begin the wait anew
		timeout := unix.NsecToTimespec(max(time.Until(deadline), 0).Nanoseconds())
		return unix.Ppoll(fds, &timeout, nil)
	})
	return n > 0
}

func (p *place) survivors() error {
	pids, _ := processes(p.dir)
	return fmt.Errorf("%d processes are left (pids %v): %w", len(pids), pids[:min(len(pids), 8)], os.ErrDeadlineExceeded)
}
