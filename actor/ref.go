package actor

import (
	"context"
	"fmt"
	"strings"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/actor/internal/node"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A Ref is the address of an actor, a supervisor or an [Inbox]. It stays the same
// when they are restarted. It is a value: comparable, a map key, printable, and free
// to travel inside messages and arguments. It cannot be guessed (122 random bits), so whoever has it was given it. The zero
// Ref is nobody's address.
//
// Its methods work in the program that made the actor and in every actor of it.
// They are safe for concurrent use.
type Ref struct{ id codec.ID }

// engine is what a Ref stands on: the node in the program itself, the link to
// it in an actor's process.
type engine interface {
	Tell(ctx context.Context, to codec.ID, t *wire.MessageType, message any) error
	Ask(ctx context.Context, to codec.ID, t *wire.MessageType, message any, reply wire.Answer) error
	Stop(ctx context.Context, id codec.ID) error
	Kill(ctx context.Context, id codec.ID) error
	Exit(ctx context.Context, id codec.ID, r wire.Reason) error
	// StartChild starts c; nil means the supervisor's template.
	StartChild(ctx context.Context, under codec.ID, c *wire.Child) (codec.ID, error)
	TerminateChild(ctx context.Context, under, child codec.ID) error
	RestartChild(ctx context.Context, under, child codec.ID) error
	DeleteChild(ctx context.Context, under, child codec.ID) error
	Children(ctx context.Context, under codec.ID) ([]wire.ChildInfo, error)
}

// here is this process's engine. Boot replaces it in an actor's process, before
// any code of the actor runs.
var here engine = node.Local{}

// self is the actor of this process, if it is one.
var self *child.Child

func isSelf(r Ref) bool { return self != nil && self.Init().ID == r.id }

// Tell sends a message without waiting for it to be handled. It returns when the
// actor's mailbox has taken it; while that is full it waits until ctx is done,
// or returns [ErrMailboxFull] if the actor's Spec says Reject. nil means that
// the actor will handle the message, in this process of it or a later one, unless
// it ends for good before or dies of that very message.
//
// The message is encoded when Tell returns, and may be changed then. A pointer to it is the same message, and
// saves an allocation.
//
// From an actor to another, Tell returns earlier, when the message is on its
// way, as long as no more than 1024 of this sender's messages or 4 MiB of them
// have not been taken; a mailbox that is gone by then makes it a dead letter.
//
// Errors are [*DeliveryError]; a message that cannot be encoded, is too large or
// has no handler is refused before anything is sent.
func (r Ref) Tell(ctx context.Context, message any) error {
	if r.IsZero() {
		return r.undelivered("tell", &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent})
	}
	return r.undelivered("tell", here.Tell(ctx, r.id, typeOf(message), message))
}

// Ask sends a message and waits for the reply, which must be of type R; with any
// it may be of every type, and arrives as msgpack has it (a struct is a slice). The deadline of ctx is the handler's as well. When ctx
// is done first, the handler's context is cancelled and a late reply is dropped.
//
// A handler's error arrives as [*RemoteError]: the actor lives. Whatever kept the
// message from being answered is a [*DeliveryError], with a [*DownError] in it
// when the actor is dead, or dies of it or meanwhile. If it dies before it has
// begun the message and is restarted, the next process answers; what becomes of an
// Ask that comes in between, its [Spec] says. An actor that asks itself gets
// [ErrSelfAsk].
func Ask[R any](ctx context.Context, r Ref, message any) (R, error) {
	a := answer[R]{from: r}
	if err := r.ask(ctx, message, &a); err != nil {
		return a.value, err
	}
	return a.value, a.unfit
}

// answer is what an Ask waits for.
type answer[R any] struct {
	value R
	unfit error // the message was delivered and answered; the answer is not to be used
	from  Ref
}

// Take implements wire.Answer.
func (a *answer[R]) Take(messageType, payload []byte) error {
	want := typeFor[R]().Name
	if want != "" && len(messageType) > 0 && want != string(messageType) {
		a.unfit = fmt.Errorf("ask %v: the reply is of type %s, not %s", a.from, messageType, want)
	} else {
		a.unfit = codec.Decode(payload, &a.value)
	}
	return nil
}

// ask is Ask without the type parameter.
func (r Ref) ask(ctx context.Context, message any, reply wire.Answer) error {
	switch {
	case r.IsZero():
		return r.undelivered("ask", &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent})
	case isSelf(r):
		return r.undelivered("ask", errSelfAsk)
	}
	return r.undelivered("ask", here.Ask(ctx, r.id, typeOf(message), message, reply))
}

// Stop asks the actor to end after the message in progress, and waits until it
// has, or ctx is done. It is not left to the actor's good will: after the
// Spec's StopTimeout it gets SIGTERM, a second later SIGKILL. Messages that
// were not begun are dead letters. An actor that is no more is no error.
// An actor stops itself with [Context.Stop]; Stop on itself is [ErrSelfAsk], and on
// what it is part of [ErrAncestor].
//
// It is an end for good: the actor is not restarted, and a restart that is due or
// in progress is called off. What it has spawned ends first. A supervisor stops all
// its children, in reverse order. What is itself a supervisor's child is kept by
// that, stopped, as by [Ref.TerminateChild].
func (r Ref) Stop(ctx context.Context) error { return r.end(ctx, "stop", here.Stop) }

// Kill is Stop without notice: it ends the actor's process and its process group at
// once, and everything under it, and waits until they are gone, or ctx is done. The
// actor is not restarted; to see how it survives a crash, kill its process
// (ChildInfo.Pid), or use [Ref.Exit].
func (r Ref) Kill(ctx context.Context) error { return r.end(ctx, "kill", here.Kill) }

func (r Ref) end(ctx context.Context, verb string, end func(context.Context, codec.ID) error) error {
	if isSelf(r) {
		return r.undelivered(verb, errSelfAsk)
	}
	return r.undelivered(verb, end(ctx, r.id))
}

// IsZero reports whether r is nobody's address.
func (r Ref) IsZero() bool { return r == Ref{} }

const refPrefix = "actor:"

// String returns a notation that [ParseRef] reads: "actor:" and a UUID.
func (r Ref) String() string { return refPrefix + wire.FormatID(r.id) }

// ParseRef reads what String writes.
func ParseRef(s string) (Ref, error) {
	text, ok := strings.CutPrefix(s, refPrefix)
	if !ok {
		return Ref{}, fmt.Errorf("parse ref %q: it does not begin with %q", s, refPrefix)
	}
	id, err := wire.ParseID(text)
	if err != nil {
		return Ref{}, fmt.Errorf("parse ref %q: %w", s, err)
	}
	return Ref{id}, nil
}

// MarshalBinary returns the 16 bytes of the address. It is how a Ref travels
// in messages.
func (r Ref) MarshalBinary() ([]byte, error) { return r.id[:], nil }

// UnmarshalBinary reads what MarshalBinary writes.
func (r *Ref) UnmarshalBinary(b []byte) error {
	if len(b) != len(r.id) {
		return fmt.Errorf("unmarshal ref: %d bytes instead of %d", len(b), len(r.id))
	}
	copy(r.id[:], b)
	return nil
}

// MarshalText returns String's notation.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads it.
func (r *Ref) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRef(string(b))
	return err
}
