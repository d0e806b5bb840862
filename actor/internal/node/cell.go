package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// A Cell is one logical actor: what stays the same while processes come and go. It begins
// with the first of them, and ends with the last that is restarted without being asked for.
type Cell struct {
	audience
	senders
	id      codec.ID
	spec    *wire.Spec
	proto   Protocol
	node    *Node
	member  *member
	mailbox *mailbox.Writer // for all its processes
	timers  timers
	guard   *guard               // nil if its Spec asks for none
	corr    atomic.Uint64        // the last correlation given out
	size    atomic.Int64         // the last message's; the next may be as large
	handled atomic.Pointer[byte] // the name of the type that the program has last sent it
	quick   atomic.Bool          // the last answer came so soon that the next is worth polling for
	link    atomic.Pointer[link] // of the present process
	absent  atomic.Bool          // it is between two processes
	ended   chan struct{}        // closed after everybody was told of its end
	asks    askTable

	attachments uint64 // how often its mailbox was attached; its process's own while that boots

	mu      sync.Mutex // protects the following
	proc    *process   // the present one, or the last
	over    bool
	suspect *mailbox.Held // what the last process was at when it ended
	blame   int           // how many processes the oldest message has ended
	missed  []uint64      // cancels for the next process; no more than there were Asks
	binders []binder      // who waits for the next process to link with
}

// pending is who waits for an answer: a caller in this program, or another
// process under a correlation of its own.
type pending struct {
	call *call
	link *link
	corr uint64
	sent bool // as call.sent, for a link's
}

// isSent reports whether the Ask is in the mailbox, or was.
func (p pending) isSent() bool { return p.sent || p.call != nil && p.call.sent.Load() }

func newCell(m *member) *Cell {
	spec := m.post.actor
	c := &Cell{
		id:     m.address,
		spec:   spec,
		proto:  m.post.proto,
		node:   m.node,
		member: m,
		ended:  make(chan struct{}),
	}
	c.mailbox = mailbox.NewWriter(nil, mailbox.WriterConfig{
		Capacity: mailbox.Capacity{Messages: spec.Messages, Bytes: spec.Bytes},
		Retain:   true,
		Broken:   c.inboxBroken,
	})
	c.guard = newGuard(c)
	return c
}

func (c *Cell) tell(ctx context.Context, to codec.ID, t *wire.MessageType, message any) error {
	env := codec.Envelope{Kind: wire.KindTell, To: to, Type: t.Text}
	f, err := c.encode(&env, message)
	if err != nil {
		return err
	}
	defer f.Free()
	return c.put(ctx, f.Bytes)
}

func (c *Cell) ask(ctx context.Context, to codec.ID, t *wire.MessageType, message any, reply wire.Answer) error {
	if c.refusesAsks() {
		return &wire.Failure{Code: wire.Restarting, Fate: wire.FateNotSent}
	}
	env := codec.Envelope{Kind: wire.KindAsk, To: to, Type: t.Text, Corr: c.corr.Add(1), Deadline: wire.Deadline(ctx)}
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
	call.sent.Store(true)
	w, answered := c.poll(call)
	if answered {
		return call.finish(reply)
	}
	cancelled := ctx.Done()
	if cancelled == nil { // a select costs twice as much
		<-call.done
		c.waited(w)
		return call.finish(reply)
	}
	select {
	case <-call.done:
		c.waited(w)
	case <-cancelled:
		if c.forget(env.Corr) {
			call.free()
			c.cancel(env.Corr)
			return &wire.GivenUp{Fate: c.fateOfCancelled(), Err: context.Cause(ctx)}
		}
		<-call.done // the answer came first
	}
	return call.finish(reply)
}

// refusesAsks reports whether Asks fail because there is no process at the moment.
func (c *Cell) refusesAsks() bool { return c.spec.Absent == wire.AbsentFail && c.absent.Load() }

// fateOfCancelled is what becomes of an Ask that is given up now: between two processes it is
// withdrawn, and then it was not begun unless that was the other time.
func (c *Cell) fateOfCancelled() wire.Fate {
	if c.absent.Load() && c.link.Load() == nil && c.spec.Absent == wire.AbsentWait && c.spec.Redeliver <= 1 {
		return wire.FateNotBegun
	}
	return wire.FateUnknown
}

