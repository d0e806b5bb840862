package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// serve answers an Ask to the node itself. What takes time runs on a goroutine
// of its own: the link must go on reading.
func (l *link) serve(env *codec.Envelope) error {
	l.expect(env.Corr, route{})
	corr, deadline := env.Corr, env.Deadline
	switch string(env.Type) {
	case wire.ServiceSpawn:
		var spec wire.Spec
		if err := codec.Decode(env.Payload, &spec); err != nil {
			return breach(err.Error())
		}
		ctx := l.context(corr, deadline, true)
		l.cell.node.tasks.Go(func() {
			id, err := l.cell.node.Spawn(ctx, spec, l.cell)
			l.conclude(corr, id, err)
		})
	case wire.ServiceStop, wire.ServiceKill:
		var id codec.ID
		if err := codec.Decode(env.Payload, &id); err != nil {
			return breach(err.Error())
		}
		end := Local.Stop
		if string(env.Type) == wire.ServiceKill {
			end = Local.Kill
		}
		ctx := l.context(corr, deadline, false)
		l.cell.node.tasks.Go(func() { l.conclude(corr, nil, end(Local{}, ctx, id)) })
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
			return l.monitor(corr, r)
		}
		l.demonitor(corr, r)
	default:
		l.fail(corr, &wire.Failure{Code: wire.Refused, Text: fmt.Sprintf("the node has no service %q", env.Type)})
	}
	return nil
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
		f = &wire.Failure{Code: wire.Refused, Text: err.Error()}
	}
	l.fail(corr, f)
}

func (l *link) lookup(corr uint64, name string) {
	if id, ok := l.cell.node.Lookup(name); ok {
		l.reply(corr, id)
		return
	}
	l.fail(corr, &wire.Failure{Code: wire.NoActor, Text: fmt.Sprintf("no actor is registered as %q", name)})
}

func (l *link) monitor(corr uint64, r wire.MonitorRequest) error {
	l.mu.Lock()
	_, twice := l.watching[r.ID]
	tooMany := len(l.watching) >= wire.MaxMonitors
	target := find(r.Target)
	if !twice && !tooMany && target != nil {
		l.watching[r.ID] = target
	}
	l.mu.Unlock()
	switch {
	case twice:
		return breach(fmt.Sprintf("monitor %d twice", r.ID))
	case tooMany:
		return breach(fmt.Sprintf("more than %d monitors", wire.MaxMonitors))
	}
	// A Down takes no room from the monitors any more, so it is the mailbox that bounds them.
	if unread, _ := l.cell.mailbox.Depth(); unread > l.cell.spec.Messages+wire.MaxMonitors {
		return breach(fmt.Sprintf("more than %d Downs that it does not read", wire.MaxMonitors))
	}
	l.reply(corr, nil) // before the Down, which may follow at once
	m := monitor{watcher: l.cell, id: r.ID}
	notify := func(d *wire.Down) { l.down(r.ID, d) }
	if target == nil || !target.Monitor(m, notify) {
		notify(noSuchActor(r.Target))
	}
	return nil
}

func (l *link) demonitor(corr uint64, r wire.MonitorRequest) {
	l.mu.Lock()
	target := l.watching[r.ID]
	delete(l.watching, r.ID)
	l.mu.Unlock()
	if target != nil {
		target.Demonitor(monitor{watcher: l.cell, id: r.ID})
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
	told.Monitor = id
	f := mailbox.NewBuffer()
	defer f.Free()
	env := codec.Envelope{Kind: wire.KindTell, To: l.cell.id, From: d.ID, Corr: id, Type: []byte(wire.DownType)}
	body, err := codec.Append(nil, &told) // as actor.Down marshals itself
	if err == nil {
		f.Bytes, err = codec.AppendMessage(f.Bytes, &env, &body, math.MaxInt32)
	}
	if err == nil {
		err = l.cell.mailbox.Force(f.Bytes)
	}
	if err != nil {
		l.cell.node.deadLetter(&env, err.Error())
	}
}

// noSuchActor is the Down of an actor that was gone before the monitor came.
func noSuchActor(id codec.ID) *wire.Down {
	return &wire.Down{ID: id, Reason: wire.Reason{Cause: wire.NoSuchActor}}
}

// monitors numbers those of the program itself.
var monitors atomic.Uint64

// Monitor calls notify once: when the actor ends, or at once if it has. notify
// must not block.
func Monitor(to codec.ID, notify func(*wire.Down)) (cancel func() bool) {
	m := monitor{id: monitors.Add(1)}
	c := find(to)
	if c == nil || !c.Monitor(m, notify) {
		notify(noSuchActor(to))
		return func() bool { return false }
	}
	return func() bool { return c.Demonitor(m) }
}
