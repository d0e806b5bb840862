package cgroup

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Group is a control group, or one in each of several hierarchies. Whoever made
// it removes it. Its methods are safe for concurrent use.
type Group struct {
	name   string
	limits Limits
	places []*place          // version 2 first
	at     [resources]*place // which of them has what was asked for
}

// A place is a group's directory in one hierarchy.
type place struct {
	*hierarchy
	dir string
}

// cpuPeriod is the kernel's default, in microseconds.
const cpuPeriod = 100_000

// limitEarly sets what does not hamper the thread that forks: memory is counted for
// a program's first thread, wherever the others are.
func (g *Group) limitEarly() error {
	if p := g.at[memory]; p != nil {
		if err := p.limitMemory(g.limits.Memory); err != nil {
			return err
		}
	}
	return g.limit(2)
}

// limit sets the limits of CPU and processes in one version.
func (g *Group) limit(version int) error {
	if p := g.at[tasks]; p != nil && p.version == version {
		if err := write(p.dir+"/pids.max", strconv.Itoa(g.limits.Processes)); err != nil {
			return err
		}
	}
	if p := g.at[cpu]; p != nil && p.version == version {
		return p.limitCPU(strconv.FormatInt(int64(math.Round(g.limits.CPU*cpuPeriod)), 10))
	}
	return nil
}

// ifThere is for files that not every kernel has.
func ifThere(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (p *place) limitMemory(limit int64) error {
	bytes := strconv.FormatInt(limit, 10)
	if p.version == 1 {
		if err := write(p.dir+"/memory.limit_in_bytes", bytes); err != nil {
			return err
		}
		// Memory and swap together; not there without swap accounting. A page more,
		// so that the limit of memory is the one that is hit: Linux 6.18 does not
		// count the failures of the other.
		both := min(limit, math.MaxInt64-pageSize) + pageSize
		if err := ifThere(write(p.dir+"/memory.memsw.limit_in_bytes", strconv.FormatInt(both, 10))); err != nil {
			return err
		}
		return ifThere(write(p.dir+"/memory.swappiness", "0"))
	}
	if err := write(p.dir+"/memory.max", bytes); err != nil {
		return err
	}
	if err := ifThere(write(p.dir+"/memory.swap.max", "0")); err != nil {
		return err
	}
	return ifThere(write(p.dir+"/memory.oom.group", "1"))
}

func (p *place) limitCPU(quota string) error {
	period := strconv.Itoa(cpuPeriod)
	if p.version == 2 {
		return write(p.dir+"/cpu.max", quota+" "+period)
	}
	if err := write(p.dir+"/cpu.cfs_period_us", period); err != nil {
		return err
	}
	err := write(p.dir+"/cpu.cfs_quota_us", quota)
	if errors.Is(err, unix.EINVAL) { // a group around it has less, so that is the limit
		return nil
	}
	return err
}

// Start calls fork such that the process which it starts with attr is born in the
// group. fork must start it on the goroutine it is called on, as [os.StartProcess]
// and exec.Cmd.Start do. Start sets the CgroupFD of attr for that time, and locks
// the goroutine to its thread.
//
// In version 1, where this thread is in the group meanwhile, the limits of CPU
// and processes are set when it has left.
//
// An error of fork is returned as it is. After any other there may be a process,
// and fork knows it: kill it, for it may lack a limit.
func (g *Group) Start(attr *syscall.SysProcAttr, fork func() error) error {
	// Go makes no thread from a locked one, so none of ours can be born in the group
	// (newm in runtime/proc.go).
	runtime.LockOSThread()
	forkErr, err := g.start(attr, fork)
	if err == nil {
		err = forkErr
		runtime.UnlockOSThread()
		return err
	}
	// The thread may be where it does not belong: stay locked, so that nothing else
	// runs on it and it ends with the goroutine.
	return fmt.Errorf("cgroup %s: %w", g.name, errors.Join(forkErr, err))
}

func (g *Group) start(attr *syscall.SysProcAttr, fork func() error) (forkErr, err error) {
	var entered []*place
	for _, p := range g.places {
		if p.version == 2 {
			fd, err := unix.Open(p.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				return nil, err
			}
			defer unix.Close(fd)
			attr.UseCgroupFD, attr.CgroupFD = true, fd
			defer func() { attr.UseCgroupFD, attr.CgroupFD = false, 0 }()
			continue
		}
		if err := enterThread(p.dir); err != nil {
			return nil, errors.Join(err, leaveThreads(entered))
		}
		entered = append(entered, p)
	}
	forkErr = fork()
	if err := leaveThreads(entered); err != nil || forkErr != nil {
		return forkErr, err
	}
	return nil, g.limit(1)
}

// Enter moves a running process with all its threads into the group. What it has
// started before stays where it is; see Start for the better way.
func (g *Group) Enter(pid int) error {
	if pid <= 0 { // 0 would be ourselves
		return fmt.Errorf("cgroup %s: no process has the pid %d", g.name, pid)
	}
	if err := g.limit(1); err != nil {
		return fmt.Errorf("cgroup %s: %w", g.name, err)
	}
	for _, p := range g.places {
		if err := write(p.dir+"/cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("cgroup %s: %w", g.name, err)
		}
	}
	return nil
}

// Memory reads the counters. They are complete when the processes are dead, and
// gone after Remove. Without a limit of memory the error wraps
// [errors.ErrUnsupported].
func (g *Group) Memory() (Memory, error) {
	p := g.at[memory]
	if p == nil {
		return Memory{}, fmt.Errorf("cgroup %s: memory is not limited, so not counted: %w", g.name, errors.ErrUnsupported)
	}
	read := p.memory1
	if p.version == 2 {
		read = p.memory2
	}
	m, err := read()
	if err != nil {
		return Memory{}, fmt.Errorf("cgroup %s: %w", g.name, err)
	}
	return m, nil
}

func (p *place) memory2() (m Memory, err error) {
	if m.Current, err = readNumber(p.dir + "/memory.current"); err != nil {
		return m, err
	}
	m.Peak, err = readNumber(p.dir + "/memory.peak")
	if err := ifThere(err); err != nil {
		return m, err
	}
	events, err := readCounters(p.dir + "/memory.events")
	m.LimitHits, m.OOMKills = events["max"], events["oom_kill"]
	return m, err
}

func (p *place) memory1() (m Memory, err error) {
	if m.Current, err = readNumber(p.dir + "/memory.usage_in_bytes"); err != nil {
		return m, err
	}
	if m.Peak, err = readNumber(p.dir + "/memory.max_usage_in_bytes"); err != nil {
		return m, err
	}
	if m.LimitHits, err = readNumber(p.dir + "/memory.failcnt"); err != nil {
		return m, err
	}
	control, err := readCounters(p.dir + "/memory.oom_control")
	m.OOMKills = control["oom_kill"]
	return m, err
}

// removeTimeout bounds Remove. What has been killed and reaped needs microseconds.
const removeTimeout = time.Second

// Remove removes the group and the groups that its processes have made in it. That
// it is gone already is no error. While processes are left it waits, at most a
// second; Kill first.
func (g *Group) Remove() error {
	if err := g.remove(); err != nil {
		return fmt.Errorf("cgroup %s: %w", g.name, err)
	}
	return nil
}

func (g *Group) remove() error {
	deadline := time.Now().Add(removeTimeout)
	var all error
	for _, p := range g.places {
		all = errors.Join(all, p.remove(deadline))
	}
	return all
}

func (p *place) remove(deadline time.Time) error {
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		err := removeTree(p.dir)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause) // version 1 has no event to wait for
	}
}
