package tree

import (
	"slices"
	"time"
)

// State is what an actor or supervisor is doing.
type State uint8

const (
	Stopped  State = iota // no incarnation (OTP: undefined)
	Booting               // on its way up
	Running               // up
	Stopping              // told to stop, or a supervisor that is ending
	Dead                  // ended; its supervisor is busy and will deal with it
	Waiting               // ended; waits to be restarted (OTP: restarting)
)

func (s State) String() string {
	return name(s, "stopped", "booting", "running", "stopping", "dead", "restarting")
}

// order is who told a node to stop. A later order overrides an earlier one that
// is lower in this list.
type order uint8

const (
	unordered order = iota
	byHand          // TerminateChild; it stays down
	byGroup         // a restart of siblings; it is started again
	byEnd           // its parent's end
)

// A node is one logical actor or supervisor, or the root.
type node struct {
	id     ID
	spec   *Child
	data   any
	parent *node // nil for the root

	// The children, in start order, and how many of them are up.
	first, last *node
	prev, next  *node
	live        int
	names       map[string]*node // nil if they are not found by name

	state    State
	up       bool // it or something under it may live: counted in parent.live
	inc      uint64
	booted   bool // this incarnation was ready once
	order    order
	killed   bool
	reason   Reason // of the last end; of an ending supervisor: of that end
	since    time.Duration
	restarts uint64

	listed  bool // in its supervisor's Children
	fresh   bool // never ready since it was added, or since its supervisor started
	doomed  bool // leaves the tree as soon as nothing of it lives
	ignored bool // its last start was declined
	mark    bool // its supervisor's op is to stop or start it

	starter  Call // who waits for it to start
	startErr error
	waiters  []Call // who waits for it to be down

	tries   int     // restarts in a row, for Backoff
	history history // a supervisor's, or that of an actor on its own
	timer   timer

	// Of supervisors.
	ending bool
	told   bool // all children were told to stop, at the same time
	op     *op
	queue  []task
	woken  bool // is on the agenda
}

// isRoot, isSupervisor and isActor exclude each other.
func (n *node) isRoot() bool       { return n.parent == nil }
func (n *node) isSupervisor() bool { return n.parent != nil && n.spec.isSupervisor() }
func (n *node) isActor() bool      { return n.parent != nil && !n.spec.isSupervisor() }

func (n *node) isDynamic() bool {
	return n.isSupervisor() && n.spec.Supervisor.Strategy == Dynamic
}

// isSerial reports whether n is a supervisor that does one thing at a time.
func (n *node) isSerial() bool { return n.isSupervisor() && !n.isDynamic() }

// isAlone reports whether n has no supervisor above it.
func (n *node) isAlone() bool { return !n.parent.isSupervisor() }

func (n *node) isTemporary() bool { return n.spec.Restart == Temporary }

// kept reports whether n's specification outlives n's end by order.
func (n *node) kept() bool { return n.parent.isSerial() && !n.isTemporary() }

// comesBack reports whether n is there again when its supervisor is restarted.
func (n *node) comesBack() bool { return n.listed && !n.isTemporary() }

// budget returns what pays for a restart of n.
func (n *node) budget() (*history, Budget) {
	if n.isAlone() {
		return &n.history, n.spec.Budget
	}
	return &n.parent.history, n.parent.spec.Supervisor.Budget
}

// fatal reports whether a restart cannot mend what r says.
func (n *node) fatal(r Reason) bool {
	return r.Class == Abnormal && slices.Contains(n.spec.Fatal, r.Cause)
}

// restartable reports whether n's kind of child is restarted after an end of
// its own for the reason r.
func (n *node) restartable(r Reason) bool {
	switch {
	case n.isAlone() && n.isSupervisor(): // the top of a tree
		return false
	case n.fatal(r):
		return false
	case r.Class == Recycled:
		return true
	case n.spec.Restart == Permanent:
		return true
	}
	return n.spec.Restart == Transient && r.Class == Abnormal
}

// expected reports whether r is how a child ends that was told to stop.
func (n *node) expected(r Reason) bool {
	switch {
	case r == shutdown:
		return true
	case r.Class != Abnormal:
		return n.spec.Restart != Permanent
	case r.Cause == KilledCause:
		return n.killed
	}
	return false
}

// isDue reports whether n's supervisor is in the middle of something that will
// start n.
func (n *node) isDue() bool {
	o := n.parent.op
	return o != nil && (o.group || o.kind == opInitial) && n.mark && !n.up
}

// hasWaiting reports whether the supervisor n has put off a restart.
func (n *node) hasWaiting() bool {
	for c := n.first; c != nil; c = c.next {
		if c.state == Waiting {
			return true
		}
	}
	return false
}

// append adds c at the end of n's start order.
func (n *node) append(c *node) {
	if c.prev = n.last; n.last != nil {
		n.last.next = c
	} else {
		n.first = c
	}
	n.last = c
	if n.isSerial() {
		if n.names == nil {
			n.names = make(map[string]*node)
		}
		n.names[c.spec.Name] = c
	}
}

func (n *node) remove(c *node) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		n.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		n.last = c.prev
	}
	c.prev, c.next = nil, nil
	if n.names[c.spec.Name] == c {
		delete(n.names, c.spec.Name)
	}
}