// encode refuses what the actor does not take, and what is too large, before
// anything is sent.
func (c *Cell) encode(env *codec.Envelope, message any) (mailbox.Buffer, error) {
	if !c.handles(env.Type) {
		return mailbox.Buffer{}, c.unhandled(env.Type)
	}
	f := mailbox.NewBufferFor(int(c.size.Load()))
	var err error
	if f.Bytes, err = codec.AppendMessage(f.Bytes, env, message, c.node.cfg.FrameLimit); err != nil {
		f.Free()
		return mailbox.Buffer{}, err
	}
	if n := int64(len(f.Bytes)); c.size.Load() != n { // others read it
		c.size.Store(n)
	}
	return f, nil
}

// handles reports whether the actor takes messages of a type of this program, whose name is always in the same
// place: mostly that of the last one.
func (c *Cell) handles(messageType []byte) bool {
	if len(messageType) > 0 && &messageType[0] == c.handled.Load() {
		return true
	}
	ok := c.proto.Handles(messageType)
	if ok && len(messageType) > 0 {
		c.handled.Store(&messageType[0])
	}
	return ok
}

func (c *Cell) unhandled(messageType []byte) *wire.Failure {
	return &wire.Failure{Code: wire.Unhandled, Fate: wire.FateNotSent,
		Text: fmt.Sprintf("%s has no handler for %.*s", c.spec.Type, nameText, messageType)}
}

// put gives a frame to the mailbox as the actor's Spec says.
func (c *Cell) put(ctx context.Context, frame []byte) error {
	for {
		l := c.link.Load() // before the mailbox looks at its page
		var err error
		if c.spec.Reject {
			err = c.mailbox.TryPut(frame)
		} else {
			err = c.mailbox.Put(ctx, frame)
		}
		over := c.ended
		switch {
		case err == nil:
			c.guard.wake()
			return nil
		case errors.Is(err, mailbox.ErrFull):
			return &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent}
		case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
			return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
		case errors.Is(err, mailbox.ErrProgress) && l != nil:
			l.proc.lied(err)
			over = l.proc.buried
		}
		select {
		case <-over:
		case <-ctx.Done():
			return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
		}
		if over == c.ended {
			return gone(c.id)
		}
	}
}

// lied ends a process that claims to have finished what it was never sent.
func (p *process) lied(err error) {
	p.kill(wire.Reason{Cause: wire.Protocol, Detail: err.Error()})
}

// process returns the present process, or the last.
func (c *Cell) process() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proc
}

// pid is 0 while there is no process.
func (c *Cell) pid() int { return int(c.process().pid.Load()) }

// last is the flight recorder of the last process that has ended.
func (c *Cell) last() *wire.Down { return c.process().down }

// await registers who waits for the answer to corr. It reports false when the
// actor has ended.
func (c *Cell) await(corr uint64, p pending) bool { return c.asks.put(corr, p) }

// isAwaited reports whether somebody waits for the answer to corr.
func (c *Cell) isAwaited(corr uint64) bool {
	_, ok := c.asks.get(corr)
	return ok
}

// take removes and returns who waits for the answer to corr.
func (c *Cell) take(corr uint64) (pending, bool) { return c.asks.take(corr) }

// forget removes who waited; false means that an answer came first.
func (c *Cell) forget(corr uint64) bool {
	_, ok := c.take(corr)
	return ok
}

// cancel tells the process that nobody waits for corr any more, or the next one if
// there is none.
func (c *Cell) cancel(corr uint64) {
	f := mailbox.NewBuffer()
	defer f.Free()
	var err error
	if f.Bytes, err = codec.AppendFrame(f.Bytes, &codec.Envelope{Kind: wire.KindCancel, Corr: corr}, c.node.cfg.FrameLimit); err == nil {
		err = c.mailbox.Push(f.Bytes)
	}
	if errors.Is(err, mailbox.ErrDetached) {
		c.mu.Lock()
		c.missed = append(c.missed, corr)
		c.mu.Unlock()
		if c.link.Load() != nil { // it has come meanwhile
			c.catchUp()
		}
	}
}

// catchUp sends the cancels that came while there was no process.
func (c *Cell) catchUp() {
	c.mu.Lock()
	missed := c.missed
	c.missed = nil
	c.mu.Unlock()
	for _, corr := range missed {
		c.cancel(corr)
	}
}

