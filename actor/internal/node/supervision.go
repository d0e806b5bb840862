package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A supervision drives the tree, which decides who is started, stopped and restarted, and
// carries out what it says. Whoever has an event steps it, on its own goroutine:
//
//	request, Ready, Exited, timer ──> step ──> tree ──> effects ──> carryOut
//
// Its mutex is held through all of that, so that effects come in the tree's order. It is
// taken before any other; nothing that is done under it waits.
type supervision struct {
	node  *Node
	epoch time.Time

	mu      sync.Mutex // protects the following
	tree    *tree.Tree
	members map[tree.ID]*member
	calls   map[tree.Call]*request
	last    tree.Call
	queue   []tree.Event // the first is being dealt with
	timer   *time.Timer
	why     string // what a kill that is ordered now is for
	closing bool
	cells   int
}

// A request is a call to the tree that waits for its reply.
type request struct {
	done   chan struct{} // closed when the following are set
	id     codec.ID
	err    error
	member *member     // what it is about, as soon as that is known
	plan   *tree.Child // what is to be started
}

func newSupervision(n *Node) *supervision {
	return &supervision{
		node:    n,
		epoch:   time.Now(),
		tree:    tree.New(tree.Config{Random: rand.Float64}),
		members: make(map[tree.ID]*member),
		calls:   make(map[tree.Call]*request),
	}
}

// step tells the tree what has happened.
func (s *supervision) step(e tree.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stepLocked(e)
}

// stepLocked may be called while effects are carried out: the event waits for its turn.
func (s *supervision) stepLocked(e tree.Event) {
	if s.queue = append(s.queue, e); len(s.queue) > 1 {
		return
	}
	for len(s.queue) > 0 {
		effects := s.tree.Step(time.Since(s.epoch), s.queue[0])
		for _, f := range effects {
			s.carryOut(f)
		}
		for _, f := range effects { // who waits hears of it when all is done
			if r, ok := f.(tree.Reply); ok {
				s.reply(r)
			}
		}
		s.queue = s.queue[1:]
	}
	s.queue = nil
	s.arm()
}

// arm sees to it that the tree gets its Tick.
func (s *supervision) arm() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if at, ok := s.tree.Next(); ok {
		s.timer = time.AfterFunc(at-time.Since(s.epoch), func() { s.step(tree.Tick{}) })
	}
}

func (s *supervision) carryOut(f tree.Effect) {
	switch f := f.(type) {
	case tree.Added:
		s.added(f)
	case tree.Boot:
		s.boot(s.members[f.ID], f)
	case tree.Stop:
		if c := s.members[f.ID].cell; c != nil {
			c.process().end(f.Timeout, s.why)
		}
	case tree.Started:
		m := s.members[f.ID]
		if m.supervisor != nil {
			m.takeName()
			m.supervisor.reopen()
		}
		s.event(m, Event{Kind: Ready, Incarnation: f.Inc})
	case tree.Declined:
		s.declined(s.members[f.ID], f.Inc)
	case tree.Ended:
		s.ended(s.members[f.ID], f)
	case tree.Stays:
		s.over(s.members[f.ID])
	case tree.Restarting:
		s.event(s.members[f.ID], Event{Kind: Restarting, In: f.In})
	case tree.GaveUp:
		s.gaveUp(s.members[f.ID])
	case tree.Gone:
		s.gone(s.members[f.ID])
	}
}

func (s *supervision) added(f tree.Added) {
	p := f.Data.(*post)
	m := &member{node: s.node, id: f.ID, parent: s.members[f.Parent], post: p, spec: f.Spec, address: p.address}
	if m.address == (codec.ID{}) {
		m.address = wire.NewID()
	}
	if p.supervisor != nil {
		m.supervisor = newSupervisor(m)
		routes.Store(m.address, m.supervisor)
		m.takeName() // its children may look it up (OTP: registered before init)
	}
	s.members[m.id] = m
	m.enter()
	if r := s.calls[f.Call]; r != nil {
		r.member = m
	}
}

