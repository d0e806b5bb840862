package node

import (
	"sync"
	"time"
)

// chores are what a start or an end leaves to do and nobody waits for: to fork the next standby, to unmap
// memory, to close files. Each takes as long as a tenth of a restart or more, so they wait until that, and the first
// messages after it, have had the processors.
type chores struct {
	doing sync.Mutex // held while they are done

	mu    sync.Mutex // protects the following
	left  []func()
	timer *time.Timer // runs do; nil if nothing is left
}

// breather is how long they wait. A restart with a standby takes about as long.
const breather = time.Millisecond

// later has f run soon, by anybody.
func (c *chores) later(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = append(c.left, f)
	if c.timer == nil {
		c.timer = time.AfterFunc(breather, c.do)
	}
}

// do runs here and now what is left to do, and returns when that is done. Whoever needs what it gives back
// calls it: who forks needs descriptors.
func (c *chores) do() {
	c.doing.Lock()
	defer c.doing.Unlock()
	c.mu.Lock()
	left, timer := c.left, c.timer
	c.left, c.timer = nil, nil
	c.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	for _, f := range left {
		f()
	}
}
