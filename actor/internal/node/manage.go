package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// Spawn starts an actor or a supervisor that is supervised by nobody but itself, and returns
// when it is up, or when nothing is left of it. parent is nil for one of the program itself.
func (n *Node) Spawn(ctx context.Context, child *wire.Child, parent *Cell) (codec.ID, error) {
	r, err := n.begin(ctx, child, parent)
	if err != nil {
		return codec.ID{}, err
	}
	return n.await(ctx, r)
}

// begin is the part of Spawn that does not wait.
func (n *Node) begin(ctx context.Context, child *wire.Child, parent *Cell) (*request, error) {
	if ctx.Err() != nil {
		return nil, &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
	}
	if child != nil && child.Actor != nil {
		n.standbys.rouse(child.Actor)
	}
	var under *member
	if parent != nil {
		under = parent.member
	}
	return n.tree.start(under, child)
}

// await is the other part.
func (n *Node) await(ctx context.Context, r *request) (codec.ID, error) {
	select {
	case <-r.done:
		return r.id, r.err
	case <-ctx.Done():
	}
	if r.member != nil { // else it is answered already, with an error
		n.tree.end(r.member, true, "its Spawn was given up")
	}
	<-r.done // what it waits for has deadlines of its own
	return codec.ID{}, &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
}

