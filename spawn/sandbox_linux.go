package spawn

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"github.com/progeny-go/progeny/spawn/sandbox"
	"golang.org/x/sys/unix"
)

// maxIdle is how many policies keep their thread although no process needs it.
const maxIdle = 8

// theConfined start the processes that are confined.
var theConfined = confinedSpawners{byPolicy: make(map[string]*confinedSpawner)}

// confinedSpawners are the threads that start confined processes, one for each policy: a
// process has the confinement of the thread that forked it. Such a thread stays while one of
// its processes lives, for its end would be the processes' end (PR_SET_PDEATHSIG).
type confinedSpawners struct {
	mu       sync.Mutex // protects the following
	byPolicy map[string]*confinedSpawner
	idle     []*confinedSpawner // those without users, the longest idle first
}

// A confinedSpawner is a spawner of one thread.
type confinedSpawner struct {
	spawner
	key   string // of its policy
	users int    // its processes, and starts under way; protected by confinedSpawners.mu

	ready chan struct{} // closed when err is set
	err   error         // why the thread could not be confined
}

// take returns the spawner for p, which release must give back.
func (s *confinedSpawners) take(p *sandbox.Policy) (*confinedSpawner, error) {
	key, err := keyOf(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	c := s.byPolicy[key]
	if c == nil {
		c = &confinedSpawner{spawner: spawner{forks: make(chan *fork)}, key: key, ready: make(chan struct{})}
		c.once.Do(func() {}) // its threads are started here
		s.byPolicy[key] = c
		policy := new(*p) // the caller may change its own
		go c.run(policy)
	}
	c.users++
	s.idle = without(s.idle, c)
	s.mu.Unlock()
	<-c.ready
	if c.err != nil {
		s.release(c)
		return nil, c.err
	}
	return c, nil
}

// keyOf is the same for policies that confine alike: for the same text, with the same
// files at its paths. A thread knows the files that were there when it was confined. Their numbers are
// not used again while it does, for then the kernel has them open.
func keyOf(p *sandbox.Policy) (string, error) {
	key, err := p.MarshalText()
	if err != nil {
		return "", err
	}
	for _, path := range slices.Concat(p.ReadOnly, p.ReadWrite) {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return "", &os.PathError{Op: "stat", Path: path, Err: err}
		}
		key = fmt.Appendf(key, " %d:%d", st.Dev, st.Ino)
	}
	return string(key), nil
}

// release gives a spawner back, one of whose processes has gone or never came.
func (s *confinedSpawners) release(c *confinedSpawner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.users--; c.users > 0 {
		return
	}
	if c.err != nil {
		s.end(c)
		return
	}
	if s.idle = append(s.idle, c); len(s.idle) > maxIdle {
		s.end(s.idle[0])
		s.idle = s.idle[1:]
	}
}

// end ends a spawner's thread: the runtime does, when a goroutine ends that is locked to it.
func (s *confinedSpawners) end(c *confinedSpawner) {
	delete(s.byPolicy, c.key)
	close(c.forks)
}

func without(list []*confinedSpawner, c *confinedSpawner) []*confinedSpawner {
	for i := range list {
		if list[i] == c {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}

// run is the spawner's goroutine. It ends with its thread, when forks is closed.
func (c *confinedSpawner) run(p *sandbox.Policy) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread never ends, and its state is shown as that of the program.
		go c.run(p) // elsewhere, as this goroutine keeps the first thread until then
		<-c.ready
		runtime.UnlockOSThread()
		return
	}
	c.err = confineThread(p)
	close(c.ready)
	c.serve(c.err)
}

// confineThread confines the calling goroutine's thread, to which it is locked.
func confineThread(p *sandbox.Policy) error {
	// Package os finds out once, by a signal to itself, what pidfds can do here. Before
	// Linux 6.15 a confined thread was refused that.
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		self.Release()
	}
	if err := emptySignalMask(); err != nil {
		return err
	}
	_, err := p.ApplyOutside()
	return err
}

// begin starts a process as cmd says. release is to be called when it has been waited
// for, and not if there is an error.
func begin(cmd *Command, path string, attr *os.ProcAttr) (p *os.Process, release func(), err error) {
	attr.Sys = cmd.attributes()
	s, release := &theSpawner, func() {}
	if cmd.Sandbox != nil && !cmd.Sandbox.Empty() {
		c, err := theConfined.take(cmd.Sandbox)
		if err != nil {
			return nil, nil, err
		}
		s, release = &c.spawner, sync.OnceFunc(func() { theConfined.release(c) })
	}
	if cmd.User != nil {
		defer keepDumpable()()
	}
	if s == &theSpawner {
		p, err = s.start(path, cmd.argv(), attr, cmd.Group)
	} else if p, err = s.start(path, cmd.argv(), attr, nil); err == nil && cmd.Group != nil {
		err = enter(cmd.Group, p) // a confined thread cannot get in
	}
	if err != nil {
		release()
		return nil, nil, cmd.explain(err)
	}
	return p, release, nil
}

// changing is held while a process is started as another user.
var changing sync.Mutex

// keepDumpable keeps the program as dumpable as it is (PR_SET_DUMPABLE(2const)) until its
// result is called: a child that changes its user shares the program's memory until its
// exec, and makes it undumpable. While there is such a child, it must stay so: its new
// user could reach into the memory.
func keepDumpable() (restore func()) {
	changing.Lock()
	was, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	return func() {
		if err == nil && was == 1 {
			_ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) // it can be set, and it is a number
		}
		changing.Unlock()
	}
}

// attributes are childAttributes with the user and the namespaces.
func (c *Command) attributes() *syscall.SysProcAttr {
	attr := childAttributes()
	if c.User != nil {
		attr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID}
	}
	for _, ns := range []struct {
		kind Namespaces
		flag uintptr
	}{
		{UserNamespace, unix.CLONE_NEWUSER},
		{PIDNamespace, unix.CLONE_NEWPID | unix.CLONE_NEWUSER},
		{NetNamespace, unix.CLONE_NEWNET | unix.CLONE_NEWUSER},
		{IPCNamespace, unix.CLONE_NEWIPC | unix.CLONE_NEWUSER},
		{UTSNamespace, unix.CLONE_NEWUTS | unix.CLONE_NEWUSER},
		{MountNamespace, unix.CLONE_NEWNS | unix.CLONE_NEWUSER},
	} {
		if c.Namespaces&ns.kind != 0 {
			attr.Cloneflags |= ns.flag
		}
	}
	return attr
}

// explain says what is missing when a process could not be started.
func (c *Command) explain(err error) error {
	switch {
	case c.User != nil && errors.Is(err, unix.EPERM):
		return fmt.Errorf("user %d, group %d: this needs CAP_SETUID and CAP_SETGID: %w", c.User.UID, c.User.GID, err)
	case c.Namespaces != 0 && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSPC)):
		return fmt.Errorf("namespaces are not to be had here (user_namespaces(7), /proc/sys/user): %w", err)
	}
	return err
}
