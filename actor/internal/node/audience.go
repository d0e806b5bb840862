package node

import (
	"sync"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// An audience is who wants to know of an actor's or a supervisor's end.
type audience struct {
	mu       sync.Mutex // protects the following
	over     bool
	monitors map[monitor]watch
}

// monitor names one monitor: who watches, under which number. A link between two
// actors is two monitors with the number 0.
type monitor struct {
	watcher *link // nil for the program itself
	id      uint64
}

// watch is what a monitor waits for.
type watch struct {
	final  bool // the end for good, not that of a process
	notify func(*wire.Down)
}

// add registers a monitor; under the same name only once. It reports false if all is
// over. notify must not block.
func (a *audience) add(m monitor, w watch) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return false
	}
	if a.monitors == nil {
		a.monitors = make(map[monitor]watch)
	}
	a.monitors[m] = w
	return true
}

// remove reports whether the monitor was still there.
func (a *audience) remove(m monitor) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.monitors[m]
	delete(a.monitors, m)
	return ok
}

// inform tells of the end of one process; who waits for the end for good only if it is that.
// Each is told once.
func (a *audience) inform(down *wire.Down, final bool) {
	a.mu.Lock()
	var told []watch
	for m, w := range a.monitors {
		if final || !w.final {
			told = append(told, w)
			delete(a.monitors, m)
		}
	}
	a.mu.Unlock()
	for _, w := range told {
		w.notify(down)
	}
}

// reopen is for a supervisor that is up again.
func (a *audience) reopen() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = false
}

// close tells everybody, and takes no further monitors.
func (a *audience) close(down *wire.Down) {
	a.mu.Lock()
	a.over = true
	a.mu.Unlock()
	a.inform(down, true)
}
