package node

import (
	"maps"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// bereave sorts what a dead process leaves in the mailbox by its page, which
// the process has written and which is believed only where it can be true. What it had
// not begun stays for the next one; what it was at is a suspect.
func (c *Cell) bereave(begun, finished uint64) {
	suspect := c.mailbox.Detach(begun, finished)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.suspect = suspect; suspect == nil {
		if finished > 0 {
			c.blame = 0
		}
		return
	}
	if suspect.Seq > 1 {
		c.blame = 0 // another one than the last time
	}
	c.blame++
}

// pause is for the time between two processes: down says how the last one ended.
func (c *Cell) pause(down *wire.Down) {
	c.absent.Store(down.Reason.Cause != wire.Recycled) // that takes no time to speak of, and is no failure
	c.timers.dropVolatile()
	c.mu.Lock()
	suspect, blame := c.suspect, c.blame
	c.suspect = nil
	again := suspect != nil && blame < c.spec.Redeliver
	if suspect != nil && !again {
		c.blame = 0
	}
	c.mu.Unlock()
	if again && c.mailbox.Return(suspect) != nil {
		again = false
	}
	if suspect != nil && !again {
		c.bury(suspect.Frame, down, letter{suspect: true, attempts: blame})
	}
	c.failUnanswered(down)
	c.inform(down, false)
}

// finish is the end for good: nothing of the actor is left but what down says. The order is
// the promise: first the answers that it owes, then its name is free, then whoever
// watches is told.
func (c *Cell) finish(down *wire.Down) {
	// Whoever finds no route from here on finds the epitaph.
	epitaphs.add(down)
	routes.Delete(c.id)
	c.timers.close()
	c.mailbox.Close()
	rest := c.mailbox.Abandon()
	c.mu.Lock()
	suspect, blame := c.suspect, c.blame
	c.suspect = nil
	c.mu.Unlock()
	if suspect != nil {
		c.bury(suspect.Frame, down, letter{suspect: true, attempts: blame})
	}
	for _, h := range rest {
		c.bury(h.Frame, down, letter{})
	}
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	for _, p := range c.asks.close() {
		p.fail(&wire.Failure{Code: wire.Dead, Down: down})
	}
	for _, h := range rest {
		if h.Admitted != nil { // it is not in anybody's way any more
			h.Admitted()
		}
	}
	c.senders.dismiss()
	c.node.names.free(c.spec.Name, c.id)
	c.bindWaiting()
	c.close(down)
	close(c.ended)
}

// bury makes a dead letter of a message that will not be handled. Whoever asked is told.
func (c *Cell) bury(frame []byte, down *wire.Down, l letter) {
	var env codec.Envelope
	if err := codec.DecodeEnvelope(content(frame), &env); err != nil {
		return
	}
	f := &wire.Failure{Code: wire.Dead, Fate: wire.FateNotBegun, Down: down}
	if l.suspect {
		f.Fate = wire.FateInProgress
	}
	if env.Kind == wire.KindAsk {
		if p, ok := c.take(env.Corr); ok {
			p.fail(f)
		}
	}
	env.To = c.id
	c.node.deadLetter(&env, f, l)
}

// failUnanswered answers those whose Asks were handled, as the process has said, and not
// answered. Only a process that lies does that.
func (c *Cell) failUnanswered(down *wire.Down) {
	left := make(map[uint64]bool)
	for corr, p := range c.asks.all() {
		if p.isSent() {
			left[corr] = true
		}
	}
	if len(left) == 0 {
		return
	}
	c.mailbox.Held(func(frame []byte) bool {
		var env codec.Envelope
		if err := codec.DecodeEnvelope(content(frame), &env); err == nil && env.Kind == wire.KindAsk {
			delete(left, env.Corr)
		}
		return len(left) > 0
	})
	for corr := range maps.Keys(left) {
		if p, ok := c.take(corr); ok {
			p.fail(&wire.Failure{Code: wire.Dead, Down: down})
		}
	}
}

// letter is what is known of a dead letter beside its envelope.
type letter struct {
	suspect  bool
	attempts int
}

// deadLetter counts a message that reaches nobody, and tells those who want to know.
func (n *Node) deadLetter(env *codec.Envelope, why *wire.Failure, l letter) {
	n.deadLetters.Add(1)
	n.logs.deadLetter(env, why)
	if !n.letters.wanted() {
		return
	}
	n.letters.publish(&DeadLetter{
		Time:     time.Now(),
		From:     env.From,
		To:       env.To,
		Type:     string(env.Type),
		Payload:  append([]byte(nil), env.Payload...),
		Reason:   why,
		Suspect:  l.suspect,
		Attempts: l.attempts,
	})
}

// content returns the bytes of a frame that codec made, without its header.
func content(frame []byte) []byte {
	c, _, _, _ := codec.Split(frame, len(frame))
	return c
}