// start asks the tree for a new child of under; of nobody, if that is nil.
func (s *supervision) start(under *member, child *wire.Child) (*request, error) {
	if under != nil && under.isDynamic() {
		return s.startDynamic(under, child)
	}
	if child == nil {
		return nil, refused("nothing to start")
	}
	if r := s.present(under, child); r != nil {
		return r, nil
	}
	if n := size(child) - 1; n > wire.MaxChildren {
		return nil, refused(fmt.Sprintf("%d children at once, the limit is %d", n, wire.MaxChildren))
	}
	plan, err := s.node.plan(child)
	if err != nil {
		s.node.release(&plan)
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var parent tree.ID
	if under != nil {
		parent = under.id
	}
	present := func(id string) bool { _, ok := s.tree.Lookup(parent, id); return ok }
	if child.ID == "" {
		plan.Name = unused(plan.Name, map[string]int{}, present)
	}
	full := under.hasRoom(size(child), weigh(&plan))
	switch {
	case s.closing:
		err = &wire.Failure{Code: wire.Closed, Fate: wire.FateNotSent}
	case full != nil:
		err = full
	case child.Actor != nil && child.Actor.Name != "" && !present(plan.Name) && s.node.names.taken(child.Actor.Name):
		err = nameTaken(child.Actor.Name)
	}
	if err != nil {
		s.node.release(&plan)
		return nil, err
	}
	return s.callLocked(&request{plan: &plan}, func(call tree.Call) tree.Event {
		return tree.StartChild{Call: call, Under: parent, Child: &plan}
	}), nil
}

// present is the answer for a child of a name that is there already: the name is its own then,
// and not taken by a stranger. It is nil if the tree has to see.
func (s *supervision) present(under *member, child *wire.Child) *request {
	if under == nil || child.ID == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.tree.Lookup(under.id, child.ID)
	if !ok {
		return nil
	}
	if i, _ := s.tree.Info(id); i.State == tree.Dead { // perhaps it is about to go
		return nil
	}
	return s.callLocked(&request{}, func(call tree.Call) tree.Event {
		return tree.StartChild{Call: call, Under: under.id, Child: &tree.Child{Name: child.ID, Data: &post{}}}
	})
}

// startDynamic starts the template, with the argument and the name of child if there is one.
func (s *supervision) startDynamic(under *member, child *wire.Child) (*request, error) {
	event := tree.StartChild{Under: under.id}
	if child != nil {
		template := under.post.supervisor.Children[0].Actor
		if template == nil || child.Actor == nil || child.Actor.Type != template.Type {
			return nil, refused("a dynamic supervisor starts actors of its template's type")
		}
		spec := new(*template)
		spec.Arg, spec.Name = child.Actor.Arg, child.Actor.Name
		p := &post{shutdown: under.post.supervisor.Children[0].Shutdown}
		if err := s.node.planActor(p, spec); err != nil {
			return nil, err
		}
		event.Data = p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	weight := 0
	if p, ok := event.Data.(*post); ok {
		if s.node.names.taken(p.actor.Name) {
			return nil, nameTaken(p.actor.Name)
		}
		weight = p.weight
	}
	if err := under.hasRoom(1, weight); err != nil {
		return nil, err
	}
	return s.callLocked(&request{}, func(call tree.Call) tree.Event { event.Call = call; return event }), nil
}

func (m *member) isDynamic() bool {
	return m.post.supervisor != nil && m.post.supervisor.Strategy == tree.Dynamic
}

// end ends m for good: by its parent's rules, or at once.
func (s *supervision) end(m *member, kill bool, why string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = why
	defer func() { s.why = "" }()
	var id tree.ID
	if m != nil {
		id = m.id
	}
	return s.callLocked(&request{member: m}, func(call tree.Call) tree.Event { return tree.TerminateChild{Call: call, ID: id, Kill: kill} })
}

// Stop stops the actor or supervisor of that address for good, and waits until it has
// ended. One that is no more is no error.
func (Local) Stop(ctx context.Context, id codec.ID) error { return end(ctx, nil, id, false) }

// Kill is like Stop without asking.
func (Local) Kill(ctx context.Context, id codec.ID) error { return end(ctx, nil, id, true) }

// end is Stop or Kill, for the actor by, or for the program itself.
func end(ctx context.Context, by *Cell, id codec.ID, kill bool) error {
	m := memberOf(id)
	if m == nil {
		return nil
	}
	if by != nil && by.member.isUnder(m) {
		return &wire.Failure{Code: wire.Above, Fate: wire.FateNotSent}
	}
	why := ""
	if kill {
		why = "Kill was called"
	}
	err := m.node.tree.end(m, kill, why).wait(ctx)
	if f, ok := errors.AsType[*wire.Failure](err); ok && f.Code == wire.NotFound {
		return nil // it was quicker
	}
	return err
}

// Exit sends an exit signal.
func (Local) Exit(_ context.Context, id codec.ID, r wire.Reason) error {
	return exit(codec.ID{}, id, r)
}

// StartChild starts a child of a supervisor. The address returned is that of the
// child, also with the codes Started and Present.
func (Local) StartChild(ctx context.Context, under codec.ID, child *wire.Child) (codec.ID, error) {
	m, err := supervisorOf(under)
	if err != nil {
		return codec.ID{}, err
	}
	if m.post.supervisor.Route != wire.NoRoute {
		return codec.ID{}, refused("a pool has a fixed number of workers")
	}
	r, err := m.node.tree.start(m, child)
	if err != nil {
		return codec.ID{}, err
	}
	if err := r.wait(ctx); err != nil {
		return codec.ID{}, err
	}
	return r.id, nil
}

// TerminateChild stops a child of a supervisor, which keeps its specification.
func (Local) TerminateChild(ctx context.Context, under, child codec.ID) error {
	return terminateChild(ctx, nil, under, child)
}

func terminateChild(ctx context.Context, by *Cell, under, child codec.ID) error {
	if m := memberOf(child); by != nil && m != nil && by.member.isUnder(m) {
		return &wire.Failure{Code: wire.Above, Fate: wire.FateNotSent}
	}
	return manage(ctx, under, child, func(m *member, call tree.Call) tree.Event {
		return tree.TerminateChild{ID: m.id, Call: call}
	})
}

// RestartChild starts a child again that is stopped.
func (Local) RestartChild(ctx context.Context, under, child codec.ID) error {
	return manage(ctx, under, child, func(m *member, call tree.Call) tree.Event {
		return tree.RestartChild{ID: m.id, Call: call}
	})
}

// DeleteChild drops the specification of a child that is stopped.
func (Local) DeleteChild(ctx context.Context, under, child codec.ID) error {
	return manage(ctx, under, child, func(m *member, call tree.Call) tree.Event {
		return tree.DeleteChild{ID: m.id, Call: call}
	})
}

func supervisorOf(id codec.ID) (*member, error) {
	m := memberOf(id)
	if m == nil {
		return nil, gone(id)
	}
	if m.supervisor == nil {
		return nil, &wire.Failure{Code: wire.NotSupervisor, Fate: wire.FateNotSent}
	}
	return m, nil
}

// manage makes a call about a child of a supervisor, and waits for the reply.
func manage(ctx context.Context, under, child codec.ID, event func(*member, tree.Call) tree.Event) error {
	sup, err := supervisorOf(under)
	if err != nil {
		return err
	}
	s := sup.node.tree
	s.mu.Lock()
	var m *member
	for i := range s.tree.Children(sup.id) {
		if c := s.members[i.ID]; c.address == child {
			m = c
		}
	}
	if m == nil {
		s.mu.Unlock()
		return &wire.Failure{Code: wire.NotFound, Fate: wire.FateNotSent}
	}
	r := s.callLocked(&request{member: m}, func(call tree.Call) tree.Event { return event(m, call) })
	s.mu.Unlock()
	return r.wait(ctx)
}

// Children returns what is known of the children of a supervisor, or of an actor, in
// the order of their start.
func (Local) Children(_ context.Context, under codec.ID) ([]wire.ChildInfo, error) {
	m := memberOf(under)
	if m == nil {
		return nil, gone(under)
	}
	return m.node.tree.children(m.id), nil
}

// Children returns what has no parent.
func (n *Node) Children() []wire.ChildInfo { return n.tree.children(0) }

func (s *supervision) children(id tree.ID) []wire.ChildInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var infos []wire.ChildInfo
	for i := range s.tree.Children(id) {
		infos = append(infos, s.info(i))
	}
	return infos
}

func (s *supervision) info(i tree.Info) wire.ChildInfo {
	m := s.members[i.ID]
	info := wire.ChildInfo{
		Address:     m.address,
		ID:          i.Spec.Name,
		Name:        m.post.name(),
		State:       i.State,
		Restart:     i.Spec.Restart,
		Incarnation: i.Incarnation,
		Since:       s.epoch.Add(i.Since).Round(0),
		Restarts:    i.Restarts,
		Recent:      i.Recent,
		Limit:       i.Limit,
	}
	if i.Incarnation == 0 {
		info.Since = time.Time{}
	}
	if m.post.actor != nil {
		info.Type = m.post.actor.Type
	} else {
		info.Strategy, info.Pool = m.post.supervisor.Strategy, m.post.supervisor.Route != wire.NoRoute
	}
	if m.cell != nil {
		info.Pid = m.cell.pid()
	}
	if m.down != nil {
		info.Last = &m.down.Reason
	}
	return info
}
