package cgroup

import (
	"errors"
	"fmt"
	"runtime"
)

// legacyFiles are those of version 1 that say that a resource can be limited.
var legacyFiles = [resources]string{
	memory: "/memory.limit_in_bytes", cpu: "/cpu.cfs_quota_us", tasks: "/pids.max",
}

// openLegacy finds out what version 1 can do here of what version 2 cannot.
func (m *Manager) openLegacy(here location) {
	known := map[string]*hierarchy{} // controllers may share one
	open := func(r resource, controller, file string) {
		dir, _, err := here.group(controller)
		if err == errAbsent && len(m.reasons[r]) > 0 {
			return // what version 2 has said is enough
		}
		if err != nil {
			m.refuse(r, 1, fmt.Errorf("the %s controller is %w", controller, err))
			return
		}
		h := known[dir]
		if h == nil {
			h = &hierarchy{version: 1, home: dir, parent: dir}
			known[dir] = h
		}
		if err := h.probe(func(dir string) error { return h.tryOut(dir, file) }); err != nil {
			m.refuse(r, 1, err)
			return
		}
		m.give(r, h)
	}
	for r := range kill {
		if m.at[r] == nil {
			open(r, controllers[r], legacyFiles[r])
		}
	}
	// Any of them knows its processes. That of tasks is best: it can forbid fork.
	for _, r := range []resource{tasks, memory, cpu} {
		if h := m.at[r]; h != nil {
			m.give(kill, h)
		}
	}
	if m.at[kill] == nil {
		open(kill, "freezer", "/cgroup.procs")
	}
}

// tryOut does with a group what Start will do.
func (h *hierarchy) tryOut(dir, file string) error {
	if !exists(dir + file) {
		return fmt.Errorf("%s has no %s", h.parent, file[1:])
	}
	done := make(chan error)
	try := func() {
		runtime.LockOSThread()
		err := enterThread(dir)
		if err == nil {
			err = enterThread(h.home)
		}
		if err == nil {
			runtime.UnlockOSThread()
		} // else the thread ends with this goroutine
		done <- err
	}
	go try()
	if err := <-done; err != nil {
		return fmt.Errorf("a thread of the program cannot go into a group and back: %w", err)
	}
	return nil
}

// enterThread moves the calling thread into a group of version 1. "0" is the
// caller: so the kernel need not stop all others that fork meanwhile, which takes
// it 20 ms when it has not done so lately.
func enterThread(dir string) error { return write(dir+"/tasks", "0") }

// leaveThreads brings the calling thread home from the places it has entered.
func leaveThreads(places []*place) error {
	var all error
	for _, p := range places {
		all = errors.Join(all, enterThread(p.home))
	}
	return all
}
