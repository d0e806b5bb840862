package tree

import (
	"iter"
	"time"
)

// Info is what is known of an actor or supervisor at one moment.
type Info struct {
	ID, Parent  ID
	Spec        *Child
	Data        any
	State       State
	Incarnation uint64        // counted from 1; 0 before the first
	Since       time.Duration // when it came up or, while booting, when that began
	// Restarts is how many restarts were ordered of it so far.
	Restarts uint64
	// Recent is how many restarts count against Limit now: its children's, for a
	// supervisor; its own, for an actor without one; otherwise both are 0.
	Recent, Limit int
	// Last says why the last incarnation ended, if one has.
	Last Reason
}

// Count is OTP's count_children.
type Count struct {
	Specs       int // all children
	Active      int // those that are up
	Supervisors int // by specification, dead or alive
	Workers     int // the same
}

// Info returns what is known of id.
func (t *Tree) Info(id ID) (Info, bool) {
	n := t.nodes[id]
	if n == nil || n.isRoot() {
		return Info{}, false
	}
	return t.info(n), true
}

// Children returns the children of a supervisor, an actor or the root, in start
// order (OTP: which_children, the other way round). The Tree must not be stepped
// meanwhile.
func (t *Tree) Children(id ID) iter.Seq[Info] {
	return func(yield func(Info) bool) {
		n := t.nodes[id]
		if n == nil {
			return
		}
		for c := n.first; c != nil; c = c.next {
			if !yield(t.info(c)) {
				return
			}
		}
	}
}

// Lookup returns the child of that name of a supervisor that is not dynamic.
func (t *Tree) Lookup(supervisor ID, name string) (ID, bool) {
	n := t.nodes[supervisor]
	if n == nil || n.names[name] == nil {
		return 0, false
	}
	return n.names[name].id, true
}

// Count counts the children of id.
func (t *Tree) Count(id ID) Count {
	var count Count
	for i := range t.Children(id) {
		count.Specs++
		if i.State == Running || i.State == Stopping {
			count.Active++
		}
		if i.Spec.isSupervisor() {
			count.Supervisors++
		} else {
			count.Workers++
		}
	}
	return count
}

func (t *Tree) info(n *node) Info {
	i := Info{
		ID: n.id, Parent: n.parent.id,
		Spec: n.spec, Data: n.data,
		State: n.state, Incarnation: n.inc, Since: n.since,
		Restarts: n.restarts, Last: n.reason,
	}
	switch {
	case n.isSupervisor():
		b := n.spec.Supervisor.Budget
		i.Recent, i.Limit = n.history.count(t.now, b), b.intensity()
	case n.isAlone():
		i.Recent, i.Limit = n.history.count(t.now, n.spec.Budget), n.spec.Budget.intensity()
	}
	return i
}
