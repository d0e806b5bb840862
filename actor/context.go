package actor

import (
	"context"
	"log/slog"
	"time"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A Context is what a handler knows of the message it handles, and how an actor
// reaches the system. It is a context.Context: its deadline is the asker's, and
// it is done when the asker gives up or the handler has returned. Of a Tell,
// and in the start function and Stop, it is never done. A request to stop does
// not end it: the message in progress may be finished.
//
// It may be kept and used by other goroutines of the actor.
type Context struct {
	child  *child.Child
	origin child.Origin // zero in the start function and in Stop
}

var _ context.Context = (*Context)(nil)

// Deadline returns the asker's.
func (c *Context) Deadline() (time.Time, bool) {
	return c.origin.Deadline()
}

// Done is closed when the asker gives up or the handler has returned.
func (c *Context) Done() <-chan struct{} {
	return c.origin.Done()
}

// Err says why Done is closed.
func (c *Context) Err() error {
	return c.origin.Err()
}

// Value returns nil: a context's values do not travel.
func (c *Context) Value(any) any { return nil }

// Self returns the actor's own address.
func (c *Context) Self() Ref { return Ref{c.child.Init().ID} }

// Name returns the name the actor is registered under, or "".
func (c *Context) Name() string { return c.child.Init().Name }

// Incarnation returns which process of the actor this is: 1 for the first, and one
// more after every restart.
func (c *Context) Incarnation() uint64 { return c.child.Init().Incarnation }

// Sender returns the address of the actor that sent the message; the zero Ref
// when it came from the program itself. It cannot be forged.
func (c *Context) Sender() Ref {
	return Ref{c.origin.From}
}

// Asked reports whether the sender waits for a reply.
func (c *Context) Asked() bool { return c.origin.Asked() }

// Logger returns a logger whose records arrive in the System's logger with
// their level and attributes, and with those that say which actor it was. It
// never blocks: what does not fit is dropped and counted.
func (c *Context) Logger() *slog.Logger { return c.child.Logger() }

// Spawn starts an actor or supervisor whose parent this actor is: it is stopped
// when the process of this one ends, of whatever cause. When this one is restarted
// its start function begins without children. Otherwise Spawn is like
// [System.Spawn]: a child's crash restarts the child, and is nothing to the parent
// ([Context.Monitor] and [Context.Link] make it so).
func (c *Context) Spawn(ctx context.Context, what Child) (Ref, error) {
	w, err := wireChild(what)
	if err != nil {
		return Ref{}, unspawned(what, err)
	}
	id, err := c.child.Spawn(ctx, w)
	return Ref{id}, unspawned(what, err)
}

// Lookup returns the actor registered under name, or [ErrNoActor].
func (c *Context) Lookup(ctx context.Context, name string) (Ref, error) {
	id, err := c.child.Lookup(ctx, name)
	return Ref{id}, lookupFailed(name, err)
}

// Monitor asks for the [Down] of another actor: at the next end of a process of it,
// or at once if it is no more. It comes as a message, so the actor's type needs a
// handler for it; without one the error is [ErrUnhandled]. Every call makes a
// monitor of its own, with exactly one Down (OTP: monitor/2), which ends with this
// process: after a restart no Down of an earlier one comes.
func (c *Context) Monitor(ctx context.Context, r Ref) (MonitorID, error) {
	return c.monitor(ctx, "monitor", r, c.child.Monitor)
}

// Watch is Monitor for the other actor's end for good: see [System.Watch].
// [Context.Demonitor] ends it.
func (c *Context) Watch(ctx context.Context, r Ref) (MonitorID, error) {
	return c.monitor(ctx, "watch", r, c.child.Watch)
}

func (c *Context) monitor(ctx context.Context, verb string, r Ref, do func(context.Context, codec.ID) (uint64, error)) (MonitorID, error) {
	if !c.handles([]byte(wire.DownType)) {
		return 0, r.undelivered(verb, &wire.Failure{Code: wire.Unhandled, Fate: wire.FateNotSent, Text: wire.DownType})
	}
	id, err := do(ctx, r.id)
	return MonitorID(id), r.undelivered(verb, err)
}

// handles reports whether this actor takes messages of that type.
func (c *Context) handles(messageType []byte) bool {
	return definitions[c.child.Init().Type].Handles(messageType)
}

// Demonitor ends a monitor. No Down of it is handled after that, even if it was
// in the mailbox already (OTP's demonitor/2 with flush).
func (c *Context) Demonitor(ctx context.Context, id MonitorID) error {
	return Ref{}.undelivered("demonitor", c.child.Demonitor(ctx, uint64(id)))
}

// Stop ends the actor after the message in progress, with the reason [Normal]. It
// returns at once. Messages that were not begun are dead letters, unless the actor
// is Permanent: then its next process gets them. Stop is Exit(nil).
func (c *Context) Stop() { c.Exit(nil) }