func (s *supervision) boot(m *member, f tree.Boot) {
	m.nameTaken, m.notBooted = false, false
	if m.cell == nil {
		if !s.node.names.take(m.post.actor.Name, m.address) {
			m.nameTaken = true
			m.down = &wire.Down{ID: m.address, Type: m.post.actor.Type, Name: m.post.actor.Name, Incarnation: f.Inc,
				Reason: wire.Reason{Cause: wire.BootFailed, Detail: nameTaken(m.post.actor.Name).Text}}
			s.stepLocked(tree.Exited{ID: f.ID, Inc: f.Inc, Reason: tree.Reason{Cause: string(wire.BootFailed)}})
			return
		}
		m.cell = newCell(m)
		s.cells++
		m.parent.employ(m)
	}
	m.cell.boot(f.Inc)
}

// ended is the end of one incarnation.
func (s *supervision) ended(m *member, f tree.Ended) {
	if f.Starting && !f.Told && m.parent != nil {
		m.parent.failed = m
	}
	if m.supervisor != nil {
		m.down = m.supervisor.down(f)
	} else if m.cell != nil {
		p := m.cell.process()
		m.down, m.notBooted = p.down, p.strange.Load()
	}
	down := restated(m.down, f.Restarting)
	m.down = down
	if m.parent != nil && !f.Told {
		m.parent.lastEnd = &down.Reason
	}
	s.event(m, Event{Kind: Exited, Incarnation: f.Inc, Pid: down.Pid, Down: down, Reason: &down.Reason})
	switch {
	case m.supervisor != nil && f.Restarting:
		m.supervisor.inform(down, false)
	case m.supervisor != nil:
		s.node.names.free(m.post.name(), m.address)
		m.supervisor.close(down)
	case m.cell == nil:
	case f.Restarting:
		m.cell.pause(down)
	default:
		s.conclude(m, down)
	}
}

// declined is the end of an incarnation that has chosen not to run.
func (s *supervision) declined(m *member, inc uint64) {
	down := m.cell.last()
	s.event(m, Event{Kind: Exited, Incarnation: inc, Pid: down.Pid, Down: down, Reason: &down.Reason})
	s.over(m)
}

// over is the end of what was to be restarted and is not.
func (s *supervision) over(m *member) {
	switch {
	case m.cell != nil:
		m.down = restated(m.cell.last(), false)
		s.conclude(m, m.down)
	case m.supervisor != nil && m.down != nil:
		m.down = restated(m.down, false)
		s.node.names.free(m.post.name(), m.address)
		m.supervisor.close(m.down)
	}
}

// restated returns a copy that says whether another incarnation follows: others may have the
// original.
func restated(down *wire.Down, restarting bool) *wire.Down {
	down = new(*down)
	down.Restarting = restarting
	return down
}

// conclude is the end for good of an actor, unless somebody starts it by hand.
func (s *supervision) conclude(m *member, down *wire.Down) {
	c := m.cell
	m.cell = nil
	s.cells--
	m.parent.dismiss(m)
	c.finish(down)
}

func (s *supervision) gaveUp(m *member) {
	straw := &wire.Reason{}
	switch {
	case m.supervisor == nil:
		straw = &m.down.Reason
	case m.lastEnd != nil: // of the child that it could not restart
		straw = m.lastEnd
		m.lastStraw = new(*straw)
		m.lastStraw.Detail, m.lastStraw.Stack = beginning(straw.Detail, epitaphText), ""
	}
	s.event(m, Event{Kind: GaveUp, Reason: straw})
}

func (s *supervision) gone(m *member) {
	if m.cell != nil {
		s.over(m)
	}
	if m.supervisor != nil {
		s.node.release(m.spec) // of those under it that never were
		if m.down != nil {
			m.down = restated(m.down, false)
		}
		m.supervisor.finish(m.down)
	}
	m.leave()
	delete(s.members, m.id)
}

