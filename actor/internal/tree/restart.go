package tree

import (
	"fmt"
	"slices"
	"time"
)

// An op is what a serial supervisor is in the middle of: first stop some
// children, last started first, then start some, each after the other.
type op struct {
	kind opKind
	// n is the child that it is about; nil for opInitial.
	n *node
	// group says that all marked children belong to it, otherwise n alone does.
	group bool
	// stopping is its first half.
	stopping bool
	// hold ends it after its first half. What it is for is done by a later one.
	hold bool
	// again: an earlier attempt has failed, or was put off.
	again bool
	// starting is the child whose start it waits for.
	starting *node
	started  bool // n, if it is not a group
}

type opKind uint8

const (
	opInitial opKind = iota // start the supervisor's own list
	opChild                 // start one child, by request
	opRestart               // restart n, and those that go with it
)

// A task waits until its supervisor has nothing else to do.
type task struct {
	kind taskKind
	n    *node
	inc  uint64
	spec *Child // of taskStart
	call Call
}

type taskKind uint8

const (
	taskDeath   taskKind = iota // n has ended by itself
	taskRetry                   // n's restart is due
	taskStart                   // StartChild
	taskRestart                 // RestartChild
	taskDelete                  // DeleteChild
)

func (t *Tree) enqueue(s *node, k task) {
	s.queue = append(s.queue, k)
	t.wake(s)
}

// handle begins with the next thing in an idle supervisor's queue.
func (t *Tree) handle(s *node, k task) {
	switch k.kind {
	case taskStart:
		t.startChild(s, k)
	case taskRestart:
		t.restartChild(s, k)
	case taskDelete:
		t.callDelete(DeleteChild{Call: k.call, ID: k.n.id})
	case taskRetry:
		if k.n.state == Waiting && k.n.inc == k.inc {
			t.begin(s, &op{kind: opRestart, n: k.n, again: true})
		}
	case taskDeath:
		switch n := k.n; {
		case n.state != Dead || n.inc != k.inc: // dealt with in another way
		case n.restartable(n.reason):
			t.restart(s, n, false)
		default:
			t.settle(n)
			t.autoShutdown(s, n)
			if n.doomed && !n.up {
				t.drop(n)
			}
		}
	}
}

// autoShutdown is where n has ended by itself and is not restarted.
func (t *Tree) autoShutdown(s, n *node) {
	if !n.spec.Significant {
		return
	}
	if s.spec.Supervisor.AutoShutdown == AllSignificant {
		for c := s.first; c != nil; c = c.next {
			if c.spec.Significant && c.state != Stopped {
				return
			}
		}
	}
	t.end(s, shutdown)
}

// pay takes a restart of n from its budget. If there is none left, whoever the
// budget belongs to gives up.
func (t *Tree) pay(n *node) bool {
	if n.reason.Class == Recycled {
		return true
	}
	if h, b := n.budget(); h.add(t.now, b) {
		return true
	}
	n.state = Stopped
	n.doomed = !n.kept()
	if n.isAlone() {
		t.emit(GaveUp{ID: n.id, Reason: n.reason})
	} else {
		t.emit(GaveUp{ID: n.parent.id, Reason: n.reason})
		t.end(n.parent, shutdown)
	}
	return false
}

// wait makes n wait for its restart, and returns for how long.
func (t *Tree) wait(n *node) time.Duration {
	if n.booted && n.spec.Backoff.healthy(t.now-n.since) {
		n.tries = 0
	}
	n.restarts++
	n.state = Waiting
	if n.reason.Class == Recycled {
		t.emit(Restarting{ID: n.id})
		return 0
	}
	random := 0.0
	if t.cfg.Random != nil && n.spec.Backoff.Jitter > 0 {
		random = t.cfg.Random()
	}
	d := n.spec.Backoff.delay(n.tries, random)
	n.tries++
	t.emit(Restarting{ID: n.id, In: d})
	if d > 0 {
		t.arm(n, d)
	}
	return d
}

// again restarts a child that its siblings have nothing to do with, as soon as
// nothing of it lives: see down.
func (t *Tree) again(n *node) {
	if t.pay(n) {
		t.wait(n)
	}
}

// restart begins a restart of n, or the next attempt after a failed one.
func (t *Tree) restart(s, n *node, failed bool) {
	s.op = nil
	if !t.pay(n) {
		return
	}
	d := t.wait(n)
	if failed && d == 0 {
		// What has come in meanwhile goes first: a request to stop, for one.
		t.enqueue(s, task{kind: taskRetry, n: n, inc: n.inc})
	}
	t.begin(s, &op{kind: opRestart, n: n, hold: failed || d > 0, again: failed})
}

