package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// A Cell is one logical actor: what stays the same while processes come and go.
type Cell struct {
	id     codec.ID
	spec   wire.Spec
	proto  Protocol
	node   *Node
	parent *Cell
	serial uint64        // order of start within the node
	corr   atomic.Uint64 // the last correlation given out
	quick  atomic.Bool   // the last answer came so soon that the next is worth polling for
	ended  chan struct{} // closed after the last monitor was told
	init   []byte        // the Init frame of its process

	// Protected by node.mu.
	published bool // its name can be looked up
	ending    bool // it gets no more children

	mu       sync.Mutex // protects the following
	proc     *process
	doomed   bool // to be stopped as soon as it has a process
	mailbox  *mailbox.Writer
	asks     map[uint64]pending // unanswered, by the correlation that the process sees
	monitors map[monitor]func(*wire.Down)
	senders  map[*channel]struct{}
	down     *wire.Down // set once, when it has ended
}

// pending is who waits for an answer: a caller in this program, or another
// process under a correlation of its own.
type pending struct {
	call *call
	link *link
	corr uint64
}

// monitor names one monitor: who watches, under which number.
type monitor struct {
	watcher *Cell // nil for the program itself
	id      uint64
}

func newCell(n *Node, spec wire.Spec, proto Protocol, parent *Cell, serial uint64) *Cell {
	return &Cell{
		id:       wire.NewID(),
		spec:     spec,
		proto:    proto,
		node:     n,
		parent:   parent,
		serial:   serial,
		ended:    make(chan struct{}),
		asks:     make(map[uint64]pending),
		monitors: make(map[monitor]func(*wire.Down)),
		senders:  make(map[*channel]struct{}),
	}
}

// label is how messages to people name the actor.
func (c *Cell) label() string {
	if c.spec.Name != "" {
		return fmt.Sprintf("%s %q", c.spec.Type, c.spec.Name)
	}
	return c.spec.Type
}

func (c *Cell) tell(ctx context.Context, env codec.Envelope, message any) error {
	f, err := c.encode(&env, message)
	if err != nil {
		return err
	}
	defer f.Free()
	return c.put(ctx, f.Bytes)
}

func (c *Cell) ask(ctx context.Context, env codec.Envelope, message any, reply func(typ, payload []byte) error) error {
	env.Corr = c.corr.Add(1)
	f, err := c.encode(&env, message)
	if err != nil {
		return err
	}
	defer f.Free()
	call := newCall()
	if !c.await(env.Corr, pending{call: call}) {
		return gone(c.id)
	}
	if err := c.put(ctx, f.Bytes); err != nil {
		if !c.forget(env.Corr) {
			<-call.done // it ended meanwhile and has failed the call
		}
		call.free()
		return err
	}
	asked := time.Now()
	polled := c.quick.Load()
	if c.poll(call) {
		return call.finish(reply)
	}
	select {
	case <-call.done:
		c.quick.Store(!polled && time.Since(asked) < quickAnswer)
	case <-ctx.Done():
		if c.forget(env.Corr) {
			call.free()
			c.cancel(env.Corr)
			return &wire.GivenUp{Fate: wire.FateUnknown, Err: context.Cause(ctx)}
		}
		<-call.done // the answer came first
	}
	return call.finish(reply)
}

// encode refuses what the actor does not take, and what is too large, before
// anything is sent.
func (c *Cell) encode(env *codec.Envelope, message any) (mailbox.Buffer, error) {
	if !c.proto.Handles(env.Type) {
		return mailbox.Buffer{}, c.unhandled(env.Type)
	}
	f := mailbox.NewBuffer()
	var err error
	if f.Bytes, err = codec.AppendMessage(f.Bytes, env, message, c.node.cfg.FrameLimit); err != nil {
		f.Free()
		return mailbox.Buffer{}, err
	}
	return f, nil
}

func (c *Cell) unhandled(messageType []byte) *wire.Failure {
	return &wire.Failure{Code: wire.Unhandled, Fate: wire.FateNotSent,
		Text: fmt.Sprintf("%s has no handler for %s", c.spec.Type, messageType)}
}

// put gives a frame to the mailbox as the actor's Spec says.
func (c *Cell) put(ctx context.Context, frame []byte) error {
	var err error
	if c.spec.Reject {
		err = c.mailbox.TryPut(frame)
	} else {
		err = c.mailbox.Put(ctx, frame)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mailbox.ErrFull):
		return &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent}
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
	}
	c.isEnding(err)
	select {
	case <-c.ended:
		return gone(c.id)
	case <-ctx.Done():
		return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
	}
}

// await registers who waits for the answer to corr. It reports false when the
// actor has ended.
func (c *Cell) await(corr uint64, p pending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil {
		return false
	}
	c.asks[corr] = p
	return true
}

