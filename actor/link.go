package actor

import (
	"context"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// Link ties this actor and another together (OTP: link/1): when the process of
// one ends, the other gets an exit signal with the same reason. Unless that is
// [Normal], it dies of it, with that reason, without its Stop being run, and what
// it is linked to in its turn. An actor whose type has a handler for [Exit] traps
// exit signals: it gets that as a message instead, with Normal too.
//
// A link has no direction, and there is at most one of a pair: to link twice is to
// link once. It ends with either process and is not renewed by a restart. With an
// actor that is no more, the signal ([NoSuchActor]) comes at once; while one is being
// restarted, Link waits for its next process. Supervisors and Inboxes have none, and
// cannot be linked with. A link to
// itself does nothing.
func (c *Context) Link(ctx context.Context, r Ref) error {
	return c.link(ctx, "link", r, c.child.Link)
}

// Unlink ends the link with another actor, if there is one (OTP: unlink/1). When
// it has returned no exit signal of it comes any more; an [Exit] may be in the
// mailbox already.
func (c *Context) Unlink(ctx context.Context, r Ref) error {
	return c.link(ctx, "unlink", r, c.child.Unlink)
}

func (c *Context) link(ctx context.Context, verb string, r Ref, do func(context.Context, codec.ID) error) error {
	switch r {
	case Ref{}:
		return r.undelivered(verb, &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent})
	case c.Self():
		return nil
	}
	return r.undelivered(verb, do(ctx, r.id))
}

// Exit is an exit signal that an actor traps: handle it with OnTell. It comes of a
// link ([Context.Link]) or was sent ([Ref.Exit]).
type Exit struct {
	From   Ref // who ended or sent it; zero if the program itself did
	Reason Reason
}

// MarshalBinary makes an Exit fit to travel in messages.
func (e Exit) MarshalBinary() ([]byte, error) {
	w := wire.Exited{From: e.From.id}
	if e.Reason != nil {
		w.Reason = e.Reason.wire()
	}
	return codec.Append(nil, &w)
}

// UnmarshalBinary reads what MarshalBinary writes.
func (e *Exit) UnmarshalBinary(b []byte) error {
	var w wire.Exited
	if err := codec.Decode(b, &w); err != nil {
		return err
	}
	*e = Exit{From: Ref{w.From}, Reason: newReason(w.Reason)}
	return nil
}

// Exit sends the actor an exit signal (OTP: exit/2) and does not wait for what
// comes of it. An actor that handles [Exit] gets it as a message. Otherwise the
// signal ends its process at once, with this reason and without running its Stop,
// and its supervisor does as with any other end.
//
// The reason may be [Normal] or nil, which is the same: others ignore it, and an
// actor that sends it to itself ends; [Shutdown]; [Failed]; or [Killed], which cannot
// be trapped. Any other error is Failed with it.
//
// An actor that is no more is no error. Supervisors and Inboxes take no exit
// signals.
func (r Ref) Exit(ctx context.Context, reason error) error {
	if r.IsZero() {
		return r.undelivered("exit", &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent})
	}
	signal := asReason(reason)
	if killed, ok := reason.(Killed); ok {
		signal = killed
	}
	if isSelf(r) && signal == (Normal{}) && !definitions[self.Init().Type].Handles([]byte(wire.ExitType)) {
		self.ExitSelf(signal.wire()) // exit(self(), normal) is the one that is not ignored
		return nil
	}
	return r.undelivered("exit", here.Exit(ctx, r.id, signal.wire()))
}

// asReason is what an error stands for as a reason to exit: Normal, Shutdown or
// Failed.
func asReason(err error) Reason {
	switch r := err.(type) {
	case nil:
		return Normal{}
	case Normal, Shutdown, Failed:
		return r.(Reason)
	}
	return Failed{err}
}

// Exit ends the actor after the message in progress; like [Context.Stop] it
// returns at once, and the first of them counts. The reason is [Normal] if it is
// nil, or the one given if that is Normal, [Shutdown] or [Failed]; any other error
// is Failed with it. After Failed the actor is restarted as after a crash, but its
// Stop has run, and there is no suspect. A panic is the way to end at once.
func (c *Context) Exit(reason error) { c.child.ExitSelf(asReason(reason).wire()) }
