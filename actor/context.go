package actor

import (
	"context"
	"log/slog"
	"time"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/actor/internal/wire"
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

// Incarnation returns which process of the actor this is, from 1.
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

// Spawn starts an actor whose parent this one is: it is stopped when this one
// ends, of whatever cause. Otherwise it is like [System.Spawn].
func (c *Context) Spawn(ctx context.Context, what Spawnable) (Ref, error) {
	spec := specOf(what)
	w, err := spec.wire()
	if err != nil {
		return Ref{}, spec.failed(err)
	}
	id, err := c.child.Spawn(ctx, w)
	return Ref{id}, spec.failed(err)
}

// Lookup returns the actor registered under name, or [ErrNoActor].
func (c *Context) Lookup(ctx context.Context, name string) (Ref, error) {
	id, err := c.child.Lookup(ctx, name)
	return Ref{id}, lookupFailed(name, err)
}

// Monitor asks for the [Down] of another actor. It comes as a message, so the
// actor's type needs a handler for it; without one the error is [ErrUnhandled].
// Every call makes a monitor of its own, with exactly one Down (OTP's monitor/2).
func (c *Context) Monitor(ctx context.Context, r Ref) (MonitorID, error) {
	if !definitions[c.child.Init().Type].protocol.Handles([]byte(wire.DownType)) {
		return 0, r.undelivered("monitor", &wire.Failure{Code: wire.Unhandled, Fate: wire.FateNotSent, Text: wire.DownType})
	}
	id, err := c.child.Monitor(ctx, r.id)
	return MonitorID(id), r.undelivered("monitor", err)
}

// Demonitor ends a monitor. No Down of it is handled after that, even if it was
// in the mailbox already (OTP's demonitor/2 with flush).
func (c *Context) Demonitor(ctx context.Context, id MonitorID) error {
	return Ref{}.undelivered("demonitor", c.child.Demonitor(ctx, uint64(id)))
}

// Stop ends the actor after the message in progress, with the reason [Normal].
// It returns at once. Messages that were not begun are dead letters.
func (c *Context) Stop() { c.child.StopSelf() }
