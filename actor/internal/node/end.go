package node

import (
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// end settles everything that a dead process leaves behind.
func (c *Cell) end(p *process) {
	c.stopChildren()
	unfinished := p.unfinished()
	down := p.flight(unfinished)

	c.mu.Lock()
	c.down = down
	asks, monitors, senders := c.asks, c.monitors, c.senders
	c.asks, c.monitors, c.senders = nil, nil, nil
	c.mu.Unlock()

	// Whoever finds no route from here on finds the epitaph.
	epitaphs.add(down)
	routes.Delete(c.id)
	c.deadLetters(unfinished, down)
	failAsks(asks, unfinished, down)
	if p.link != nil {
		p.link.close()
	}
	for ch := range senders {
		ch.close()
	}
	c.node.release(c)
	for _, notify := range monitors {
		notify(down)
	}
}

// stopChildren takes the subtree along. It does not wait: each child has its
// own ladder.
func (c *Cell) stopChildren() {
	for _, child := range c.node.orphans(c) {
		child.Stop()
	}
}

// unfinished is what the mailbox still held of the messages to a dead process.
type unfinished struct {
	inProgress *mailbox.Held
	notBegun   []mailbox.Held
}

// unfinished closes the mailbox and sorts what is left by the page. The page
// was written by the process and is believed only where it can be true.
func (p *process) unfinished() unfinished {
	var u unfinished
	if p.cell.mailbox == nil {
		return u
	}
	p.cell.mailbox.Close()
	begun, finished := p.page.Progress()
	for _, h := range p.cell.mailbox.Abandon() {
		switch {
		case h.Waited || h.Seq > begun:
			u.notBegun = append(u.notBegun, h)
		case h.Seq == begun && finished < begun:
			u.inProgress = &h
		}
	}
	return u
}

// deadLetters counts what nobody will handle. Asks among it are not dead
// letters: they are answered.
func (c *Cell) deadLetters(u unfinished, down *wire.Down) {
	why := fmt.Sprintf("%s ended: %s", c.label(), down.Reason.Cause)
	letter := func(h mailbox.Held) {
		var env codec.Envelope
		if err := codec.DecodeEnvelope(content(h.Frame), &env); err == nil && env.Kind == wire.KindTell {
			c.node.deadLetter(&env, why)
		}
	}
	if u.inProgress != nil {
		letter(*u.inProgress)
	}
	for _, h := range u.notBegun {
		letter(h)
	}
}

// deadLetter counts a message that reaches nobody.
func (n *Node) deadLetter(env *codec.Envelope, why string) {
	n.deadLetters.Add(1)
	n.logs.deadLetter(env, why)
}

// failAsks answers everybody who still waits, with what is known of each.
func failAsks(asks map[uint64]pending, u unfinished, down *wire.Down) {
	if len(asks) == 0 {
		return
	}
	fates := make(map[uint64]wire.Fate, len(asks))
	note := func(h mailbox.Held, fate wire.Fate) {
		var env codec.Envelope
		if err := codec.DecodeEnvelope(content(h.Frame), &env); err == nil && env.Kind == wire.KindAsk {
			fates[env.Corr] = fate
		}
	}
	if u.inProgress != nil {
		note(*u.inProgress, wire.FateInProgress)
	}
	for _, h := range u.notBegun {
		note(h, wire.FateNotBegun)
	}
	for corr, p := range asks {
		p.fail(&wire.Failure{Code: wire.Dead, Fate: fates[corr], Down: down})
	}
}

// content returns the bytes of a frame that codec made, without its header.
func content(frame []byte) []byte {
	c, _, _, _ := codec.Split(frame, len(frame))
	return c
}
