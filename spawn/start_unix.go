//go:build linux || darwin

package spawn

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Start starts this program again as cmd says and returns when its exec has
// succeeded; that it is up is for [Process.Hello] to say. Any goroutine may call
// Start at any time; the forks happen a few at a time, on goroutines of
// their own. These live as long as the program does.
//
// The caller must see to it that the process is waited for (by Process.OS), and
// that Close is called. After an error nothing of the start is left: no
// process, no open file. Errors wrap the system's ("spawn greeter: pipe2: too
// many open files").
func Start(cmd *Command) (*Process, error) {
	if err := cmd.validate(); err != nil {
		return nil, err
	}
	p := &Process{name: cmd.Name}
	if err := p.start(cmd); err != nil {
		p.Close()
		return nil, fmt.Errorf("spawn %s: %w", cmd.Name, err)
	}
	return p, nil
}

func (p *Process) start(cmd *Command) error {
	exe, err := executable()
	if err != nil {
		return err
	}
	var w wiring
	defer w.close()
	w.null()
	p.Stdout = w.fromChild("stdout")
	p.Stderr = w.fromChild("stderr")
	p.Inbox = w.toChild("inbox")
	p.Outbox = w.fromChild("outbox")
	p.crash = w.crash()
	for _, f := range cmd.Files {
		w.share(f)
	}
	if w.err != nil {
		return w.err
	}
	p.OS, p.release, err = begin(cmd, exe.path, &os.ProcAttr{
		Dir:   cmd.Dir,
		Env:   cmd.environ(),
		Files: w.child,
	})
	if err != nil {
		// Because of Sys, package os does not look whether it was the directory.
		if _, dirErr := os.Stat(cmd.Dir); cmd.Dir != "" && dirErr != nil {
			return fmt.Errorf("working directory: %w", dirErr)
		}
		return err
	}
	p.exact = exe.exact
	p.Pid, p.Started = p.OS.Pid, time.Now()
	return nil
}

// wiring collects the child's ends in the order of the child's descriptors.
// After the first error its methods do nothing and return nil.
//
// [os.StartProcess] asks the files in child for their Fd, which sets those
// blocking that package os had set nonblocking. All of child were made by
// os.NewFile from descriptors as they are, so it leaves their flags alone.
type wiring struct {
	child []*os.File
	err   error
}

// close closes the child's ends: it has copies of its own by now, or never will.
func (w *wiring) close() {
	for _, f := range w.child {
		f.Close()
	}
}

func (w *wiring) null() {
	fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		w.err = &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		return
	}
	w.child = append(w.child, os.NewFile(uintptr(fd), os.DevNull))
}

// toChild makes a pipe, keeps its read end for the child and returns the
// other, nonblocking.
func (w *wiring) toChild(name string) *os.File {
	fds, ok := w.pipe()
	if !ok {
		return nil
	}
	return w.split(fds[0], fds[1], name)
}

func (w *wiring) fromChild(name string) *os.File {
	fds, ok := w.pipe()
	if !ok {
		return nil
	}
	return w.split(fds[1], fds[0], name)
}

func (w *wiring) pipe() (fds [2]int, ok bool) {
	if w.err == nil {
		fds, w.err = pipe()
	}
	return fds, w.err == nil
}

func (w *wiring) split(child, parent int, name string) *os.File {
	w.child = append(w.child, os.NewFile(uintptr(child), name))
	if err := unix.SetNonblock(parent, true); err != nil {
		unix.Close(parent)
		w.err = os.NewSyscallError("fcntl", err)
		return nil
	}
	return os.NewFile(uintptr(parent), name)
}

func (w *wiring) crash() crashMemory {
	if w.err != nil {
		return nil
	}
	memory, child, err := newCrashMemory()
	if err != nil {
		w.err = err
		return nil
	}
	w.child = append(w.child, child)
	return memory
}

// share adds a duplicate, so that neither closing it nor Fd touches the
// caller's file.
func (w *wiring) share(f *os.File) {
	if w.err != nil {
		return
	}
	dup, err := duplicate(f)
	if err != nil {
		w.err = err
		return
	}
	w.child = append(w.child, dup)
}
