package actor

import (
	"context"
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// A Timer sends a message later, once or again and again; [Context.StartTimer]
// starts it. The program keeps it, not the actor's process: the message comes
// like any other, with the actor that started the timer as its sender, behind what
// is in the mailbox by then. One that is due once is taken in even if the mailbox is
// full; one that comes again is a dead letter then, until there is room. So it is for an
// actor that is no more, or does not handle it.
type Timer struct {
	To    Ref           // who gets the message; zero is the actor itself
	After time.Duration // until it is due for the first time; zero or less is at once
	Every time.Duration // between that and the next times; zero: it is due once. At least a millisecond
	// Message is encoded when the timer starts.
	Message any
	// Key names the timer among those of its actor: it takes the place of the one
	// that has the same. "" is no name.
	Key string
	// Durable makes it survive the actor's process: it goes on after a restart.
	// Otherwise it ends with it. No timer survives the actor's end for good.
	Durable bool
}

// A TimerID names one timer of one actor. It is not used again.
type TimerID uint64

// StartTimer starts a timer. An actor may have 65,536 of them at a time. A message
// that cannot be encoded, is too large ([ErrTooLarge]) or has no handler in this
// actor ([ErrUnhandled]) is an error at once.
func (c *Context) StartTimer(ctx context.Context, t Timer) (TimerID, error) {
	const verb = "start timer"
	to := t.To
	if to.IsZero() {
		to = c.Self()
	}
	typ := typeOf(t.Message)
	switch {
	case t.Every < 0 || t.Every > 0 && t.Every < wire.MinTimer:
		return 0, to.undelivered(verb, fmt.Errorf("every %v; the least is %v", t.Every, wire.MinTimer))
	case to == c.Self() && !c.handles(typ.Text):
		return 0, to.undelivered(verb, &wire.Failure{Code: wire.Unhandled, Fate: wire.FateNotSent, Text: typ.Name})
	}
	id, err := c.child.StartTimer(ctx, wire.TimerRequest{
		To:      t.To.id,
		After:   max(t.After, 0),
		Every:   t.Every,
		Key:     t.Key,
		Durable: t.Durable,
		Type:    typ.Name,
		Routing: typ.KeyOf(t.Message),
	}, t.Message)
	return TimerID(id), to.undelivered(verb, err)
}

// SendAfter sends the actor a message of its own in d; see [Timer] (OTP:
// erlang:send_after/3).
func (c *Context) SendAfter(ctx context.Context, d time.Duration, message any) (TimerID, error) {
	return c.StartTimer(ctx, Timer{After: d, Message: message})
}

// SendEvery sends the actor a message of its own every d, the first one in d; see
// [Timer]. d is at least a millisecond. An actor that is slower than that should
// rather use SendAfter in the handler.
func (c *Context) SendEvery(ctx context.Context, d time.Duration, message any) (TimerID, error) {
	return c.StartTimer(ctx, Timer{After: d, Every: max(d, 1), Message: message})
}

// CancelTimer ends a timer of this actor. It reports whether there was one: false
// means that it was due already, cancelled, replaced or lost with an earlier
// process. A message that is on its way or in the mailbox stays (OTP:
// erlang:cancel_timer/1).
func (c *Context) CancelTimer(ctx context.Context, id TimerID) (bool, error) {
	was, err := c.child.CancelTimer(ctx, uint64(id))
	return was, Ref{}.undelivered("cancel timer", err)
}
