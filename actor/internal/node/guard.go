package node

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/cgroup"
)

// How often somebody looks at a process.
const (
	// handlerLooks is how often in a HandlerTimeout. A message is seen at latest after so much of it, and
	// its time counts from then.
	handlerLooks = 8
	minLook      = time.Millisecond

	// While there are messages, memory is looked at when as much as is left could be used up at memoryRate, in
	// bytes a second, but within these bounds.
	memoryRate    = 4 << 30
	minMemoryLook = 2 * time.Millisecond
	maxMemoryLook = 50 * time.Millisecond
	// idleLook is how often without messages, and whether an actor is to be recycled for its memory.
	idleLook = 250 * time.Millisecond
)

// A guard looks after the processes of one actor, one after the other: whether a message takes too long,
// whether the process is alive, how much memory it has, how old it is. What is asked of it by the Spec
// never changes. One process at a time is its charge, and only the watchdog calls look.
type guard struct {
	cell    *Cell
	dog     *watchdog
	watched bool // its memory is limited by looking at it
	heeds   bool // it matters whether there are messages

	charge atomic.Pointer[process] // nil while there is none that is up
	idle   atomic.Bool             // the mailbox was empty at the last look

	// Of the watchdog's mu:
	at    time.Time // when it is due
	place int       // in the watchdog's heap, from 1; 0 if it is not in it

	// Of look:
	seen    *process // whose the following are
	seq     uint64   // the message in progress at the last look; 0 for none
	since   time.Time
	asked   uint64 // the last number asked for as a sign of life
	askedAt time.Time
	peak    int64     // resident memory
	size    time.Time // when memory is due to be looked at for recycling
	done    bool      // there is nothing more to look for: it is to end
}

// newGuard returns nil if the Spec asks for nothing.
func newGuard(c *Cell) *guard {
	s := c.spec
	g := &guard{cell: c, dog: &c.node.watchdog, watched: watched(&s.Limits)}
	g.heeds = g.watched || s.HandlerTimeout > 0 || s.Recycle.Memory > 0
	if !g.heeds && s.Heartbeat == 0 && s.Recycle.After == 0 {
		return nil
	}
	return g
}

// take begins with a process: from its fork on if memory is watched, and again when it is up.
func (g *guard) take(p *process) {
	if g == nil || !p.isUp() && !g.watched {
		return
	}
	g.charge.Store(p)
	g.idle.Store(false)
	g.dog.schedule(g, time.Now())
}

// leave ends with a process. Nobody looks at it any more then.
func (g *guard) leave(p *process) {
	if g != nil && g.charge.CompareAndSwap(p, nil) {
		g.dog.forget(g)
	}
}

// wake is called after each message that the mailbox has taken in, and costs next to nothing.
func (g *guard) wake() {
	if g != nil && g.idle.Load() && g.idle.CompareAndSwap(true, false) {
		g.dog.schedule(g, time.Now().Add(g.interval()))
	}
}

// interval is the time between two looks while there are messages.
func (g *guard) interval() time.Duration {
	d := idleLook
	if t := g.cell.spec.HandlerTimeout; t > 0 {
		d = max(t/handlerLooks, minLook)
	}
	if g.watched {
		d = min(d, minMemoryLook)
	}
	return d
}

// look returns when to look next; never, until the next wake or take, if that is zero.
func (g *guard) look(now time.Time) (next time.Time) {
	p := g.charge.Load()
	if p == nil {
		return
	}
	if p != g.seen {
		g.seen, g.seq, g.asked, g.askedAt, g.peak, g.size, g.done = p, 0, 0, time.Time{}, 0, time.Time{}, false
	}
	if g.done {
		return
	}
	soonest := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	up := p.isUp()
	busy := up && g.heeds && g.isBusy()
	s := g.cell.spec
	if g.watched {
		soonest(g.weigh(p, now, busy || !up))
	}
	if s.HandlerTimeout > 0 && busy {
		soonest(g.time(p, now))
	}
	if s.Heartbeat > 0 && up {
		soonest(g.feel(p, now))
	}
	if s.Recycle.Memory > 0 && up {
		if at := g.swell(p, now); busy {
			soonest(at)
		}
	}
	if s.Recycle.After > 0 && up {
		soonest(g.age(p, now))
	}
	if g.done {
		return time.Time{}
	}
	return next
}

