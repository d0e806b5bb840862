package node

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// An Inbox is an address of the host program. It has a mailbox's bounds and a
// mailbox's order, and no process.
type Inbox struct {
	senders
	id     codec.ID
	node   *Node
	limits mailbox.Capacity
	corr   atomic.Uint64 // the last correlation given out

	mu      sync.Mutex // protects the following
	closed  bool
	queue   []Letter
	bytes   int
	waiting []waiting
	arrived chan struct{} // closed and replaced when the queue gets its first letter
	room    chan struct{} // closed and replaced when there may be room
	asks    map[uint64]pending
}

// A Letter is one message in an Inbox. Its bytes are the receiver's.
type Letter struct {
	From    codec.ID
	Type    string
	Payload []byte
	corr    uint64 // not zero: an Ask, or a Tell that wants to be acknowledged
	ask     bool
}

// waiting is a letter of an actor for which there was no room.
type waiting struct {
	letter   Letter
	admitted func()
}

// NewInbox makes an address with room for so much.
func (n *Node) NewInbox(limits mailbox.Capacity) (*Inbox, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, &wire.Failure{Code: wire.Closed, Fate: wire.FateNotSent}
	}
	b := &Inbox{
		id:      wire.NewID(),
		node:    n,
		limits:  limits,
		arrived: make(chan struct{}),
		room:    make(chan struct{}),
		asks:    make(map[uint64]pending),
	}
	n.inboxes[b] = struct{}{}
	routes.Store(b.id, b)
	return b, nil
}

// ID returns the inbox's address.
func (b *Inbox) ID() codec.ID { return b.id }

// Receive waits for the next letter.
func (b *Inbox) Receive(ctx context.Context) (Letter, error) {
	for {
		b.mu.Lock()
		if len(b.queue) > 0 {
			l := b.queue[0]
			b.queue[0] = Letter{}
			b.queue = b.queue[1:]
			b.bytes -= len(l.Payload)
			admitted := b.refillLocked()
			b.mu.Unlock()
			for _, f := range admitted {
				f()
			}
			return l, nil
		}
		closed, arrived := b.closed, b.arrived
		b.mu.Unlock()
		if closed {
			return Letter{}, fmt.Errorf("inbox: %w", os.ErrClosed)
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return Letter{}, context.Cause(ctx)
		}
	}
}

// refillLocked moves what waited into the queue, and wakes the program's own
// senders.
func (b *Inbox) refillLocked() (admitted []func()) {
	for len(b.waiting) > 0 && b.hasRoomLocked() {
		w := b.waiting[0]
		b.waiting = b.waiting[1:]
		b.pushLocked(w.letter)
		admitted = append(admitted, w.admitted)
	}
	close(b.room)
	b.room = make(chan struct{})
	return admitted
}

func (b *Inbox) hasRoomLocked() bool {
	return len(b.queue) < b.limits.Messages && b.bytes < b.limits.Bytes
}

func (b *Inbox) pushLocked(l Letter) {
	b.queue = append(b.queue, l)
	b.bytes += len(l.Payload)
	close(b.arrived)
	b.arrived = make(chan struct{})
}

// put is the program's own way in.
func (b *Inbox) put(ctx context.Context, l Letter) error {
	for {
		b.mu.Lock()
		if b.closed {
			b.mu.Unlock()
			return gone(b.id)
		}
		if len(b.waiting) == 0 && b.hasRoomLocked() {
			b.pushLocked(l)
			b.mu.Unlock()
			return nil
		}
		room := b.room
		b.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
		}
	}
}

func (b *Inbox) tell(ctx context.Context, _ codec.ID, t *wire.MessageType, message any) error {
	payload, err := b.encode(message)
	if err != nil {
		return err
	}
	return b.put(ctx, Letter{Type: t.Name, Payload: payload})
}

func (b *Inbox) ask(ctx context.Context, _ codec.ID, t *wire.MessageType, message any, reply wire.Answer) error {
	payload, err := b.encode(message)
	if err != nil {
		return err
	}
	call := newCall()
	corr := b.corr.Add(1)
	if !b.await(corr, pending{call: call}) {
		return gone(b.id)
	}
	err = b.put(ctx, Letter{Type: t.Name, Payload: payload, corr: corr, ask: true})
	if err == nil {
		select {
		case <-call.done:
			return call.finish(reply)
		case <-ctx.Done():
			err = &wire.GivenUp{Fate: wire.FateUnknown, Err: context.Cause(ctx)}
		}
	}
	if !b.forget(corr) {
		<-call.done
	}
	call.free()
	return err
}