// event publishes what has become of m.
func (s *supervision) event(m *member, e Event) {
	if !s.node.events.wanted() {
		return
	}
	e.Time, e.ID, e.Name = time.Now(), m.address, m.post.name()
	if m.post.actor != nil {
		e.Type = m.post.actor.Type
	}
	if m.cell != nil && e.Pid == 0 {
		e.Pid = m.cell.pid()
	}
	s.node.events.publish(&e)
}

func (s *supervision) reply(r tree.Reply) {
	q := s.calls[r.Call]
	delete(s.calls, r.Call)
	if q == nil {
		return
	}
	m := s.members[r.ID]
	if m == nil {
		m = q.member
	}
	if m != nil {
		q.id = m.address
	}
	q.err = s.public(r.Err, m)
	if q.plan != nil && q.member == nil {
		s.node.release(q.plan) // it never got into the tree
	}
	close(q.done)
}

// public makes an error of the tree one that can travel. m is what it is about, or nil.
func (s *supervision) public(err error, m *member) error {
	if err == nil {
		return nil
	}
	f := &wire.Failure{Fate: wire.FateNotSent}
	if m != nil {
		f.ID = m.address
	}
	if _, ok := errors.AsType[*tree.StartError](err); ok && m != nil {
		return m.startFailure()
	}
	switch {
	case s.closing && (errors.Is(err, tree.ErrNotRunning) || errors.Is(err, tree.ErrAborted)):
		f.Code = wire.Closed
	default:
		if f.Code = codeOf(err); f.Code == "" {
			f.Code, f.Text = wire.Refused, err.Error()
		}
	}
	return f
}

// codeOf is the code of one of the tree's errors; "" for others.
func codeOf(err error) wire.Code {
	switch err {
	case tree.ErrNotFound:
		return wire.NotFound
	case tree.ErrNotRunning:
		return wire.NotRunning
	case tree.ErrStarted:
		return wire.Started
	case tree.ErrPresent:
		return wire.Present
	case tree.ErrRunning:
		return wire.Running
	case tree.ErrRestarting:
		return wire.Restarting
	case tree.ErrDynamic:
		return wire.Dynamic
	case tree.ErrIgnored:
		return wire.ChoseNot
	case tree.ErrAborted:
		return wire.Aborted
	}
	return ""
}

// startFailure says why m did not come up. Of a supervisor it is the child that did not.
func (m *member) startFailure() *wire.Failure {
	f := &wire.Failure{Code: wire.StartFailed, Fate: wire.FateNotSent}
	for m.supervisor != nil && m.failed != nil {
		m = m.failed
		if f.Text != "" {
			f.Text += ", "
		}
		f.Text += m.describe()
	}
	f.Down = m.down
	switch {
	case m.notBooted:
		f.Code = wire.NotBooted
	case m.nameTaken:
		f.Code, f.Down = wire.NameTaken, nil
	}
	return f
}

// describe is how messages to people name m.
func (m *member) describe() string {
	kind := "supervisor"
	if m.post.actor != nil {
		kind = m.post.actor.Type
	}
	if name := m.post.name(); name != "" {
		return fmt.Sprintf("%s %q", kind, name)
	}
	return kind
}

// callLocked steps the tree with what event returns for a new call, and returns r, which is
// answered already if that can be.
func (s *supervision) callLocked(r *request, event func(tree.Call) tree.Event) *request {
	s.last++
	r.done = make(chan struct{})
	s.calls[s.last] = r
	s.stepLocked(event(s.last))
	return r
}

// wait returns the request's error, or ctx's. What was asked for goes on.
func (r *request) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return &wire.GivenUp{Fate: wire.FateUnknown, Err: context.Cause(ctx)}
	}
}
