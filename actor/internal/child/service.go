package child

import (
	"context"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// request asks the node itself.
func (c *Child) request(ctx context.Context, service string, body, result any) error {
	return c.exchange(ctx, serviceAsk(ctx, service), body, wire.AnswerFunc(func(_, payload []byte) error {
		if result == nil {
			return nil
		}
		return codec.Decode(payload, result)
	}))
}

func serviceAsk(ctx context.Context, service string) codec.Envelope {
	env := codec.Envelope{Kind: wire.KindAsk, Type: []byte(service)}
	if at, ok := ctx.Deadline(); ok {
		env.Deadline = at.UnixNano()
	}
	return env
}

// Spawn starts a child of this actor.
func (c *Child) Spawn(ctx context.Context, what *wire.Child) (codec.ID, error) {
	var id codec.ID
	corr, answer, err := c.begin(ctx, serviceAsk(ctx, wire.ServiceSpawn), what)
	if err != nil {
		return id, err
	}
	select {
	case <-answer.done:
	case <-ctx.Done():
		// The node says what became of it: there is an actor, or nothing is left.
		c.send(&codec.Envelope{Kind: wire.KindCancel, Corr: corr}, nil)
		<-answer.done
	}
	switch {
	case answer.failure == nil:
		err = codec.Decode(answer.payload, &id)
	case ctx.Err() != nil:
		err = &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
	default:
		err = answer.failure
	}
	return id, err
}

// Lookup returns the address registered under name.
func (c *Child) Lookup(ctx context.Context, name string) (codec.ID, error) {
	var id codec.ID
	err := c.request(ctx, wire.ServiceLookup, name, &id)
	return id, err
}

// Stop stops another actor and waits for its end.
func (c *Child) Stop(ctx context.Context, id codec.ID) error {
	return c.request(ctx, wire.ServiceStop, id, nil)
}

// Kill is like Stop without asking.
func (c *Child) Kill(ctx context.Context, id codec.ID) error {
	return c.request(ctx, wire.ServiceKill, id, nil)
}

// Exit sends another actor, or this one, an exit signal.
func (c *Child) Exit(ctx context.Context, id codec.ID, r wire.Reason) error {
	return c.request(ctx, wire.ServiceExit, wire.ExitRequest{Target: id, Reason: r}, nil)
}

// ExitSelf ends this actor after the message in progress. Causes are Normal,
// Shutdown and Failed.
func (c *Child) ExitSelf(r wire.Reason) { c.queue.stop(r) }

// Link links this actor and another.
func (c *Child) Link(ctx context.Context, id codec.ID) error {
	return c.request(ctx, wire.ServiceLink, id, nil)
}

// Unlink ends a link.
func (c *Child) Unlink(ctx context.Context, id codec.ID) error {
	return c.request(ctx, wire.ServiceUnlink, id, nil)
}

// Monitor asks for the Down at the next death of another actor's process; it comes
// as a message.
func (c *Child) Monitor(ctx context.Context, target codec.ID) (uint64, error) {
	return c.monitor(ctx, wire.MonitorRequest{Target: target})
}

// Watch asks for the Down at another actor's end for good. Demonitor ends it too.
func (c *Child) Watch(ctx context.Context, target codec.ID) (uint64, error) {
	return c.monitor(ctx, wire.MonitorRequest{Target: target, Final: true})
}

func (c *Child) monitor(ctx context.Context, r wire.MonitorRequest) (uint64, error) {
	r.ID = c.corr.Add(1)
	c.mu.Lock()
	tooMany := len(c.monitors) >= wire.MaxMonitors
	if !tooMany {
		c.monitors[r.ID] = struct{}{}
	}
	c.mu.Unlock()
	if tooMany {
		return 0, errTooManyMonitors
	}
	if err := c.request(ctx, wire.ServiceMonitor, r, nil); err != nil {
		c.unmonitor(r.ID)
		return 0, err
	}
	return r.ID, nil
}

// Demonitor ends a monitor. Its Down is not delivered after that, even if it is
// in the queue already.
func (c *Child) Demonitor(ctx context.Context, id uint64) error {
	if !c.unmonitor(id) {
		return nil
	}
	return c.request(ctx, wire.ServiceDemonitor, wire.MonitorRequest{ID: id}, nil)
}

func (c *Child) unmonitor(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.monitors[id]
	delete(c.monitors, id)
	return ok
}
