package tree

import (
	"fmt"
	"testing"
	"time"
)

// A checker looks at all that a tree does and complains about what must never
// be. It keeps its own books, and believes the tree's only where it compares
// them with its own.
type checker struct {
	t      testing.TB
	tree   *Tree
	now    time.Duration
	parent map[ID]ID
	spec   map[ID]*Child
	live   map[ID]uint64 // the incarnation of each process
	inc    map[ID]uint64
	paid   map[ID][]time.Duration // restarts that its budget paid, in its present incarnation
	calls  map[Call]bool          // not answered yet
	due    map[ID]bool            // ended, and said to be restarted
	free   map[ID]bool            // its last end was to be recycled: that restart costs nothing
	last   Event
	fail   func(format string, args ...any)
}

func newChecker(t testing.TB, tree *Tree) *checker {
	c := &checker{
		t: t, tree: tree,
		parent: map[ID]ID{}, spec: map[ID]*Child{}, live: map[ID]uint64{}, inc: map[ID]uint64{},
		paid: map[ID][]time.Duration{}, calls: map[Call]bool{}, due: map[ID]bool{}, free: map[ID]bool{},
	}
	c.fail = func(format string, args ...any) {
		t.Helper()
		t.Fatalf("after %#v at %v: %s", c.last, c.now, fmt.Sprintf(format, args...))
	}
	return c
}

// step steps the tree and checks what comes of it.
func (c *checker) step(now time.Duration, e Event) []Effect {
	c.now, c.last = now, e
	var call Call
	switch e := e.(type) {
	case StartChild:
		call = e.Call
	case TerminateChild:
		call = e.Call
	case RestartChild:
		call = e.Call
	case DeleteChild:
		call = e.Call
	case Exited:
		if c.live[e.ID] == e.Inc {
			delete(c.live, e.ID)
		}
	case Ignored:
		if c.live[e.ID] == e.Inc {
			delete(c.live, e.ID)
		}
	}
	if call != 0 {
		c.calls[call] = true
	}
	effects := c.tree.Step(now, e)
	doomed := map[ID]bool{} // said not to be restarted
	for _, f := range effects {
		c.effect(f)
		switch f := f.(type) {
		case Ended:
			doomed[f.ID] = !f.Restarting
		case Restarting:
			if doomed[f.ID] {
				c.fail("%d is restarted, and was said not to be", f.ID)
			}
		}
	}
	c.structure(c.tree.root)
	if _, timer := c.tree.Next(); len(c.live) == 0 && !timer && len(c.due) > 0 {
		c.fail("nothing lives, and these are said to come back: %v", c.due)
	}
	return effects
}

func (c *checker) effect(f Effect) {
	switch f := f.(type) {
	case Added:
		c.parent[f.ID], c.spec[f.ID] = f.Parent, f.Spec
	case Boot:
		if c.live[f.ID] != 0 {
			c.fail("%d is started a second time", f.ID)
		}
		if f.Inc != c.inc[f.ID]+1 {
			c.fail("%d: incarnation %d after %d", f.ID, f.Inc, c.inc[f.ID])
		}
		if p := c.parent[f.ID]; c.spec[p] != nil && !c.spec[p].isSupervisor() && c.live[p] == 0 {
			c.fail("%d is started under a dead actor", f.ID)
		}
		c.live[f.ID], c.inc[f.ID] = f.Inc, f.Inc
		delete(c.due, f.ID)
	case Stop:
		if c.live[f.ID] != f.Inc {
			c.fail("incarnation %d of %d is to be stopped, and %d lives", f.Inc, f.ID, c.live[f.ID])
		}
	case Started:
		delete(c.due, f.ID)
	case Stays:
		if !c.due[f.ID] {
			c.fail("%d stays down, and was not said to come back", f.ID)
		}
		delete(c.due, f.ID)
	case Ended:
		c.free[f.ID] = f.Reason.Class == Recycled
		if delete(c.due, f.ID); f.Restarting {
			c.due[f.ID] = true
		}
		if c.live[f.ID] != 0 {
			c.fail("%d has ended, and lives", f.ID)
		}
		if c.spec[f.ID].isSupervisor() {
			c.nothingUnder(f.ID)
			delete(c.paid, f.ID)
		}
	case Restarting:
		if c.free[f.ID] {
			return
		}
		who, b := c.payer(f.ID)
		c.paid[who] = append(c.paid[who], c.now)
		if n := c.recent(who, b); n > b.intensity() {
			c.fail("restart %d of %d within %v: %v", n, b.intensity(), b.period(), c.paid[who])
		}
	case GaveUp:
		if (&node{spec: c.spec[f.ID]}).fatal(f.Reason) && !c.spec[f.ID].isSupervisor() {
			return
		}
		if b := c.budget(f.ID); c.recent(f.ID, b) != b.intensity() {
			c.fail("%d gave up with %d of %d: %v", f.ID, c.recent(f.ID, b), b.intensity(), c.paid[f.ID])
		}
	case Gone:
		c.nothingUnder(f.ID)
		delete(c.due, f.ID)
		delete(c.parent, f.ID)
		delete(c.paid, f.ID)
	case Reply:
		if !c.calls[f.Call] {
			c.fail("a second reply to %d", f.Call)
		}
		delete(c.calls, f.Call)
	}
}