// take removes and returns who waits for the answer to corr.
func (c *Cell) take(corr uint64) (pending, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.asks[corr]
	delete(c.asks, corr)
	return p, ok
}

// forget removes who waited; false means that an answer came first.
func (c *Cell) forget(corr uint64) bool {
	_, ok := c.take(corr)
	return ok
}

// cancel tells the process that nobody waits for corr any more.
func (c *Cell) cancel(corr uint64) {
	c.control(&codec.Envelope{Kind: wire.KindCancel, Corr: corr}, nil)
}

// control sends a frame that is not a message: it takes no room in the mailbox.
// Whether it arrives is for the caller to know by other means: a process that
// does not read, or is gone, is dealt with by its link and by the reaper.
func (c *Cell) control(env *codec.Envelope, body any) error {
	f := mailbox.NewBuffer()
	defer f.Free()
	var err error
	if body == nil {
		f.Bytes, err = codec.AppendFrame(f.Bytes, env, c.node.cfg.FrameLimit+wire.ForwardSlack)
	} else { // of the node's own making, and bounded by what a Down holds
		f.Bytes, err = codec.AppendMessage(f.Bytes, env, body, math.MaxInt32)
	}
	if err != nil {
		return err
	}
	return c.mailbox.Push(f.Bytes)
}

// receive takes a message from another process (or its own).
func (c *Cell) receive(ch *channel, env *codec.Envelope, size int) {
	if !c.proto.Handles(env.Type) {
		ch.refuse(env, size, c.unhandled(env.Type))
		return
	}
	asked, corr := env.Corr, uint64(0)
	if asked != 0 {
		corr = c.corr.Add(1)
		ch.link.expect(asked, route{cell: c, corr: corr})
		if !c.await(corr, pending{link: ch.link, corr: asked}) {
			ch.refuse(env, size, gone(c.id))
			return
		}
	}
	err := c.admit(ch, env, size, corr)
	ending := err != nil && c.isEnding(err)
	switch {
	case err == nil:
	case ending && corr != 0:
		ch.taken(size) // end will answer, and say why
	case corr == 0 || c.forget(corr):
		ch.refuse(env, size, c.refusal(err))
	}
}

// admit puts a message from another process into the mailbox, or into the
// queue in front of it.
func (c *Cell) admit(ch *channel, env *codec.Envelope, size int, corr uint64) error {
	forwarded := *env
	tellBack := env.Kind == wire.KindTell && corr != 0
	if forwarded.Corr = corr; tellBack {
		forwarded.Corr = 0 // the process need not know: the mailbox answers
	}
	f := mailbox.NewBuffer()
	defer f.Free()
	var err error
	if f.Bytes, err = codec.AppendFrame(f.Bytes, &forwarded, c.node.cfg.FrameLimit+wire.ForwardSlack); err != nil {
		return err
	}
	admitted := ch.await(size)
	if tellBack {
		credit := admitted
		admitted = func() {
			credit()
			if p, ok := c.take(corr); ok {
				p.link.reply(p.corr, wire.Accepted{Reject: c.spec.Reject})
			}
		}
	}
	if !c.spec.Reject {
		return c.mailbox.Enqueue(f.Bytes, admitted)
	}
	if err := c.mailbox.TryPut(f.Bytes); err != nil {
		ch.unawait()
		return err
	}
	admitted()
	return nil
}

// join is target's.
func (c *Cell) join(ch *channel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil {
		return false
	}
	c.senders[ch] = struct{}{}
	return true
}

// leave is target's.
func (c *Cell) leave(ch *channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.senders, ch)
}

// isEnding reports whether a mailbox's error means that the process has ended
// or is about to, and sees to it that it is.
func (c *Cell) isEnding(err error) bool {
	if errors.Is(err, mailbox.ErrProgress) {
		c.process().kill(wire.Reason{Cause: wire.Protocol, Detail: err.Error()})
		return true
	}
	_, broken := errors.AsType[*mailbox.PipeError](err)
	return broken || errors.Is(err, os.ErrClosed)
}

func (c *Cell) refusal(err error) *wire.Failure {
	if errors.Is(err, mailbox.ErrFull) {
		return &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent}
	}
	if limit, ok := errors.AsType[*codec.LimitError](err); ok {
		return &wire.Failure{Code: wire.TooLarge, Text: limit.Error(), Fate: wire.FateNotSent}
	}
	return gone(c.id)
}

// Monitor calls notify exactly once: when the actor's process ends, or at once
// if it has.
func (c *Cell) Monitor(m monitor, notify func(*wire.Down)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil {
		return false
	}
	c.monitors[m] = notify
	return true
}

// Demonitor reports whether the monitor was still there.
func (c *Cell) Demonitor(m monitor) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.monitors[m]
	delete(c.monitors, m)
	return ok
}
