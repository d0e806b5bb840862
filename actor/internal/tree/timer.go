package tree

import (
	"container/heap"
	"time"
)

// A timer is a node's only one: the end of its backoff or, of a supervisor, of
// its time to stop.
type timer struct {
	at    time.Duration
	index int // in timers, counted from 1; 0 means not set
}

// timers is a heap, by time and then by ID.
type timers []*node

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	if t[i].timer.at != t[j].timer.at {
		return t[i].timer.at < t[j].timer.at
	}
	return t[i].id < t[j].id
}
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].timer.index, t[j].timer.index = i+1, j+1
}
func (t *timers) Push(x any) {
	n := x.(*node)
	*t = append(*t, n)
	n.timer.index = len(*t)
}
func (t *timers) Pop() any {
	last := len(*t) - 1
	n := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	n.timer.index = 0
	return n
}

func (t *Tree) arm(n *node, d time.Duration) {
	t.disarm(n)
	n.timer.at = until(t.now, d)
	heap.Push(&t.timers, n)
}

func (t *Tree) disarm(n *node) {
	if n.timer.index != 0 {
		heap.Remove(&t.timers, n.timer.index-1)
	}
}

// until returns the time d after now, which saturates.
func until(now, d time.Duration) time.Duration {
	if at := now + d; at >= now {
		return at
	}
	return 1<<63 - 1
}

func (t *Tree) tick() {
	for len(t.timers) > 0 && t.timers[0].timer.at <= t.now {
		n := heap.Pop(&t.timers).(*node)
		switch {
		case n.ending:
			t.kill(n)
		case n.state == Waiting && n.parent.isSerial():
			t.enqueue(n.parent, task{kind: taskRetry, n: n, inc: n.inc})
		case n.state == Waiting && !n.up:
			t.start(n)
		}
	}
}
