package node

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// serve answers an Ask to the node itself. What takes time runs on a goroutine
// of its own: the link must go on reading.
func (l *link) serve(env *codec.Envelope) error {
	l.expect(env.Corr, route{})
	if l.denied(env) {
		return nil
	}
	corr, deadline := env.Corr, env.Deadline
	switch string(env.Type) {
	case wire.ServiceSpawn:
		child := new(wire.Child)
		if err := decode(env.Payload, child, maxPlan); err != nil {
			return l.unread(corr, err)
		}
		if err := restrain(l.cell.spec, child); err != nil {
			l.conclude(corr, nil, err)
			return nil
		}
		if l.isOverworked(corr) {
			return nil
		}
		ctx := l.context(corr, deadline, true)
		// Begun here and now: what is refused needs no goroutine.
		r, err := l.cell.node.begin(ctx, child, l.cell)
		if err != nil {
			l.conclude(corr, nil, err)
			return nil
		}
		l.work(func() {
			id, err := l.cell.node.await(ctx, r)
			l.conclude(corr, id, err)
		})
	case wire.ServiceStop, wire.ServiceKill:
		var id codec.ID
		if err := codec.Decode(env.Payload, &id); err != nil {
			return breach(err.Error())
		}
		l.addresses(id)
		kill := string(env.Type) == wire.ServiceKill
		l.manage(corr, deadline, func(ctx context.Context) (any, error) { return nil, end(ctx, l.cell, id, kill) })
	case wire.ServiceStartChild, wire.ServiceTerminateChild, wire.ServiceRestartChild, wire.ServiceDeleteChild:
		var r wire.ChildRequest
		if err := decode(env.Payload, &r, maxPlan); err != nil {
			return l.unread(corr, err)
		}
		l.addresses(r.Under)
		if err := restrain(l.cell.spec, r.Child); err != nil {
			l.conclude(corr, nil, err)
			return nil
		}
		l.manage(corr, deadline, l.childService(string(env.Type), r))
	case wire.ServiceChildren:
		var id codec.ID
		if err := codec.Decode(env.Payload, &id); err != nil {
			return breach(err.Error())
		}
		l.addresses(id)
		children, err := Local{}.Children(context.Background(), id)
		l.conclude(corr, children, err)
	case wire.ServiceLink, wire.ServiceUnlink:
		var id codec.ID
		if err := codec.Decode(env.Payload, &id); err != nil {
			return breach(err.Error())
		}
		if string(env.Type) == wire.ServiceLink {
			l.addresses(id)
			return l.bindTo(corr, id)
		}
		l.unbind(id)
		l.reply(corr, nil)
	case wire.ServiceExit:
		var r wire.ExitRequest
		if err := decode(env.Payload, &r, maxValues); err != nil {
			return breach(err.Error())
		}
		l.addresses(r.Target)
		l.conclude(corr, nil, exit(l.cell.id, r.Target, r.Reason))
	case wire.ServiceTimer:
		var r wire.TimerRequest
		if err := codec.Decode(env.Payload, &r); err != nil {
			return breach(err.Error())
		}
		if r.To != (codec.ID{}) { // else its own
			l.addresses(r.To)
		}
		done, err := l.cell.timer(&r)
		l.conclude(corr, done, err)
	case wire.ServiceLookup:
		var name string
		if err := codec.Decode(env.Payload, &name); err != nil {
			return breach(err.Error())
		}
		l.lookup(corr, name)
	case wire.ServiceMonitor, wire.ServiceDemonitor:
		var r wire.MonitorRequest
		if err := codec.Decode(env.Payload, &r); err != nil {
			return breach(err.Error())
		}
		if string(env.Type) == wire.ServiceMonitor {
			l.addresses(r.Target)
			return l.monitor(corr, r)
		}
		l.demonitor(corr, r)
	default:
		l.fail(corr, &wire.Failure{Code: wire.Refused, Text: fmt.Sprintf("the node has no service %.*q", nameText, env.Type)})
	}
	return nil
}

// unread is for a plan that could not be decoded: one that is only too large, an honest actor may
// have made.
func (l *link) unread(corr uint64, err error) error {
	if large, ok := errors.AsType[tooManyValues](err); ok {
		l.conclude(corr, nil, refused("a request of "+large.Error()))
		return nil
	}
	return breach(err.Error())
}

// unasked bounds a service whose asker set no deadline. What it waits for has
// deadlines of its own, which are shorter.
const unasked = time.Hour

// context ends at the asker's deadline, when the asker waits no longer, and with
// it. If answered, a Cancel does not settle the Ask: the service will.
func (l *link) context(corr uint64, deadline int64, answered bool) context.Context {
	at := time.Unix(0, deadline)
	if deadline == 0 {
		at = time.Now().Add(unasked)
	}
	ctx, cancel := context.WithDeadline(context.Background(), at)
	l.expect(corr, route{end: cancel, answered: answered})
	return ctx
}

// conclude answers with a result or an error.
func (l *link) conclude(corr uint64, result any, err error) {
	if err == nil {
		l.reply(corr, result)
		return
	}
	f, ok := errors.AsType[*wire.Failure](err)
	if !ok {
		f = refused(err.Error())
	}
	if f.Code == wire.Denied {
		l.cell.node.denied.Add(1)
	}
	l.fail(corr, f)
}

