package node

import (
	"context"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A supervisor is the address of one in the tree. It has no process and handles
// nothing; a pool's passes messages on to its workers.
type supervisor struct {
	audience
	senders
	member  *member
	picker  picker
	workers []atomic.Pointer[Cell] // a pool's; nil where there is none at the moment
}

func newSupervisor(m *member) *supervisor {
	s := &supervisor{member: m}
	if m.post.supervisor.Route != wire.NoRoute {
		s.workers = make([]atomic.Pointer[Cell], len(m.post.supervisor.Children))
	}
	return s
}

// employ makes m's cell one of its pool's workers, if it is in one.
func (parent *member) employ(m *member) {
	if i := m.post.worker; i > 0 {
		parent.supervisor.workers[i-1].Store(m.cell)
	}
}

// dismiss is the opposite.
func (parent *member) dismiss(m *member) {
	if i := m.post.worker; i > 0 {
		parent.supervisor.workers[i-1].Store(nil)
	}
}

// choose returns the worker for a message, or nil.
func (s *supervisor) choose(env *codec.Envelope, payload []byte) *Cell {
	route, key := s.member.post.supervisor.Route, env.Key
	if route == wire.ConsistentHash && key == 0 {
		key = hashPayload(env.Type, payload)
	}
	pick := func(usable func(*Cell) bool) *Cell {
		i := s.picker.pick(route, key, len(s.workers), s.load, func(i int) bool {
			c := s.workers[i].Load()
			return c != nil && usable(c)
		})
		if i < 0 {
			return nil
		}
		return s.workers[i].Load()
	}
	if route != wire.ConsistentHash { // one that is being restarted only if all are
		if c := pick(func(c *Cell) bool { return !c.absent.Load() }); c != nil {
			return c
		}
	}
	return pick(func(*Cell) bool { return true })
}

func (s *supervisor) load(i int) int {
	c := s.workers[i].Load()
	if c == nil {
		return 0
	}
	messages, _ := c.mailbox.Depth()
	return messages
}

// refusal is for a message that no worker takes.
func (s *supervisor) refusal() *wire.Failure {
	if s.workers == nil {
		return &wire.Failure{Code: wire.Unhandled, Fate: wire.FateNotSent, Text: "a supervisor takes no messages"}
	}
	return &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent, Text: "the pool has no workers"}
}

// tell is target's.
func (s *supervisor) tell(ctx context.Context, to codec.ID, t *wire.MessageType, message any) error {
	return s.pass(t, message, func(c *Cell) error { return c.tell(ctx, to, t, message) })
}

// ask is target's.
func (s *supervisor) ask(ctx context.Context, to codec.ID, t *wire.MessageType, message any, reply wire.Answer) error {
	return s.pass(t, message, func(c *Cell) error { return c.ask(ctx, to, t, message, reply) })
}

// pass gives a message of the program to a worker, and to another one if that has just ended.
func (s *supervisor) pass(t *wire.MessageType, message any, give func(*Cell) error) error {
	env := codec.Envelope{Type: t.Text, Key: t.KeyOf(message)}
	var payload []byte
	if s.workers != nil && env.Key == 0 && s.member.post.supervisor.Route == wire.ConsistentHash {
		var err error
		if payload, err = codec.Append(nil, message); err != nil {
			return err
		}
	}
	for range max(1, len(s.workers)) {
		c := s.choose(&env, payload)
		if c == nil {
			break
		}
		err := give(c)
		if f, ok := err.(*wire.Failure); !ok || f.Fate != wire.FateNotSent || f.Code != wire.Dead && f.Code != wire.NoActor {
			return err
		}
	}
	return s.refusal()
}

// receive is target's.
func (s *supervisor) receive(ch *channel, env *codec.Envelope, size int) {
	if c := s.choose(env, env.Payload); c != nil {
		c.receive(ch, env, size)
		return
	}
	ch.refuse(env, size, s.refusal())
}

// deliver is target's.
func (s *supervisor) deliver(env *codec.Envelope, skip bool, done func()) error {
	if c := s.choose(env, env.Payload); c != nil {
		return c.deliver(env, skip, done)
	}
	return s.refusal()
}

// down says how the supervisor has ended this time.
func (s *supervisor) down(f tree.Ended) *wire.Down {
	d := &wire.Down{ID: s.member.address, Type: "supervisor", Name: s.member.post.supervisor.Name, Incarnation: f.Inc,
		Reason: wire.Reason{Cause: wire.Shutdown, Detail: f.Reason.Cause}}
	switch {
	case f.Reason.Class == tree.Abnormal:
		d.Reason = wire.Reason{Cause: wire.Killed, Detail: "with all that was under it"}
	case s.member.lastStraw != nil:
		d.Reason.Detail, d.Reason.Because = "too many restarts", s.member.lastStraw
	}
	s.member.lastStraw = nil
	return d
}

// finish is its end for good. down is nil if it never came up.
func (s *supervisor) finish(down *wire.Down) {
	if down == nil {
		down = &wire.Down{ID: s.member.address, Type: "supervisor", Reason: wire.Reason{Cause: wire.Shutdown}}
	}
	epitaphs.add(down)
	routes.Delete(s.member.address)
	s.senders.dismiss()
	s.close(down)
}
