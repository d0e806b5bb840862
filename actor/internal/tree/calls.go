package tree

import "errors"

func (t *Tree) callStart(e StartChild) {
	p := t.nodes[e.Under]
	if p == nil {
		t.reply(e.Call, 0, ErrNotFound)
		return
	}
	spec, data, err := childOf(p, e)
	switch {
	case err != nil:
		t.reply(e.Call, 0, err)
	case t.root.ending || p.ending || !p.alive() || p.isActor() && p.state == Stopping:
		t.reply(e.Call, 0, ErrNotRunning)
	case p.isSerial():
		k := task{kind: taskStart, spec: spec, call: e.Call}
		// What became of one that has just ended is known when its turn has come.
		if n := p.names[spec.Name]; n != nil && n.state == Dead || !t.present(p, k) {
			t.enqueue(p, k)
		}
	default:
		t.start(t.add(p, spec, data, e.Call))
	}
}

// childOf returns what e is to start under p, checked.
func childOf(p *node, e StartChild) (*Child, any, error) {
	switch {
	case p.isDynamic():
		template := &p.spec.Supervisor.Children[0]
		if e.Child != nil {
			return nil, nil, ErrTemplate
		}
		if e.Data == nil {
			return template, template.Data, nil
		}
		return template, e.Data, nil
	case e.Child == nil:
		return nil, nil, errors.New("nothing to start")
	case p.isSupervisor():
		return e.Child, e.Child.Data, e.Child.checkUnder(p.spec.Supervisor, 0)
	}
	return e.Child, e.Child.Data, e.Child.Check()
}

// present answers k if a child of that name is there.
func (t *Tree) present(s *node, k task) bool {
	n := s.names[k.spec.Name]
	switch {
	case n == nil:
		return false
	case n.state == Stopped || n.state == Waiting:
		t.reply(k.call, n.id, ErrPresent)
	default:
		t.reply(k.call, n.id, ErrStarted)
	}
	return true
}

func (t *Tree) startChild(s *node, k task) {
	if t.present(s, k) {
		return
	}
	n := t.add(s, k.spec, k.spec.Data, k.call)
	s.op = &op{kind: opChild, n: n}
}

func (t *Tree) callTerminate(e TerminateChild) {
	n := t.nodes[e.ID]
	if n == nil {
		t.reply(e.Call, 0, ErrNotFound)
		return
	}
	n.waiters = append(n.waiters, e.Call)
	if n.isRoot() {
		t.endRoot(e.Kill)
		return
	}
	n.mark = false // a restart that it belongs to goes on without it
	t.tell(n, byHand, e.Kill)
	if !n.up {
		t.release(n)
	}
}

// stopped returns the child of that ID, if it is one that a supervisor keeps a
// specification of and that is stopped.
func (t *Tree) stopped(id ID) (*node, error) {
	switch n := t.nodes[id]; {
	case n == nil:
		return nil, ErrNotFound
	case n.isRoot() || !n.parent.isSerial():
		return nil, ErrDynamic
	case n.state == Waiting, n.isDue():
		return nil, ErrRestarting
	case n.up || n.state != Stopped:
		return nil, ErrRunning
	default:
		return n, nil
	}
}

func (t *Tree) callRestart(e RestartChild) {
	n, err := t.stopped(e.ID)
	if err == ErrRunning && t.nodes[e.ID].state == Dead {
		n, err = t.nodes[e.ID], nil
	}
	switch {
	case err != nil:
		t.reply(e.Call, e.ID, err)
	case t.root.ending || n.parent.ending || !n.parent.alive():
		t.reply(e.Call, e.ID, ErrNotRunning)
	default:
		t.enqueue(n.parent, task{kind: taskRestart, n: n, call: e.Call})
	}
}

// restartChild is callRestart when the supervisor has got to it.
func (t *Tree) restartChild(s *node, k task) {
	n, err := t.stopped(k.n.id)
	if err != nil {
		t.reply(k.call, k.n.id, err)
		return
	}
	n.starter, n.tries = k.call, 0
	s.op = &op{kind: opChild, n: n}
}

func (t *Tree) callDelete(e DeleteChild) {
	n, err := t.stopped(e.ID)
	if err == ErrRunning && t.nodes[e.ID].state == Dead {
		n := t.nodes[e.ID]
		t.enqueue(n.parent, task{kind: taskDelete, n: n, call: e.Call})
		return
	}
	if err == nil {
		t.drop(n)
	}
	t.reply(e.Call, e.ID, err)
}
