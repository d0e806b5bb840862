package child

import (
	"context"
	"runtime"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// expectAsk makes what an Ask has of its asker, for a Cancel to find.
func (c *Child) expectAsk(frame []byte) (*ask, error) {
	corr, deadline, err := codec.PeekCorr(frame)
	if err != nil {
		return nil, err
	}
	a := &ask{corr: corr, deadline: deadline, early: !c.ready.Load()}
	c.asks.push(a)
	return a, nil
}

// cancel ends the context of an Ask whose asker has given up.
func (c *Child) cancel(corr uint64) {
	switch a := c.asks.find(corr); {
	case a == nil:
	case a.late():
		a.end(context.DeadlineExceeded) // that is why
	default:
		a.end(context.Canceled)
	}
}

// work handles messages until it is to stop. It does not return.
func (c *Child) work(actor Behaviour) {
	var batch []item
	for !c.queue.stopped() {
		batch = c.queue.take(batch, c.kept)
		if c.kept = false; len(batch) == 0 {
			c.await()
			continue
		}
		if c.told >= stream {
			c.pace.stream()
		}
		for i := range batch {
			if c.queue.stopped() {
				break
			}
			tell := batch[i].ask == nil
			c.handle(actor, &batch[i])
			if sent := c.sent.Load(); tell && sent == c.seenSent {
				c.told++
			} else {
				c.told, c.seenSent = 0, sent
			}
			c.recycleIfDue()
		}
		clear(batch)
		c.letGo()
	}
	actor.Stop()
	c.goodbye(*c.queue.end.Load())
}

// hotWait is how long a wait may last for the next one to begin with a look.
const hotWait = 150 * time.Microsecond

// A stream is so many Tells in a row after which the actor has sent nothing. Who looks for
// each of them at once keeps the sender's memory moving between two processors, which costs
// both sides more than a message does. So there is a pause before the next look, in which a few
// more come. An exchange of messages has none.
const (
	stream      = 64
	streamPause = 5 * time.Microsecond
)

// await waits for something to do. If the last wait was short it reads the pipe itself: then
// nobody need be woken, and the message goes through no other goroutine. A round trip
// takes 2 to 5 µs so, against 30 to 50 for being woken.
func (c *Child) await() {
	if c.told >= stream {
		for start := time.Now(); time.Since(start) < streamPause; {
		}
	}
	// With one processor it would keep the node from sending.
	if c.hot && runtime.NumCPU() > 1 && c.in.PollAgain(c.due) {
		return
	}
	if c.isBehind() {
		c.acknowledge()
	}
	start := time.Now()
	<-c.queue.wake
	c.hot = time.Since(start) < hotWait
}

// handle runs the actor's code for one message. The page is written first, so
// that whatever happens the node knows which message it was. What the handler
// has sent is in the kernel's hands before the message counts as finished:
// whatever happens next, a finished message has had its effects.
func (c *Child) handle(actor Behaviour, m *item) {
	env, err := c.opener.Open(m.frame.Bytes)
	if err != nil {
		c.lost(err)
	}
	// One by one: as a whole it would be made on the stack and copied, which takes 20 ns.
	d := &c.delivery
	d.ask, d.Payload = m.ask, env.Payload
	d.kept, d.corr = false, 0
	if m.ask == nil {
		d.corr = env.Corr
	}
	c.finished++
	if d.Same = c.opener.Same(); d.Same {
		c.page.NoteAgain(c.finished)
	} else {
		d.From, d.Type, d.Trace = env.From, env.Type, env.Trace
		c.page.Note(c.finished, d.From[:], d.Type)
	}
	c.page.Begin(c.finished)
	switch {
	case m.ask != nil && m.ask.early && c.init.Withdraw && d.Err() != nil:
		c.asks.pop()
		c.opener.Forget() // what is Same is so for the actor
	case d.corr == 0 || c.wanted(d):
		replyType, reply, err := actor.Handle(d)
		if d.ask != nil || err != nil {
			c.conclude(d, replyType, reply, err)
		}
	default:
		c.opener.Forget()
	}
	if c.out.Unwritten() > 0 {
		if err := c.out.Flush(forever); err != nil {
			c.lost(err)
		}
	}
	c.page.Finish(c.finished)
	c.finish(len(m.frame.Bytes))
	if d.kept {
		c.kept = true
	} else {
		m.frame.Recycle()
	}
	if m.frame.Owned() {
		*m = item{}
		c.letGo()
	}
}

// letGo lets the last message's memory go: at once if it was large, else once for all that were read together.
func (c *Child) letGo() {
	c.delivery.Payload = nil
	c.opener.Release()
}

// wanted reports whether what the node itself tells is for this process of the actor, and still of
// interest. The mailbox is older than the process.
func (c *Child) wanted(d *Delivery) bool {
	if string(d.Type) == wire.ExitType {
		return d.corr == c.init.Incarnation
	}
	return c.unmonitor(d.corr)
}

// finish counts a message. When there are many, the node is told, if somebody waits for room; else not before there is
// nothing more to do: to wake it takes as long as 100 messages of a stream do.
func (c *Child) finish(size int) {
	c.unacked++
	c.unackedBytes += size
	if c.isBehind() && c.inbox.Wanted() {
		c.acknowledge()
	}
}

// isBehind reports whether there is much that the node has not been told of.
func (c *Child) isBehind() bool {
	return c.unacked >= c.init.AckMessages || c.unackedBytes >= c.init.AckBytes
}

// acknowledge tells the node how many messages are finished.
func (c *Child) acknowledge() {
	c.unacked, c.unackedBytes = 0, 0
	if err := c.send(&codec.Envelope{Kind: wire.KindAck}, c.finished); err != nil {
		c.lost(err)
	}
}

// conclude answers an Ask; of a Tell only the error is of interest.
func (c *Child) conclude(d *Delivery, replyType []byte, reply any, err error) {
	if d.ask == nil {
		if err != nil {
			c.respond(&codec.Envelope{Kind: wire.KindFail, Type: d.Type}, failureOf(err))
		}
		return
	}
	corr := d.ask.corr
	c.asks.pop()
	d.ask.end(context.Canceled)
	if err != nil {
		c.respond(&codec.Envelope{Kind: wire.KindFail, Corr: corr, Deadline: int64(c.finished)}, failureOf(err))
	} else {
		c.respond(&codec.Envelope{Kind: wire.KindReply, Corr: corr, Deadline: int64(c.finished), Type: replyType, Trace: d.Trace}, reply)
	}
	c.unacked, c.unackedBytes = 0, 0 // the number in the answer acknowledges
}

// respond sends a reply. One that cannot be encoded, or is too large, becomes
// an error: somebody waits.
func (c *Child) respond(env *codec.Envelope, body any) {
	f := mailbox.NewBuffer()
	defer func() { f.Free() }()
	var err error
	if f.Bytes, err = codec.AppendMessage(f.Bytes, env, body, c.init.FrameLimit); err != nil {
		f.Free()
		f = mailbox.NewBuffer()
		fail := codec.Envelope{Kind: wire.KindFail, Corr: env.Corr, Deadline: env.Deadline, Type: env.Type}
		if f.Bytes, err = codec.AppendMessage(f.Bytes, &fail, failureOf(err), c.init.FrameLimit); err != nil {
			c.lost(err)
		}
	}
	if err := c.out.Put(forever, f.Bytes); err != nil {
		c.lost(err)
	}
}
