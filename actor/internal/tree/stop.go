package tree

// tell tells n to stop, on account of o. It does nothing that was done before.
func (t *Tree) tell(n *node, o order, kill bool) {
	first := n.order == unordered
	n.order = max(n.order, o)
	if !n.alive() {
		t.obeyed(n)
	}
	switch limit := n.spec.shutdown(); {
	case kill:
		t.kill(n)
	case !n.alive():
	case n.isSupervisor():
		if t.end(n, shutdown); first {
			t.limit(n)
		}
	case n.state == Booting: // a boot is aborted
		t.kill(n)
	case n.state == Running:
		n.state, n.killed = Stopping, limit == Kill
		t.emit(Stop{ID: n.id, Inc: n.inc, Timeout: limit})
	}
}

// limit begins the time that a supervisor has to stop.
func (t *Tree) limit(s *node) {
	switch limit := s.spec.shutdown(); {
	case limit == Kill:
		t.kill(s)
	case limit != Infinite:
		t.arm(s, limit)
	}
}

// kill ends n and everything under it without notice, and all at once.
func (t *Tree) kill(n *node) {
	if n.killed || !n.up {
		return
	}
	n.killed = true
	if n.isActor() && n.alive() {
		n.state = Stopping
		t.emit(Stop{ID: n.id, Inc: n.inc, Timeout: Kill})
	}
	if !n.isActor() {
		t.end(n, killed)
		n.reason = killed
	}
	for c := n.last; c != nil; c = c.prev {
		if c.up {
			t.tell(c, byEnd, true)
		}
	}
}

// end begins the end of a supervisor or of the root.
func (t *Tree) end(s *node, r Reason) {
	if s.ending {
		return
	}
	s.ending, s.state, s.reason = true, Stopping, r
	s.op = nil
	for _, k := range s.queue {
		t.reply(k.call, 0, ErrNotRunning)
	}
	s.queue = nil
	for c := s.first; c != nil; c = c.next {
		if c.state == Waiting || c.state == Dead {
			t.disarm(c)
			c.state = Stopped
			c.doomed = !c.comesBack()
		}
	}
	t.wake(s)
}

// advanceEnd stops the children: of a dynamic supervisor all at the same time,
// of another one each after the other, last started first.
func (t *Tree) advanceEnd(s *node) {
	together := s.isDynamic()
	if s.live > 0 && s.told {
		return
	}
	s.told = together
	for c := s.last; c != nil; {
		prev := c.prev
		if c.up {
			t.tell(c, byEnd, false)
			if !together {
				return
			}
		} else if c.state = Stopped; !c.comesBack() {
			t.drop(c)
		}
		c = prev
	}
	if s.live > 0 {
		return
	}
	if s.isRoot() {
		s.state, s.up = Stopped, false
		t.release(s)
		return
	}
	t.exited(s, s.reason)
}

// endRoot ends everything.
func (t *Tree) endRoot(kill bool) {
	switch {
	case !t.root.up:
		t.release(t.root)
	case kill:
		t.kill(t.root)
	default:
		t.end(t.root, shutdown)
	}
}
