package node

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A post is what a tree.Child's Data leads to: what is to be started there. Each actor
// or supervisor that ever is has a member besides.
type post struct {
	actor      *wire.Spec
	proto      Protocol
	supervisor *wire.Supervisor
	address    codec.ID // of a supervisor with a name, which is taken for it
	weight     int      // of its argument, its environment, its policy and its template, in bytes
	worker     int      // which of a pool's it is, from 1; 0 for none
	shutdown   time.Duration
}

// name is what it is registered under.
func (p *post) name() string {
	if p.actor != nil {
		return p.actor.Name
	}
	return p.supervisor.Name
}

// A member is one actor or supervisor in the tree, from its Added to its Gone.
// supervision.mu protects what changes.
type member struct {
	node    *Node
	id      tree.ID
	parent  *member // nil if it is on its own
	post    *post
	spec    *tree.Child
	address codec.ID

	under  int // how many there are under it, at any depth
	weight int // what those and itself take, in bytes
	own    int // its own part of that

	cell       *Cell       // the actor, from its Boot until it has ended for good
	supervisor *supervisor // the other kind
	down       *wire.Down  // its last end
	failed     *member     // of a supervisor: which child kept it from starting
	notBooted  bool        // its process has not called Boot
	nameTaken  bool
	lastEnd    *wire.Reason // of the child that has ended last
	lastStraw  *wire.Reason // the end after which it, a supervisor, has given up
}

// enter counts m among those that it is under, and leave takes that back.
func (m *member) enter() {
	m.own = m.post.weight
	if p := m.parent; p != nil && p.isDynamic() && m.post == p.spec.Supervisor.Children[0].Data {
		m.own = 0 // it is made by the template, which is its supervisor's
	}
	m.weight = m.own
	m.count(1, m.own)
}

func (m *member) leave() { m.count(-1, -m.own) }

func (m *member) count(n, weight int) {
	for p := m.parent; p != nil; p = p.parent {
		p.under += n
		p.weight += weight
	}
}

// hasRoom is why an actor that m is, or is under, cannot have n more under it, of that weight; nil
// if it can.
func (m *member) hasRoom(n, weight int) error {
	for ; m != nil; m = m.parent {
		switch {
		case m.post.actor == nil:
		case m.under+n > wire.MaxUnder:
			return refused(fmt.Sprintf("%d actors and supervisors under one actor, the limit is %d", m.under+n, wire.MaxUnder))
		case m.weight+weight > wire.MaxUnderBytes:
			return refused(fmt.Sprintf("actors with arguments of %d bytes under one actor, the limit is %d", m.weight+weight, wire.MaxUnderBytes))
		}
	}
	return nil
}

// weigh is how many bytes the posts of a plan take.
func weigh(t *tree.Child) int {
	n := 0
	if p, ok := t.Data.(*post); ok {
		n = p.weight
	}
	if t.Supervisor != nil && t.Supervisor.Strategy != tree.Dynamic {
		for i := range t.Supervisor.Children {
			n += weigh(&t.Supervisor.Children[i])
		}
	}
	return n
}

// isUnder reports whether m is other, or part of what is under it.
func (m *member) isUnder(other *member) bool {
	for ; m != nil; m = m.parent {
		if m == other {
			return true
		}
	}
	return false
}

// takeName gives a supervisor its name. Others can have it while the supervisor is stopped.
func (m *member) takeName() {
	if !m.node.names.take(m.post.name(), m.address) {
		m.node.logs.complain("a supervisor could not have its name back", m.post.name())
	}
	m.node.names.publish(m.post.name(), m.address)
}

// fatalCause is the Cause of ends of which an actor's type says that no restart mends
// them. The tree compares it, the node decides.
const fatalCause = "fatal"

// plan turns what was asked for into the tree's terms. It checks what the tree cannot, and
// takes the names of supervisors; release gives them back.
func (n *Node) plan(c *wire.Child) (tree.Child, error) {
	t := tree.Child{
		Name:        c.ID,
		Restart:     c.Restart,
		Shutdown:    c.Shutdown,
		Significant: c.Significant,
		Backoff:     c.Backoff,
		Budget:      c.Budget,
		Fatal:       []string{fatalCause},
	}
	if t.Name == "" {
		t.Name = baseName(c)
	}
	p := &post{shutdown: c.Shutdown}
	t.Data = p
	switch {
	case (c.Actor == nil) == (c.Supervisor == nil):
		return t, refused("a child is an actor or a supervisor")
	case c.Actor != nil:
		return t, n.planActor(p, c.Actor)
	}
	p.supervisor = c.Supervisor
	err := n.planSupervisor(p, &t)
	return t, err
}

func baseName(c *wire.Child) string {
	switch {
	case c.Actor != nil && c.Actor.Name != "":
		return c.Actor.Name
	case c.Actor != nil:
		return c.Actor.Type
	case c.Supervisor != nil && c.Supervisor.Name != "":
		return c.Supervisor.Name
	}
	return "supervisor"
}

// entryOverhead is what an entry of an environment counts for, beside its text.
const entryOverhead = 16

// initSlack is more than an Init has beside its argument and names, in bytes: only one that comes that
// close to the limit is encoded to see.
const initSlack = 512

