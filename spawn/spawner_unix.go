//go:build linux || darwin

package spawn

import (
	"os"
	"runtime"
	"sync"
)

// theSpawner forks for the whole program.
var theSpawner = spawner{forks: make(chan *fork)}

// A spawner forks on one thread that never ends, because PR_SET_PDEATHSIG
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

// start starts the process on the spawner's thread. It blocks until exec has
// succeeded or failed.
func (s *spawner) start(path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	s.once.Do(func() { go s.run() })
	f := &fork{path: path, argv: argv, attr: attr, done: make(chan struct{})}
	s.forks <- f
	<-f.done
	return f.process, f.err
}

// run is the spawner's goroutine. It ends with the program.
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