// encode makes a payload by way of a frame, which has a limit from its first
// byte on: a message of 2 GiB is not encoded only to be refused.
func (b *Inbox) encode(message any) ([]byte, error) {
	frame, err := codec.AppendMessage(nil, &codec.Envelope{Kind: wire.KindTell}, message, b.node.cfg.FrameLimit)
	if err != nil {
		return nil, err
	}
	var env codec.Envelope
	err = codec.DecodeEnvelope(content(frame), &env)
	return env.Payload, err
}

// receive is target's.
func (b *Inbox) receive(ch *channel, env *codec.Envelope, size int) {
	l := Letter{From: env.From, Type: string(env.Type), Payload: append([]byte(nil), env.Payload...), ask: env.Kind == wire.KindAsk}
	if env.Corr != 0 {
		l.corr = b.corr.Add(1)
		// Before await: as soon as it waits, Close may answer.
		ch.link.expect(env.Corr, route{inbox: b, corr: l.corr})
		if !b.await(l.corr, pending{link: ch.link, corr: env.Corr}) {
			ch.refuse(env, size, gone(b.id))
			return
		}
	}
	admitted := func() {
		ch.taken(size)
		if !l.ask && l.corr != 0 {
			b.answer(l.corr, wire.Accepted{}, nil)
		}
	}
	b.mu.Lock()
	switch {
	case b.closed && env.Corr != 0:
		b.mu.Unlock()
		ch.taken(size) // Close has answered
	case b.closed:
		b.mu.Unlock()
		ch.refuse(env, size, gone(b.id))
	case len(b.waiting) == 0 && b.hasRoomLocked():
		b.pushLocked(l)
		b.mu.Unlock()
		admitted()
	default:
		b.waiting = append(b.waiting, waiting{l, admitted})
		b.mu.Unlock()
	}
}

// deliver is target's.
func (b *Inbox) deliver(env *codec.Envelope, skip bool, done func()) error {
	l := Letter{From: env.From, Type: string(env.Type), Payload: append([]byte(nil), env.Payload...)}
	b.mu.Lock()
	switch {
	case b.closed:
		b.mu.Unlock()
		return gone(b.id)
	case len(b.waiting) == 0 && b.hasRoomLocked():
		b.pushLocked(l)
	case skip:
		b.mu.Unlock()
		return &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent}
	default:
		b.waiting = append(b.waiting, waiting{l, done})
		done = func() {}
	}
	b.mu.Unlock()
	done()
	return nil
}

// await registers who waits for an answer.
func (b *Inbox) await(corr uint64, p pending) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.asks[corr] = p
	return true
}

func (b *Inbox) take(corr uint64) (pending, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.asks[corr]
	delete(b.asks, corr)
	return p, ok
}

func (b *Inbox) forget(corr uint64) bool {
	_, ok := b.take(corr)
	return ok
}

// Asked reports whether the letter wants an answer.
func (l *Letter) Asked() bool { return l.ask }

// Reply answers a letter, once; it reports false when nobody waits for it.
func (b *Inbox) Reply(l *Letter, typ string, value any, f *wire.Failure) (bool, error) {
	if f != nil {
		return b.answer(l.corr, nil, f), nil
	}
	payload, err := b.encode(value)
	if err != nil {
		return false, err
	}
	p, ok := b.take(l.corr)
	if !ok {
		return false, nil
	}
	if p.call != nil {
		p.call.answer([]byte(typ), payload)
	} else {
		p.link.forward(p.corr, &codec.Envelope{Type: []byte(typ), Payload: payload})
	}
	return true, nil
}

func (b *Inbox) answer(corr uint64, body any, f *wire.Failure) bool {
	p, ok := b.take(corr)
	switch {
	case !ok:
	case f != nil:
		p.fail(f)
	default:
		p.link.reply(p.corr, body)
	}
	return ok
}

// Close gives the address up. What was not received is dead letters; who asked
// is told.
func (b *Inbox) Close() {
	b.node.mu.Lock()
	delete(b.node.inboxes, b)
	b.node.mu.Unlock()
	routes.Delete(b.id)
	b.mu.Lock()
	lost := len(b.queue) + len(b.waiting)
	asks, waited := b.asks, b.waiting
	b.queue, b.waiting, b.asks = nil, nil, nil
	if !b.closed {
		b.closed = true
		close(b.arrived)
		close(b.room)
	}
	b.mu.Unlock()
	b.node.deadLetters.Add(uint64(lost))
	for _, p := range asks {
		p.fail(gone(b.id))
	}
	for _, w := range waited {
		w.admitted() // it is not in anybody's way any more
	}
	b.senders.dismiss()
}