// receive takes a message from another process (or its own).
func (c *Cell) receive(ch *channel, env *codec.Envelope, size int) {
	switch {
	case !ch.handles(c, env.Type):
		ch.refuse(env, size, c.unhandled(env.Type))
		return
	case env.Kind == wire.KindAsk && c.refusesAsks():
		ch.refuse(env, size, &wire.Failure{Code: wire.Restarting, Fate: wire.FateNotSent})
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
	switch {
	case err == nil:
		if env.Kind == wire.KindAsk {
			c.asks.sent(corr)
		}
	case corr == 0 || c.forget(corr):
		ch.refuse(env, size, c.refusal(err))
	default:
		ch.taken(size) // finish has answered, and said why
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
	switch err = c.mailbox.TryPut(f.Bytes); {
	case err == nil: // as mostly: then nothing need be noted of it
		ch.taken(size)
		if tellBack {
			c.accepted(corr)
		}
	case err == mailbox.ErrFull && !c.spec.Reject:
		admitted := ch.await(size)
		if tellBack {
			credit := admitted
			admitted = func() { credit(); c.accepted(corr) }
		}
		if err = c.mailbox.Enqueue(f.Bytes, admitted); err != nil {
			ch.unawait()
		}
	}
	c.guard.wake()
	return err
}

// accepted tells who wants to know that the mailbox has a Tell.
func (c *Cell) accepted(corr uint64) {
	if p, ok := c.take(corr); ok {
		p.link.reply(p.corr, wire.Accepted{Reject: c.spec.Reject})
	}
}

// deliver is target's.
func (c *Cell) deliver(env *codec.Envelope, skip bool, done func()) error {
	if !c.proto.Handles(env.Type) {
		return c.unhandled(env.Type)
	}
	f := mailbox.NewBuffer()
	defer f.Free()
	var err error
	if f.Bytes, err = codec.AppendFrame(f.Bytes, env, c.node.cfg.FrameLimit+wire.ForwardSlack); err != nil {
		return c.refusal(err)
	}
	if skip {
		err = c.mailbox.TryPut(f.Bytes)
	} else {
		err = c.mailbox.Enqueue(f.Bytes, done)
	}
	if err != nil {
		return c.refusal(err)
	}
	c.guard.wake()
	return nil
}

// force delivers what the node itself has to say, whether there is room or not.
func (c *Cell) force(env *codec.Envelope, body any) {
	f := mailbox.NewBuffer()
	defer f.Free()
	inner, err := codec.Append(nil, body) // as its public type marshals itself
	if err == nil {
		f.Bytes, err = codec.AppendMessage(f.Bytes, env, &inner, math.MaxInt32)
	}
	if err == nil {
		err = c.mailbox.Force(f.Bytes)
	}
	if err != nil {
		c.node.deadLetter(env, gone(c.id), letter{})
	}
	c.guard.wake()
}

// isFull reports whether a message would have to wait for room.
func (c *Cell) isFull() bool {
	messages, bytes := c.mailbox.Depth()
	return messages >= c.spec.Messages || bytes >= c.spec.Bytes || c.mailbox.Waiting() > 0
}

// forcedText is how much of each text of a Down or an exit signal an actor gets whose mailbox is full,
// in bytes: thousands may come, and they take no room.
const forcedText = 256

// unread is how many messages there are for it, those that wait for room included.
func (c *Cell) unread() int {
	messages, _ := c.mailbox.Depth()
	return messages + c.mailbox.Waiting()
}

// refusal is what a mailbox's error means to the sender.
func (c *Cell) refusal(err error) *wire.Failure {
	if errors.Is(err, mailbox.ErrFull) {
		return &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent}
	}
	if limit, ok := errors.AsType[*codec.LimitError](err); ok {
		return &wire.Failure{Code: wire.TooLarge, Text: limit.Error(), Fate: wire.FateNotSent}
	}
	if errors.Is(err, mailbox.ErrProgress) {
		c.process().lied(err)
		return &wire.Failure{Code: wire.Restarting, Fate: wire.FateNotSent, Text: "its process has broken the protocol"}
	}
	return gone(c.id)
}
