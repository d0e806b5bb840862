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

	process *os.Process
	err     error
	done    chan struct{}
}

// start starts the process on one of the spawner's threads. It blocks until exec has
// succeeded or failed.
func (s *spawner) start(path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	s.once.Do(func() {
		for range min(spawnThreads, runtime.NumCPU()) {
			go s.run()
		}
	})
	f := &fork{path: path, argv: argv, attr: attr, done: make(chan struct{})}
	s.forks <- f
	<-f.done
	return f.process, f.err
}

// run is one of the spawner's goroutines. It ends with the program.
func (s *spawner) run() {
	runtime.LockOSThread()
	maskErr := emptySignalMask()
	for f := range s.forks {
		if f.err = maskErr; f.err == nil {
			f.process, f.err = os.StartProcess(f.path, f.argv, f.attr)
		}
		close(f.done)
	}
}