func (c *checker) budget(id ID) Budget {
	if s := c.spec[id].Supervisor; s != nil {
		return s.Budget
	}
	return c.spec[id].Budget
}

// payer returns whose budget pays for a restart of id.
func (c *checker) payer(id ID) (ID, Budget) {
	if p := c.parent[id]; c.spec[p] != nil && c.spec[p].isSupervisor() {
		return p, c.budget(p)
	}
	return id, c.budget(id)
}

func (c *checker) recent(id ID, b Budget) int {
	n := 0
	for _, at := range c.paid[id] {
		if c.now-at <= b.period() {
			n++
		}
	}
	return n
}

// nothingUnder fails if a process lives that belongs to id.
func (c *checker) nothingUnder(id ID) {
	for p := range c.live {
		for up := p; up != 0; up = c.parent[up] {
			if up == id {
				c.fail("%d is over, and %d under it lives", id, p)
			}
		}
	}
}

// structure checks what must hold between two steps.
func (c *checker) structure(n *node) {
	if c.tree.nodes[n.id] != n && !(n.isRoot() && !n.up) {
		c.fail("%d is not known", n.id)
	}
	if n.history.size > n.history.limit(n) || len(n.history.at) > n.history.limit(n) {
		c.fail("%d remembers %d restarts", n.id, n.history.size)
	}
	if n.isSupervisor() && !n.up && n.live != 0 {
		c.fail("%d is down, and something under it is up", n.id)
	}
	if n.up != (n.alive() || n.live > 0) {
		c.fail("%d: up is %v in state %v with %d live", n.id, n.up, n.state, n.live)
	}
	if n.isActor() && n.alive() != (c.live[n.id] != 0) {
		c.fail("%d is %v, and incarnation %d lives", n.id, n.state, c.live[n.id])
	}
	live, booting, stopping := 0, 0, 0
	for s := n.first; s != nil; s = s.next {
		c.structure(s)
		if s.up {
			live++
		}
		if s.state == Booting {
			booting++
		}
		if s.up && s.order == byEnd {
			stopping++
			if n.isSerial() && !n.killed && s.next != nil && s.next.up {
				c.fail("%d is stopped before %d", s.id, s.next.id)
			}
		}
		if n.isSerial() && n.op != nil && n.op.kind == opInitial && s.state == Booting {
			for later := s.next; later != nil; later = later.next {
				if later.up {
					c.fail("%d was started before %d", later.id, s.id)
				}
			}
		}
		if s.state == Waiting && !s.up && s.timer.index == 0 && !(n.isSerial() && n.op != nil) {
			c.fail("%d waits for nothing", s.id)
		}
	}
	if live != n.live {
		c.fail("%d counts %d of %d live", n.id, n.live, live)
	}
	if n.isSerial() && (booting > 1 || stopping > 1 && !n.killed) {
		c.fail("%d starts %d and stops %d at once", n.id, booting, stopping)
	}
	if n.isSerial() && n.op == nil && !n.ending && len(n.queue) > 0 {
		c.fail("%d is idle with %d tasks", n.id, len(n.queue))
	}
}

func (h *history) limit(n *node) int {
	if n.isSupervisor() {
		return n.spec.Supervisor.Budget.intensity()
	}
	return n.spec.Budget.intensity()
}
