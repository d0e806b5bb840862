package node

import (
	"container/heap"
	"sync"
	"time"
)

// A watchdog looks now and then at the processes that have a time limit, or a memory limit that the kernel does not
// keep. It is for all actors of a node; it has one timer, which is not set when nobody
// need be looked at, and no part in the path of a message but guard.wake.
type watchdog struct {
	looking sync.Mutex // held while guards look

	mu     sync.Mutex // protects the following
	due    guards
	timer  *time.Timer // nil if none is set
	closed bool
}

// guards is a heap, by when they are due.
type guards []*guard

func (q guards) Len() int           { return len(q) }
func (q guards) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q guards) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i+1, j+1
}
func (q *guards) Push(x any) {
	g := x.(*guard)
	*q = append(*q, g)
	g.place = len(*q)
}
func (q *guards) Pop() any {
	last := len(*q) - 1
	g := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	g.place = 0
	return g
}

// schedule has g look at that time, or before if that is planned already.
func (d *watchdog) schedule(g *guard, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return
	case g.place == 0:
		g.at = at
		heap.Push(&d.due, g)
	case at.Before(g.at):
		g.at = at
		heap.Fix(&d.due, g.place-1)
	}
	d.armLocked()
}

// forget ends g's schedule. It waits for a look under way.
func (d *watchdog) forget(g *guard) {
	d.looking.Lock()
	defer d.looking.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.place > 0 {
		heap.Remove(&d.due, g.place-1)
	}
	d.armLocked()
}

// armLocked sets the timer for the first of them.
func (d *watchdog) armLocked() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if len(d.due) > 0 && !d.closed {
		d.timer = time.AfterFunc(time.Until(d.due[0].at), d.look)
	}
}

// look has those look that are due.
func (d *watchdog) look() {
	d.looking.Lock()
	defer d.looking.Unlock()
	for {
		d.mu.Lock()
		now := time.Now()
		if d.closed || len(d.due) == 0 || d.due[0].at.After(now) {
			d.armLocked()
			d.mu.Unlock()
			return
		}
		g := heap.Pop(&d.due).(*guard)
		d.mu.Unlock()
		if next := g.look(now); !next.IsZero() {
			d.schedule(g, next)
		}
	}
}

// close waits for a look under way; there is none after it.
func (d *watchdog) close() {
	d.mu.Lock()
	d.closed = true
	d.armLocked()
	d.mu.Unlock()
	d.looking.Lock()
	defer d.looking.Unlock()
}