// manage runs a service that takes time.
func (l *link) manage(corr uint64, deadline int64, service func(context.Context) (any, error)) {
	if l.isOverworked(corr) {
		return
	}
	ctx := l.context(corr, deadline, false)
	l.work(func() {
		result, err := service(ctx)
		l.conclude(corr, result, err)
	})
}

// isOverworked refuses a service that takes time, if too many are under way.
func (l *link) isOverworked(corr uint64) bool {
	if l.services.Load() < wire.MaxServices {
		return false
	}
	l.fail(corr, &wire.Failure{Code: wire.Full, Fate: wire.FateNotSent,
		Text: fmt.Sprintf("the node does %d things for this actor, and no more at once", wire.MaxServices)})
	return true
}

// work does on a goroutine of its own what takes time. Only handle begins it.
func (l *link) work(do func()) {
	l.services.Add(1)
	l.cell.node.tasks.Go(func() {
		defer l.services.Add(-1)
		do()
	})
}

// childService is a call to a supervisor.
func (l *link) childService(name string, r wire.ChildRequest) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		switch name {
		case wire.ServiceStartChild:
			return Local{}.StartChild(ctx, r.Under, r.Child)
		case wire.ServiceTerminateChild:
			return nil, terminateChild(ctx, l.cell, r.Under, r.ID)
		case wire.ServiceRestartChild:
			return nil, Local{}.RestartChild(ctx, r.Under, r.ID)
		}
		return nil, Local{}.DeleteChild(ctx, r.Under, r.ID)
	}
}

// nameText is how much the node repeats of a name that it does not know, in bytes: none that it knows is longer,
// and one that is quoted can be four times as long.
const nameText = 255

func (l *link) lookup(corr uint64, name string) {
	if id, ok := l.cell.node.names.lookup(name); ok {
		l.reply(corr, id)
		return
	}
	l.fail(corr, &wire.Failure{Code: wire.NoActor, Text: fmt.Sprintf("no actor is registered as %.*q", nameText, name)})
}

func (l *link) monitor(corr uint64, r wire.MonitorRequest) error {
	target := audienceOf(r.Target)
	l.mu.Lock()
	_, twice := l.watching[r.ID]
	tooMany := len(l.watching) >= wire.MaxMonitors
	if !twice && !tooMany && target != nil {
		l.watching[r.ID] = target
	}
	l.mu.Unlock()
	switch {
	case r.ID == 0:
		return breach("a monitor without a number")
	case twice:
		return breach(fmt.Sprintf("monitor %d twice", r.ID))
	case tooMany:
		return breach(fmt.Sprintf("more than %d monitors", wire.MaxMonitors))
	}
	// A Down takes no room from the monitors any more, so it is the mailbox that bounds them.
	if l.cell.unread() > l.cell.spec.Messages+wire.MaxMonitors {
		return breach(fmt.Sprintf("more than %d Downs that it does not read", wire.MaxMonitors))
	}
	l.reply(corr, nil) // before the Down, which may follow at once
	w := watch{final: r.Final, notify: func(d *wire.Down) { l.down(r.ID, d) }}
	if target == nil || !target.add(monitor{watcher: l, id: r.ID}, w) {
		w.notify(noSuchActor(r.Target))
	}
	return nil
}

func (l *link) demonitor(corr uint64, r wire.MonitorRequest) {
	l.mu.Lock()
	target := l.watching[r.ID]
	delete(l.watching, r.ID)
	l.mu.Unlock()
	if target != nil {
		target.remove(monitor{watcher: l, id: r.ID})
	}
	l.reply(corr, nil)
}

// down delivers a Down as a message: behind what the dead actor sent, and
// whether there is room or not.
func (l *link) down(id uint64, d *wire.Down) {
	l.mu.Lock()
	delete(l.watching, id)
	l.mu.Unlock()
	told := *d
	if l.cell.isFull() {
		told = *brief(d, forcedText)
		told.Recent = nil
	}
	told.Monitor = id
	l.cell.force(&codec.Envelope{Kind: wire.KindTell, To: l.cell.id, From: d.ID, Corr: id, Type: []byte(wire.DownType)}, &told)
}

// noSuchActor is the Down of an actor that was gone before the monitor came.
func noSuchActor(id codec.ID) *wire.Down {
	return &wire.Down{ID: id, Reason: wire.Reason{Cause: wire.NoSuchActor}}
}

// monitors numbers those of the program itself.
var monitors atomic.Uint64

// Monitor calls notify once: at the next end of a process of the actor, or at once if that
// is no more. notify must not block.
func Monitor(to codec.ID, notify func(*wire.Down)) (cancel func() bool) {
	return observe(to, watch{notify: notify})
}

// Watch is Monitor for the end for good.
func Watch(to codec.ID, notify func(*wire.Down)) (cancel func() bool) {
	return observe(to, watch{notify: notify, final: true})
}

func observe(to codec.ID, w watch) (cancel func() bool) {
	m := monitor{id: monitors.Add(1)}
	a := audienceOf(to)
	if a == nil || !a.add(m, w) {
		w.notify(noSuchActor(to))
		return func() bool { return false }
	}
	return func() bool { return a.remove(m) }
}
