//go:build linux || darwin

package spawn

import (
	"os"
	"runtime"
	"sync"
)

// theSpawner forks for the whole program.
var theSpawner = spawner{forks: make(chan *fork)}

// spawnThreads is how many forks are under way at once. A fork copies the
// descriptor table and the exec closes what it does not keep: 0.2 ms with few
// open, 2.4 ms with 15,000, half of it when the next fork could have begun.
const spawnThreads = 4

// A spawner forks on threads that never end, because PR_SET_PDEATHSIG
// follows the thread that forked: a child forked by a thread that the runtime
// ends later would be killed with it.
type spawner struct {
	once  sync.Once
	forks chan *fork
}

// A fork is one request to the spawner. It sets process and err, then closes done.
type fork struct {
	path string
	argv []string
	attr *os.ProcAttr
	in   Group // nil for none

	process *os.Process
	err     error
	done    chan struct{}
}

// start starts the process on one of the spawner's threads. It blocks until exec has
// succeeded or failed.
func (s *spawner) start(path string, argv []string, attr *os.ProcAttr, in Group) (*os.Process, error) {
	s.once.Do(func() {
		for range min(spawnThreads, runtime.NumCPU()) {
			go s.run()
		}
	})
	f := &fork{path: path, argv: argv, attr: attr, in: in, done: make(chan struct{})}
	s.forks <- f
	<-f.done
	return f.process, f.err
}

// run is one of the spawner's goroutines. It ends with the program.
func (s *spawner) run() {
	runtime.LockOSThread()
	s.serve(emptySignalMask())
}

// serve forks until forks is closed, or answers with err if that is not nil.
func (s *spawner) serve(err error) {
	for f := range s.forks {
		misplaced := false
		if f.err = err; f.err == nil {
			misplaced = f.run()
		}
		if misplaced {
			go s.run() // in place of this one
		}
		close(f.done)
		if misplaced {
			select {} // this thread must not fork again, nor end before the children that it has
		}
	}
}

// run forks. It reports whether the thread may now be where it does not belong.
func (f *fork) run() (misplaced bool) {
	start := func() error {
		f.process, f.err = os.StartProcess(f.path, f.argv, f.attr)
		return f.err
	}
	if f.in == nil {
		start()
		return false
	}
	err := f.in.Start(f.attr.Sys, start)
	if err == f.err {
		return false
	}
	f.undo(err)
	return true
}

// undo ends the process, if there is one, which may lack a limit.
func (f *fork) undo(err error) {
	if f.err = err; f.process != nil {
		f.process.Kill()
		f.process.Wait()
		f.process = nil
	}
}