// begin marks who belongs to a restart.
func (t *Tree) begin(s *node, o *op) {
	s.op, o.stopping = o, true
	strategy := s.spec.Supervisor.Strategy
	if o.group = strategy != OneForOne && o.n.reason.Class != Recycled; !o.group {
		return
	}
	in := strategy == OneForAll
	for c := s.first; c != nil; c = c.next {
		in = in || c == o.n
		c.mark = in
	}
}

// advanceOp goes on with an operation, and reports false if that has to wait.
func (t *Tree) advanceOp(s *node) bool {
	o := s.op
	if o.stopping {
		if !t.stopGroup(s, o) {
			return false
		}
		o.stopping = false
		if o.hold {
			s.op = nil
			return true
		}
	}
	if n := o.starting; n != nil {
		if n.up && !n.booted {
			return false
		}
		o.starting = nil
		if !n.booted {
			t.notStarted(s, o, n)
			return true
		}
	}
	if o.starting = t.nextToStart(s, o); o.starting == nil {
		s.op = nil
		return true
	}
	t.start(o.starting)
	return true
}

// stopGroup stops the children that a restart begins with, and reports whether
// all are down.
func (t *Tree) stopGroup(s *node, o *op) bool {
	if !o.group {
		return !o.n.up
	}
	for c := s.last; c != nil; {
		prev := c.prev
		switch {
		case !c.mark:
		case c.up && c == o.n: // something under it still lives
			return false
		case c.up:
			t.tell(c, byGroup, false)
			return false
		case c != o.n:
			t.disarm(c)
			if c.state = Stopped; c.isTemporary() {
				t.drop(c)
			}
		}
		c = prev
	}
	return true
}

// nextToStart returns the next child of the operation that is down.
func (t *Tree) nextToStart(s *node, o *op) *node {
	if o.kind != opInitial && !o.group {
		if o.started || o.kind == opRestart && o.n.state != Waiting {
			return nil
		}
		o.started = true
		return o.n
	}
	for c := s.first; c != nil; c = c.next {
		if c.mark && !c.up {
			c.mark = false
			return c
		}
	}
	return nil
}

// notStarted is where n, which o has started, did not come up.
func (t *Tree) notStarted(s *node, o *op, n *node) {
	switch {
	case n.ignored:
	case n.state == Stopped: // by hand
		if o.again && n == o.n {
			s.op = nil // the loop ends
		}
	case o.kind == opInitial:
		t.end(s, Reason{Class: Shutdown, Cause: fmt.Sprintf("failed to start child %q: %v", n.spec.Name, n.reason)})
	case o.kind == opChild:
		n.state = Stopped
	case n.fatal(n.reason), n.isTemporary(): // a temporary one that was recycled
		t.settle(n)
		t.autoShutdown(s, n)
		if n.doomed && !n.up {
			t.drop(n)
		}
	default:
		t.restart(s, n, true)
	}
}

// returns predicts whether n, which ends for the reason r, is started again.
func (t *Tree) returns(n *node, r Reason) bool {
	p := n.parent
	switch {
	case n.isRoot(), n.order == byHand:
		return false
	case p.ending || n.order == byEnd:
		return n.comesBack() && t.returns(p, p.reason)
	case n.order == byGroup:
		return n.mark && !n.isTemporary()
	case n.booted && !n.restartable(r), n.fatal(r):
		return false
	case !n.booted && p.isSerial() && p.op.kind == opInitial:
		return n.comesBack() && t.returns(p, shutdown)
	case !n.booted && (p.isSerial() && p.op.kind == opChild || !p.isSerial() && n.fresh || n.isTemporary()):
		return false
	case r.Class == Recycled:
		return true
	}
	if h, b := n.budget(); !h.full(t.now, b) {
		return true
	}
	return !n.isAlone() && n.comesBack() && t.returns(p, shutdown)
}

// disappoint tells of those that will not come back after all.
func (t *Tree) disappoint() {
	var stay []ID
	for id, n := range t.awaited {
		if !t.isAwaited(n) {
			stay = append(stay, id)
		}
	}
	slices.Sort(stay)
	for _, id := range stay {
		delete(t.awaited, id)
		t.emit(Stays{ID: id})
	}
}

// isAwaited reports whether n, which has ended, is started again as things stand.
func (t *Tree) isAwaited(n *node) bool {
	p := n.parent
	switch {
	case n.doomed:
		return false
	case n.state == Dead, n.state == Waiting:
		return true
	case p.alive() && !p.ending:
		return n.mark && (n.isDue() || p.hasWaiting())
	case p.alive():
		return n.comesBack() && t.returns(p, p.reason)
	}
	return n.comesBack() && t.awaited[p.id] != nil && t.isAwaited(p)
}
