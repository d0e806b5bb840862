package node

import (
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// An exit signal ends the process that gets it with the signal's reason, unless
// its type handles them as messages (OTP: trap_exit), or the reason is normal.
func (p *process) signal(from codec.ID, r wire.Reason, linked bool) {
	c := p.cell
	switch {
	case c.proto.Handles([]byte(wire.ExitType)):
		// The incarnation, because the next one has no part in it.
		env := codec.Envelope{Kind: wire.KindTell, To: c.id, From: from, Corr: p.inc, Type: []byte(wire.ExitType)}
		c.force(&env, &wire.Exited{From: from, Reason: r})
	case r.Cause == wire.Normal:
	default:
		p.strike(from, r, linked)
	}
}

// strike is an exit signal that cannot be handled.
func (p *process) strike(from codec.ID, r wire.Reason, linked bool) {
	if linked {
		p.mu.Lock()
		if p.verdict.Cause == "" {
			p.via = from
		}
		p.mu.Unlock()
	}
	p.kill(r)
}

// exit sends an exit signal to whatever has that address (OTP: exit/2).
func exit(from, to codec.ID, r wire.Reason) error {
	switch r.Cause {
	case wire.Normal, wire.Shutdown, wire.Failed, wire.Killed:
	default:
		return refused(fmt.Sprintf("no exit signal has the reason %q", r.Cause))
	}
	t, _ := routes.Load(to)
	switch t := t.(type) {
	case *Cell:
		p := t.process()
		if r.Cause == wire.Killed {
			if r.Detail == "" {
				r.Detail = "by an exit signal"
			}
			p.strike(from, r, false)
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
		l.mu.Lock()
		delete(l.ties, peer.cell.id)
		l.mu.Unlock()
		l.proc.signal(d.ID, d.Reason, true)
	}})
}

// untie takes tie back and returns who was tied.
func (l *link) untie(to codec.ID) *link {
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
