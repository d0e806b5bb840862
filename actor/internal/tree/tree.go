package tree

import (
	"fmt"
	"time"
)

// Config is what a Tree gets from outside. Its zero value will do.
type Config struct {
	// Random returns numbers in [0,1) for the jitter of backoffs; nil means that
	// there is none.
	Random func() float64
}

// A Tree is the state of all actors and supervisors of one system. New makes
// one. It belongs to one goroutine.
type Tree struct {
	cfg    Config
	now    time.Duration
	root   *node
	nodes  map[ID]*node
	lastID ID
	timers timers
	// awaited are those whose Ended said Restarting, until that has come true or not.
	awaited map[ID]*node
	agenda  []*node // supervisors that may have something to do
	out     []Effect
}

// New returns a tree in which nothing runs.
func New(cfg Config) *Tree {
	root := &node{spec: &Child{}, state: Running, up: true, booted: true}
	return &Tree{cfg: cfg, root: root, nodes: map[ID]*node{0: root}, awaited: map[ID]*node{}}
}

// Step takes one event that happened at now, and returns what follows from it.
// now is a monotonic time from any origin; a time before that of an earlier Step
// is taken for that one. The effects are the caller's.
func (t *Tree) Step(now time.Duration, e Event) []Effect {
	t.now = max(t.now, now)
	t.out = nil
	switch e := e.(type) {
	case StartChild:
		t.callStart(e)
	case TerminateChild:
		t.callTerminate(e)
	case RestartChild:
		t.callRestart(e)
	case DeleteChild:
		t.callDelete(e)
	case Ready:
		if n := t.incarnation(e.ID, e.Inc); n != nil && n.state == Booting {
			t.ready(n)
		}
	case Ignored:
		if n := t.incarnation(e.ID, e.Inc); n != nil && !n.booted {
			t.declined(n)
		} else if n != nil {
			t.exited(n, Reason{Class: Normal})
		}
	case Exited:
		if n := t.incarnation(e.ID, e.Inc); n != nil {
			t.exited(n, e.Reason)
		}
	case Tick:
		t.tick()
	default:
		panic(fmt.Sprintf("tree: no such event: %T", e))
	}
	for i := 0; i < len(t.agenda); i++ { // it grows meanwhile
		n := t.agenda[i]
		n.woken = false
		t.advance(n)
	}
	clear(t.agenda)
	t.agenda = t.agenda[:0]
	t.disappoint()
	return t.out
}

// Next returns when the tree wants a Tick, if it does. It is to be asked after
// each Step; a Tick too early, too late, or once too often does no harm beyond
// the delay.
func (t *Tree) Next() (at time.Duration, ok bool) {
	if len(t.timers) == 0 {
		return 0, false
	}
	return t.timers[0].timer.at, true
}

// incarnation returns the actor of which that incarnation lives, or nil.
func (t *Tree) incarnation(id ID, inc uint64) *node {
	n := t.nodes[id]
	if n == nil || !n.isActor() || n.inc != inc || !n.alive() {
		return nil
	}
	return n
}

func (t *Tree) emit(e Effect) { t.out = append(t.out, e) }

func (t *Tree) reply(call Call, id ID, err error) {
	if call != 0 {
		t.emit(Reply{Call: call, ID: id, Err: err})
	}
}

// wake puts n on the agenda.
func (t *Tree) wake(n *node) {
	if !n.woken {
		n.woken = true
		t.agenda = append(t.agenda, n)
	}
}

// add makes a new node at the end of p's start order.
func (t *Tree) add(p *node, spec *Child, data any, starter Call) *node {
	t.lastID++
	n := &node{id: t.lastID, spec: spec, data: data, parent: p, fresh: true, starter: starter}
	t.nodes[n.id] = n
	p.append(n)
	t.emit(Added{ID: n.id, Parent: p.id, Spec: spec, Data: data, Call: starter})
	return n
}

// drop takes n, of which nothing lives, out of the tree.
func (t *Tree) drop(n *node) {
	for n.last != nil {
		t.drop(n.last)
	}
	t.disarm(n)
	n.state = Stopped
	n.parent.remove(n)
	delete(t.nodes, n.id)
	delete(t.awaited, n.id)
	t.emit(Gone{ID: n.id})
}