func (n *Node) planActor(p *post, spec *wire.Spec) error {
	proto, ok := n.cfg.Protocol(spec.Type)
	if !ok {
		return refused(fmt.Sprintf("no actor type is defined as %.*q", nameText, spec.Type))
	}
	if err := spec.Check(); err != nil {
		return refused(err.Error())
	}
	if _, err := CheckSandbox(spec.Sandbox); err != nil {
		return err
	}
	if err := keep(spec); err != nil {
		return err
	}
	p.actor, p.proto = spec, proto
	p.weight = len(spec.Arg) + len(spec.Dir)
	if spec.Sandbox != nil {
		p.weight += len(spec.Sandbox.Policy)
	}
	for _, e := range spec.Env {
		p.weight += entryOverhead + len(e)
	}
	if len(spec.Type)+len(spec.Name)+len(spec.Arg)+initSlack <= n.cfg.FrameLimit {
		return nil
	}
	if _, err := n.initFrame(p, wire.NewID(), math.MaxUint64); err != nil { // the largest that it can become
		return &wire.Failure{Code: wire.TooLarge, Fate: wire.FateNotSent, Text: "the argument: " + err.Error()}
	}
	return nil
}

func (n *Node) planSupervisor(p *post, t *tree.Child) error {
	s := p.supervisor
	if err := wire.CheckName(s.Name); err != nil {
		return refused(err.Error())
	}
	if s.Route > wire.ConsistentHash {
		return refused(fmt.Sprintf("no such route: %d", s.Route))
	}
	t.Supervisor = &tree.Supervisor{Strategy: s.Strategy, Budget: s.Budget, AutoShutdown: s.AutoShutdown}
	if s.Name != "" {
		p.address = wire.NewID()
		if !n.names.take(s.Name, p.address) {
			p.address = codec.ID{}
			return nameTaken(s.Name)
		}
	}
	if s.Strategy == tree.Dynamic {
		for i := range s.Children {
			if name := anyName(&s.Children[i]); name != "" {
				return refused(fmt.Sprintf("in the template of a dynamic supervisor is the name %q, which only one of its children could have", name))
			}
		}
	}
	ids := make(map[string]bool)
	numbers := make(map[string]int)
	for i := range s.Children {
		if id := s.Children[i].ID; id != "" {
			ids[id] = true
		}
	}
	for i := range s.Children {
		child, err := n.plan(&s.Children[i])
		if s.Children[i].ID == "" {
			child.Name = unused(child.Name, numbers, func(id string) bool { return ids[id] })
			ids[child.Name] = true
		}
		t.Supervisor.Children = append(t.Supervisor.Children, child)
		if err != nil {
			return inChild(child.Name, err)
		}
		of := child.Data.(*post)
		if s.Strategy == tree.Dynamic {
			p.weight += weigh(&child)
		}
		if s.Route != wire.NoRoute {
			if of.worker = i + 1; of.actor == nil {
				return refused("a pool's workers are actors")
			}
		}
	}
	if s.Route != wire.NoRoute && (s.Strategy == tree.Dynamic || len(s.Children) == 0) {
		return refused("a pool has a fixed number of workers, at least one")
	}
	return nil
}

// inChild says which child an error is about.
func inChild(id string, err error) error {
	f, ok := err.(*wire.Failure)
	if !ok {
		return fmt.Errorf("child %q: %w", id, err)
	}
	named := *f
	named.Text = fmt.Sprintf("child %q: %v", id, f)
	return &named
}

// anyName returns a name that c or something under it is to be registered under.
func anyName(c *wire.Child) string {
	if c.Actor != nil {
		return c.Actor.Name
	}
	if c.Supervisor == nil || c.Supervisor.Name != "" {
		return baseName(c)
	}
	for i := range c.Supervisor.Children {
		if name := anyName(&c.Supervisor.Children[i]); name != "" {
			return name
		}
	}
	return ""
}

// size is how many actors and supervisors c stands for.
func size(c *wire.Child) int {
	n := 1
	if c.Supervisor != nil {
		for i := range c.Supervisor.Children {
			n += size(&c.Supervisor.Children[i])
		}
	}
	return n
}

// unused returns base, or base with a number; last has the last one for each base.
func unused(base string, last map[string]int, taken func(string) bool) string {
	id := base
	for taken(id) {
		last[base] = max(last[base], 1) + 1
		id = base + "-" + strconv.Itoa(last[base])
	}
	return id
}

// release frees the names that plan has taken, of those that never got into the tree.
func (n *Node) release(t *tree.Child) {
	p, ok := t.Data.(*post)
	if !ok || p.supervisor == nil {
		return
	}
	n.names.free(p.supervisor.Name, p.address)
	if t.Supervisor != nil {
		for i := range t.Supervisor.Children {
			n.release(&t.Supervisor.Children[i])
		}
	}
}

func refused(text string) *wire.Failure {
	return &wire.Failure{Code: wire.Refused, Fate: wire.FateNotSent, Text: text}
}

func nameTaken(name string) *wire.Failure {
	return &wire.Failure{Code: wire.NameTaken, Fate: wire.FateNotSent, Text: fmt.Sprintf("the name %q is taken", name)}
}
