package node

import (
	"container/list"
	"context"
	"strings"
	"sync"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A target is whatever has an address: a Cell, a supervisor or an Inbox.
type target interface {
	// tell and ask take a message from the host program to its address, or to that of its pool. Both encode it before
	// anything is sent, and wait for room until ctx is done.
	tell(ctx context.Context, to codec.ID, t *wire.MessageType, message any) error
	ask(ctx context.Context, to codec.ID, t *wire.MessageType, message any, reply wire.Answer) error
	// receive takes one of size bytes from the process at the other end of ch,
	// and gives the credit back when there is room for it. It never blocks.
	receive(ch *channel, env *codec.Envelope, size int)
	// deliver takes a message that nobody waits with. It never blocks; if there is no
	// room the message waits or, if skip, is refused. done is called when a message that
	// may wait is taken in, or never will be; not if there is an error.
	deliver(env *codec.Envelope, skip bool, done func()) error
	// join registers a sender that wants to hear of the target's end. It
	// reports false when that has come already.
	join(ch *channel) bool
	// leave takes join back.
	leave(ch *channel)
}

// routes holds the addresses of every system in this program, so that a
// reference needs no system to be used.
var routes directory

// Local is this program as what references stand on. It needs no Node: an
// address leads to its own.
type Local struct{}

// Tell sends a message from the program to any address.
func (Local) Tell(ctx context.Context, to codec.ID, t *wire.MessageType, message any) error {
	target, ok := routes.Load(to)
	if !ok {
		return gone(to)
	}
	return target.tell(ctx, to, t, message)
}

// Ask sends a message and hands the reply to reply.
func (Local) Ask(ctx context.Context, to codec.ID, t *wire.MessageType, message any, reply wire.Answer) error {
	target, ok := routes.Load(to)
	if !ok {
		return gone(to)
	}
	return target.ask(ctx, to, t, message, reply)
}

// find returns the cell of that address, or nil.
func find(id codec.ID) *Cell {
	t, _ := routes.Load(id)
	c, _ := t.(*Cell)
	return c
}

// audienceOf returns who waits for the end of what has that address, or nil if
// that has no end to wait for.
func audienceOf(id codec.ID) *audience {
	t, _ := routes.Load(id)
	switch t := t.(type) {
	case *Cell:
		return &t.audience
	case *supervisor:
		return &t.audience
	}
	return nil
}

// memberOf returns the place in the tree of what has that address, or nil.
func memberOf(id codec.ID) *member {
	t, _ := routes.Load(id)
	switch t := t.(type) {
	case *Cell:
		return t.member
	case *supervisor:
		return t.member
	}
	return nil
}

// gone is the answer for an address that nothing has, or has any more.
func gone(id codec.ID) *wire.Failure {
	if down := epitaphs.find(id); down != nil {
		return &wire.Failure{Code: wire.Dead, Fate: wire.FateNotSent, Down: down}
	}
	return &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent}
}

// epitaphLimit is how many ended actors are remembered, so that an Ask that
// comes too late can still say what became of them.
const (
	epitaphLimit = 1024
	epitaphText  = 4 << 10 // bytes of each of its texts that are kept
)

// epitaphs remembers how the last actors of this program ended.
var epitaphs = newEpitaphBook()

// An epitaphBook forgets the oldest entry for each new one once it is full.
type epitaphBook struct {
	mu    sync.Mutex // protects the following
	downs map[codec.ID]*list.Element
	order *list.List // of *wire.Down, the oldest first
}

func newEpitaphBook() *epitaphBook {
	return &epitaphBook{downs: make(map[codec.ID]*list.Element), order: list.New()}
}

func (b *epitaphBook) add(ended *wire.Down) {
	down := brief(ended, epitaphText)
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.downs[down.ID]; e != nil { // it was started again
		b.order.Remove(e)
	}
	b.downs[down.ID] = b.order.PushBack(down)
	if b.order.Len() > epitaphLimit {
		oldest := b.order.Remove(b.order.Front()).(*wire.Down)
		delete(b.downs, oldest.ID)
	}
}

// brief returns a Down without what makes it long; each of its texts has that many bytes at most.
func brief(ended *wire.Down, limit int) *wire.Down {
	down := new(*ended)
	down.Reason = briefReason(ended.Reason, limit)
	down.Log = nil
	return down
}

// briefReason is brief for a reason and those that it has inside.
func briefReason(r wire.Reason, limit int) wire.Reason {
	r.Stack = beginning(r.Stack, limit)
	r.Detail = beginning(r.Detail, limit)
	if r.Init != nil {
		r.Init = briefFailure(r.Init, limit)
	}
	if r.Because != nil { // of the node's own making, and not deep
		r.Because = new(briefReason(*r.Because, limit))
	}
	return r
}

// briefFailure keeps the code and the beginning of the text. An honest error has a handful of short
// codes; more are left out.
func briefFailure(f *wire.Failure, limit int) *wire.Failure {
	short := &wire.Failure{Code: f.Code, Text: beginning(f.Text, limit)}
	size := 0
	for _, code := range f.Codes {
		size += codeOverhead + len(code)
	}
	if size <= limit {
		short.Codes = f.Codes
	}
	return short
}

// codeOverhead is what a code counts for, beside its text.
const codeOverhead = 16

// beginning keeps nothing of what it leaves out.
func beginning(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.Clone(text[:limit])
}

func (b *epitaphBook) find(id codec.ID) *wire.Down {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.downs[id]; e != nil {
		return e.Value.(*wire.Down)
	}
	return nil
}
