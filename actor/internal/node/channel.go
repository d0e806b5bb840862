package node

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A channel is the credit that one process has with one destination. What the
// process sends is charged; it is credited once the destination's mailbox has
// taken it. So a slow actor holds up those who talk to it, and nobody else.
type channel struct {
	link   *link
	to     codec.ID
	target target
	pooled bool // the destination has many mailboxes

	handled []byte      // the last type of message that was let through; of who reads the link
	dropped atomic.Bool // the link has it no longer

	// admit is credited, made a value once: a closure for each message would
	// be an allocation for each.
	admit func()

	mu       sync.Mutex // protects the following
	messages int        // charged and not yet told to the process as credited
	bytes    int
	waiting  []int // sizes of those that found no room, oldest first
	credit   wire.Credit
	closed   bool
}

func newChannel(l *link, to codec.ID, t target) *channel {
	ch := &channel{link: l, to: to, target: t}
	_, ch.pooled = t.(*supervisor)
	ch.admit = ch.credited
	return ch
}

// handles reports whether c, to which the channel leads, takes messages of a type: mostly that of the last one.
func (ch *channel) handles(c *Cell, messageType []byte) bool {
	if len(ch.handled) > 0 && bytes.Equal(ch.handled, messageType) {
		return true
	}
	ok := c.proto.Handles(messageType)
	if ok {
		ch.handled = append(ch.handled[:0], messageType...)
	}
	return ok
}

// charge reports whether the process may send this much now.
func (ch *channel) charge(size int) bool {
	ch.mu.Lock()
	ok := ch.messages < wire.WindowMessages && ch.bytes < wire.WindowBytes
	if ok {
		ch.messages++
		ch.bytes += size
	}
	ch.mu.Unlock()
	return ok
}

// await notes a message that is about to be queued, and returns what is to be
// called when it is taken in.
func (ch *channel) await(size int) (admitted func()) {
	if ch.pooled { // they are not taken in in the order in which they were sent
		return func() { ch.taken(size) }
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.waiting = append(ch.waiting, size)
	return ch.admit
}

// unawait takes the last await back.
func (ch *channel) unawait() {
	if ch.pooled {
		return
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.waiting = ch.waiting[:len(ch.waiting)-1]
}

// credited is called once for each await: a mailbox is first in, first out.
func (ch *channel) credited() {
	ch.mu.Lock()
	size := ch.waiting[0]
	if ch.waiting = ch.waiting[1:]; len(ch.waiting) == 0 {
		ch.waiting = nil
	}
	ch.mu.Unlock()
	ch.taken(size)
}

// taken gives credit for one message. The process hears of it a quarter of the
// window at a time.
func (ch *channel) taken(size int) {
	ch.mu.Lock()
	if ch.closed {
		ch.mu.Unlock()
		return
	}
	ch.credit.Messages++
	ch.credit.Bytes += size
	if ch.credit.Messages < wire.WindowMessages/4 && ch.credit.Bytes < wire.WindowBytes/4 {
		ch.mu.Unlock()
		return
	}
	credit := ch.credit
	ch.credit = wire.Credit{}
	ch.messages -= credit.Messages
	ch.bytes -= credit.Bytes
	ch.mu.Unlock()
	ch.link.urge(&codec.Envelope{Kind: wire.KindCredit, To: ch.to}, credit)
}

// refuse sends a message back to where it came from.
func (ch *channel) refuse(env *codec.Envelope, size int, f *wire.Failure) {
	ch.taken(size)
	ch.link.refuse(env, f)
}

// close tells the process that the destination is gone, gives all its credit back and ends
// the channel. What is still on the way begins another, or has nobody to go to.
func (ch *channel) close() {
	if !ch.link.drop(ch) {
		return
	}
	ch.mu.Lock()
	ch.closed = true
	rest := wire.Credit{Messages: ch.messages, Bytes: ch.bytes, Gone: true}
	ch.mu.Unlock()
	ch.link.urge(&codec.Envelope{Kind: wire.KindCredit, To: ch.to}, rest)
}
