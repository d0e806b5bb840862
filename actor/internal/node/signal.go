package node

import (
	"fmt"
	"slices"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// An exit signal ends the process that gets it with the signal's reason, unless
// its type handles them as messages (OTP: trap_exit), or the reason is normal.
func (p *process) signal(from codec.ID, r wire.Reason, linked bool) {
	c := p.cell
	switch {
	case c.proto.Handles([]byte(wire.ExitType)):
		if c.isFull() {
			r = briefReason(r, forcedText)
		}
		// The incarnation, because the next one has no part in it.
		env := codec.Envelope{Kind: wire.KindTell, To: c.id, From: from, Corr: p.inc, Type: []byte(wire.ExitType)}
		c.force(&env, &wire.Exited{From: from, Reason: r})
	case r.Cause == wire.Normal, r.Cause == wire.Recycled:
	default:
		p.strike(from, r, linked)
	}
}

// strike is an exit signal that cannot be handled.
func (p *process) strike(from codec.ID, r wire.Reason, linked bool) {
	p.mu.Lock()
	if p.reaped { // it was dead before
		p.mu.Unlock()
		return
	}
	if linked && p.verdict.Cause == "" {
		p.via = from
	}
	p.mu.Unlock()
	p.kill(r)
}

// exit sends an exit signal to whatever has that address (OTP: exit/2).
func exit(from, to codec.ID, r wire.Reason) error {
	switch r.Cause {
	case wire.Normal, wire.Shutdown, wire.Failed, wire.Killed:
	default:
		return refused(fmt.Sprintf("no exit signal has the reason %q", r.Cause))
	}
	r = own(r)
	t, _ := routes.Load(to)
	switch t := t.(type) {
	case *Cell:
		p := t.process()
		if r.Cause == wire.Killed {
			if r.Detail == "" {
				r.Detail = "by an exit signal"
			}
			p.strike(from, r, false)
		} else if t.unread() > t.spec.Messages+wire.MaxMonitors {
			return &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent}
		} else {
			p.signal(from, r, false)
		}
	case *supervisor:
		return refused("a supervisor takes no exit signals; Stop and Kill end it")
	case *Inbox:
		return refused("an inbox takes no exit signals")
	}
	return nil // of one that is gone there is nothing to end
}

// bindTo answers the Ask for a link, and makes it: now, or when the actor has its next
// process. The error is a breach.
func (l *link) bindTo(corr uint64, to codec.ID) error {
	err := l.mayBind(to)
	if rude, ok := err.(breach); ok {
		return rude
	}
	if c := find(to); err == nil && c != nil && c.postpone(l, corr) {
		return nil
	}
	l.conclude(corr, nil, err) // before the signal, which may follow at once
	if err == nil {
		l.bind(to)
	}
	return nil
}

// mayBind says why this process cannot be linked with what has that address, if so.
func (l *link) mayBind(to codec.ID) error {
	t, _ := routes.Load(to)
	switch t.(type) {
	case *supervisor:
		return refused("a supervisor has no process to link with; Monitor and Watch tell of its end")
	case *Inbox:
		return refused("an inbox has no process to link with")
	}
	l.mu.Lock()
	ties := len(l.ties)
	l.mu.Unlock()
	if ties >= wire.MaxMonitors {
		return refused(fmt.Sprintf("an actor can have %d links", wire.MaxMonitors))
	}
	if l.cell.unread() > l.cell.spec.Messages+wire.MaxMonitors {
		return breach(fmt.Sprintf("more than %d exit signals that it does not read", wire.MaxMonitors))
	}
	return nil
}

// bind links this process with the one of another actor (OTP: link/1). Two monitors
// make a link, each with the number 0: there is at most one per pair.
func (l *link) bind(to codec.ID) {
	if to == l.cell.id {
		return
	}
	other := find(to)
	var peer *link
	if other != nil {
		peer = other.link.Load()
	}
	if peer == nil || !l.tie(peer) || !peer.tie(l) {
		l.untie(to)
		l.proc.signal(to, wire.Reason{Cause: wire.NoSuchActor}, true)
	}
}

// tie makes the end of peer's process a signal to this one.
func (l *link) tie(peer *link) bool {
	l.mu.Lock()
	if l.ties == nil { // closed
		l.mu.Unlock()
		return false
	}
	l.ties[peer.cell.id] = peer
	l.mu.Unlock()
	return peer.cell.add(monitor{watcher: l}, watch{notify: func(d *wire.Down) {
		l.signals.Lock() // so that unlink, when it has returned, is final
		defer l.signals.Unlock()
		l.mu.Lock()
		tied := l.ties[peer.cell.id] == peer // else it was unlinked meanwhile
		if tied {
			delete(l.ties, peer.cell.id)
		}
		l.mu.Unlock()
		if tied {
			l.proc.signal(d.ID, d.Reason, true)
		}
	}})
}

// untie takes tie back and returns who was tied.
func (l *link) untie(to codec.ID) *link {
	l.signals.Lock()
	defer l.signals.Unlock()
	l.mu.Lock()
	peer := l.ties[to]
	delete(l.ties, to)
	l.mu.Unlock()
	if peer != nil {
		peer.cell.remove(monitor{watcher: l})
	}
	return peer
}

// unbind ends a link. No signal comes of it after that (OTP: unlink/1).
func (l *link) unbind(to codec.ID) {
	if peer := l.untie(to); peer != nil {
		peer.untie(l.cell.id)
	}
}

// A binder is a process that wants a link with an actor that has none just now, and the Ask by
// which it said so.
type binder struct {
	link *link
	corr uint64
}

// postpone has l wait if the actor is between two processes, until the next one is there, or
// none will be.
func (c *Cell) postpone(l *link, corr uint64) bool {
	if c.link.Load() != nil {
		return false
	}
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return false
	}
	if len(c.binders) == cap(c.binders) { // before it grows: some may have given up, and they may be many
		c.binders = slices.DeleteFunc(c.binders, func(b binder) bool { return !b.link.isAsking(b.corr) })
	}
	c.binders = append(c.binders, binder{l, corr})
	c.mu.Unlock()
	if c.link.Load() != nil { // it has come meanwhile
		c.bindWaiting()
	}
	return true
}

// bindWaiting links those who wait and have not given up.
func (c *Cell) bindWaiting() {
	c.mu.Lock()
	waiting := c.binders
	c.binders = nil
	c.mu.Unlock()
	for _, b := range waiting {
		if _, ok := b.link.settle(b.corr); ok {
			b.link.urge(&codec.Envelope{Kind: wire.KindReply, Corr: b.corr}, nil)
			b.link.bind(c.id)
		}
	}
}