// isBusy reports whether there are messages. If not, the next one wakes it.
func (g *guard) isBusy() bool {
	empty := func() bool { messages, _ := g.cell.mailbox.Depth(); return messages == 0 }
	if !empty() {
		return true
	}
	g.idle.Store(true)
	// One may have come before that, and have woken nobody.
	return !empty() && g.idle.CompareAndSwap(true, false)
}

// time looks how long the message in progress takes. It goes by what is finished: of that a process can
// claim no more than it was sent.
func (g *guard) time(p *process, now time.Time) (next time.Time) {
	limit := g.cell.spec.HandlerTimeout
	next = now.Add(max(limit/handlerLooks, minLook))
	begun, finished := p.page.Progress()
	if err := g.cell.mailbox.Release(finished); err != nil {
		g.done = true
		p.lied(err)
		return time.Time{}
	}
	switch {
	case begun <= finished:
		g.seq = 0
		return next
	case finished+1 != g.seq:
		g.seq, g.since = finished+1, now
	case now.Sub(g.since) >= limit:
		g.done = true
		p.hang("handler", limit)
		return time.Time{}
	}
	if end := g.since.Add(limit); end.Before(next) {
		return end
	}
	return next
}

// feel looks for a sign of life, and asks for the next.
func (g *guard) feel(p *process, now time.Time) (next time.Time) {
	limit := g.cell.spec.Heartbeat
	if now.Sub(g.askedAt) < limit/2 {
		return g.askedAt.Add(limit / 2)
	}
	if g.asked != p.page.LastBeat() {
		g.done = true
		p.hang("heartbeat", limit)
		return time.Time{}
	}
	g.asked++
	g.askedAt = now
	// If that fails, the process does not read, or is at its end.
	_ = p.link.control(&codec.Envelope{Kind: wire.KindPing, Corr: g.asked}, nil)
	return now.Add(limit / 2)
}

// weigh looks at how much memory it has.
func (g *guard) weigh(p *process, now time.Time, busy bool) (next time.Time) {
	limit := g.cell.spec.Limits.Memory
	size, ok := p.resident()
	if !ok {
		return now.Add(idleLook)
	}
	g.peak = max(g.peak, size)
	if size > limit {
		g.done = true
		p.kill(wire.Reason{Cause: wire.OutOfMemory, Limit: limit, Peak: g.peak})
		return time.Time{}
	}
	if !busy {
		return now.Add(idleLook)
	}
	left := time.Duration(float64(limit-size) / memoryRate * float64(time.Second))
	return now.Add(min(max(left, minMemoryLook), maxMemoryLook))
}

// swell recycles what has grown too large.
func (g *guard) swell(p *process, now time.Time) (next time.Time) {
	if now.Before(g.size) {
		return g.size
	}
	g.size = now.Add(idleLook)
	if size, ok := p.resident(); ok && size >= g.cell.spec.Recycle.Memory {
		p.recycle(fmt.Sprintf("it has %d bytes of memory resident", size))
	}
	return g.size
}

// age recycles what has become too old.
func (g *guard) age(p *process, now time.Time) (next time.Time) {
	due := p.readyAt.Add(g.cell.spec.Recycle.After)
	if now.Before(due) {
		return due
	}
	p.recycle(fmt.Sprintf("it is %v old", g.cell.spec.Recycle.After))
	return time.Time{}
}

// resident is how much memory the process has, if that is known.
func (p *process) resident() (bytes int64, ok bool) {
	p.mu.Lock() // so that the pid is its own
	defer p.mu.Unlock()
	if p.reaped || p.os == nil {
		return 0, false
	}
	bytes, err := cgroup.Resident(p.os.Pid)
	return bytes, err == nil
}
