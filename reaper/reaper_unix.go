//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package reaper

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// program is the reaper of this program.
var program = reaper{watches: make(map[uint64]*watch)}

// errAside is returned by open and add if the system cannot tell of the end of
// this process: then a goroutine of its own has to wait for it.
var errAside = errors.New("no event for this process")

// A reaper is the processes that it watches and one goroutine, run.
type reaper struct {
	mu      sync.Mutex        // protects the following
	poller  *poller           // nil until the first use
	watches map[uint64]*watch // those whose end the poller will tell, by key
}

// A watch is one process on its way to its one call of notify. The platform
// adds a handle with the methods open, status, await and close.
type watch struct {
	process *os.Process
	before  func() // may be nil
	notify  func(Exit)
	key     uint64 // the poller's name for it
	handle
}

func watchProcess(p *os.Process, before func(), notify func(Exit)) error {
	w := &watch{process: p, before: before, notify: notify}
	err := program.add(w)
	if err == errAside {
		go w.reapAside()
		return nil
	}
	return err
}

// add makes run reap w when its process has ended. The lock is held until w is
// in the table, for its event may come at once. Nothing here blocks.
func (r *reaper) add(w *watch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.startLocked(); err != nil {
		return err
	}
	if err := w.open(); err != nil {
		return err
	}
	w.key = r.poller.key(w.process)
	err := error(syscall.EEXIST)
	if r.watches[w.key] == nil {
		err = r.poller.add(w)
	}
	if err != nil {
		w.close()
		return err
	}
	r.watches[w.key] = w
	return nil
}

// startLocked makes the poller and starts run, unless that is done. If it fails
// (for want of a descriptor, say) the next call tries again.
func (r *reaper) startLocked() error {
	if r.poller != nil {
		return nil
	}
	poller, err := newPoller()
	if err != nil {
		return err
	}
	r.poller = poller
	go r.run(poller)
	return nil
}

// run reaps what has ended, for the program's life.
func (r *reaper) run(p *poller) {
	for {
		for _, key := range p.wait() {
			w := r.take(key)
			ours, withheld := w.status()
			if ours && w.before != nil {
				w.before()
			}
			if withheld {
				go w.reap()
			} else {
				w.reap()
			}
		}
	}
}

// take removes a watch from the table.
func (r *reaper) take(key uint64) *watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.watches[key]
	delete(r.watches, key)
	return w
}

// reapAside is reap for a process whose end no event will tell.
func (w *watch) reapAside() {
	if w.await() && w.before != nil {
		w.before()
	}
	w.reap()
}

// reap takes the status of the process and tells it. It blocks only while the
// status is withheld; then the goroutine that calls it is w's own.
func (w *watch) reap() {
	w.close()
	state, err := w.process.Wait()
	e := Exit{Pid: w.process.Pid, Time: time.Now()}
	if err != nil {
		e.Err = err
	} else {
		e.describe(state)
	}
	w.notify(e)
}

// describe fills in what is known from the status.
func (e *Exit) describe(state *os.ProcessState) {
	e.Known = true
	e.Code = state.ExitCode()
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		e.Signal = status.Signal()
		e.Core = status.CoreDump()
	}
	e.User, e.System = state.UserTime(), state.SystemTime()
	e.MaxRSS = int64(state.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS != "darwin" { // in KiB everywhere else: getrusage(2)
		e.MaxRSS *= 1024
	}
}
