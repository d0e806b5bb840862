package tree

// alive reports whether an incarnation of n itself exists, whatever may be left
// of things under it.
func (n *node) alive() bool {
	return n.state == Booting || n.state == Running || n.state == Stopping
}

// start begins a new incarnation of n, of which nothing lives.
func (t *Tree) start(n *node) {
	t.disarm(n)
	delete(t.awaited, n.id)
	n.inc++
	n.state, n.up, n.booted, n.ignored = Booting, true, false, false
	n.order, n.killed, n.startErr = unordered, false, nil
	n.since = t.now
	n.parent.live++
	if n.isActor() {
		t.emit(Boot{ID: n.id, Inc: n.inc, Data: n.data})
		return
	}
	n.ending, n.told, n.queue, n.history = false, false, nil, history{}
	if n.op = nil; n.isSerial() {
		t.populate(n)
		n.op = &op{kind: opInitial}
	}
	t.wake(n)
}

// populate makes a supervisor's children those of its specification again.
// Those that were there before remain who they were.
func (t *Tree) populate(s *node) {
	old := s.names
	s.first, s.last, s.names = nil, nil, nil
	for i := range s.spec.Supervisor.Children {
		spec := &s.spec.Supervisor.Children[i]
		n := old[spec.Name]
		if n == nil {
			n = t.add(s, spec, spec.Data, 0)
			n.listed = true
		} else {
			n.prev, n.next = nil, nil
			s.append(n)
		}
		n.fresh, n.tries, n.mark = true, 0, true
	}
}

// ready is where an incarnation has come up.
func (t *Tree) ready(n *node) {
	n.state, n.booted, n.fresh = Running, true, false
	n.since = t.now
	t.emit(Started{ID: n.id, Inc: n.inc})
	t.reply(n.starter, n.id, nil)
	n.starter = 0
	t.wake(n.parent)
}

// declined is where a start function has chosen not to run.
func (t *Tree) declined(n *node) {
	n.ignored, n.fresh, n.startErr = true, false, ErrIgnored
	n.state, n.reason = Stopped, Reason{Class: Normal}
	n.doomed = !n.kept()
	t.emit(Declined{ID: n.id, Inc: n.inc})
	t.over(n)
}

// exited is where an incarnation has ended, of an actor or a supervisor.
func (t *Tree) exited(n *node, r Reason) {
	if r.Class == Recycled && !n.booted { // nothing is won yet that a fresh one could go on with
		r = Reason{Cause: "recycled"}
	}
	told := n.order != unordered || n.parent.ending
	returns := t.returns(n, r)
	if returns {
		t.awaited[n.id] = n
	}
	t.emit(Ended{
		ID: n.id, Inc: n.inc, Reason: r,
		Starting:   !n.booted,
		Told:       told,
		Unexpected: told && !n.expected(r),
		Restarting: returns,
	})
	t.disarm(n)
	n.state, n.reason, n.ending = Dead, r, false
	switch {
	case told:
		t.obeyed(n)
	case !n.booted:
		t.failed(n)
	case n.parent.isSerial():
		t.enqueue(n.parent, task{kind: taskDeath, n: n, inc: n.inc})
	case n.restartable(r):
		t.again(n)
	default:
		t.settle(n)
	}
	t.over(n)
}

// over is called once n's own incarnation has ended: an actor's children go
// too, and then n is down.
func (t *Tree) over(n *node) {
	if n.isActor() {
		for c := n.last; c != nil; {
			prev := c.prev
			t.tell(c, byEnd, n.killed)
			if !c.up {
				t.drop(c)
			}
			c = prev
		}
	}
	if n.live == 0 {
		t.down(n)
	}
}

// down is where nothing of n lives any more.
func (t *Tree) down(n *node) {
	p := n.parent
	n.up = false
	p.live--
	t.release(n)
	if n.state == Waiting && n.timer.index == 0 && !p.isSerial() {
		t.start(n)
	}
	t.wake(p)
	if p.isActor() && p.up && !p.alive() && p.live == 0 {
		t.down(p)
	}
}

// release tells those who wait for n, of which nothing lives.
func (t *Tree) release(n *node) {
	if n.doomed {
		t.drop(n)
	}
	t.reply(n.starter, n.id, n.startErr)
	for _, call := range n.waiters {
		t.reply(call, n.id, nil)
	}
	n.starter, n.waiters = 0, nil
}

// obeyed is where n, told to stop, has ended or had just ended.
func (t *Tree) obeyed(n *node) {
	t.disarm(n)
	n.state = Stopped
	n.startErr = ErrAborted
	switch n.order {
	case byHand:
		n.doomed = !n.kept() || n.fresh && !n.listed
	case byGroup:
		n.doomed = n.isTemporary()
	default:
		n.doomed = !n.comesBack()
	}
}

// failed is where n has ended before it was ready, and nobody had told it to.
func (t *Tree) failed(n *node) {
	n.startErr = &StartError{ID: n.id, Name: n.spec.Name, Reason: n.reason}
	switch p := n.parent; {
	case p.isSerial():
		// Its supervisor's operation will see it.
		n.doomed = p.op != nil && p.op.kind == opChild && n.fresh && !n.listed
	case n.fresh:
		n.state, n.doomed = Stopped, true
	case n.fatal(n.reason), n.isTemporary():
		t.settle(n)
	default:
		t.again(n)
	}
}

// settle is where n has ended and is not restarted.
func (t *Tree) settle(n *node) {
	n.state = Stopped
	n.doomed = !n.kept()
	if n.fatal(n.reason) {
		t.emit(GaveUp{ID: n.id, Reason: n.reason})
	}
}

// advance does what a supervisor, or the root, can do now.
func (t *Tree) advance(s *node) {
	for s.up && (s.isRoot() || s.isSupervisor()) {
		switch {
		case s.ending:
			t.advanceEnd(s)
			return
		case s.state == Booting && s.op == nil: // all children are up
			t.ready(s)
			t.wake(s) // after its parent
			return
		case s.op != nil:
			if !t.advanceOp(s) {
				return
			}
		case len(s.queue) > 0:
			next := s.queue[0]
			s.queue = s.queue[1:]
			t.handle(s, next)
		default:
			return
		}
	}
}
