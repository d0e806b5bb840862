package actor

import (
	"errors"
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// The defaults of a [Spec].
const (
	DefaultBootTimeout  = 10 * time.Second
	DefaultStartTimeout = 10 * time.Second
	DefaultStopTimeout  = 5 * time.Second
)

// A Spec says what to spawn and how. [Type.With] makes one; its zero fields are
// the defaults. It is a value: change a copy as you like.
type Spec struct {
	// Name is what the actor is registered under: unique in its System, found by
	// Lookup, free again before anybody is told of its end. "" registers it
	// nowhere. At most 255 bytes, no control characters.
	Name string

	Mailbox Mailbox

	// BootTimeout is how long the new process may take to say that it is there;
	// zero means DefaultBootTimeout.
	BootTimeout time.Duration
	// StartTimeout is how long the start function may take; zero means
	// DefaultStartTimeout.
	StartTimeout time.Duration
	// StopTimeout is how long it may take from being asked to stop to its end.
	// Then it gets SIGTERM, and one second later SIGKILL. Zero means
	// DefaultStopTimeout.
	StopTimeout time.Duration

	// Procs is the GOMAXPROCS of the process; zero means 1: an actor handles one
	// message at a time, and many actors share the machine.
	Procs int
	// Env is the environment of the process, as "key=value"; nil means that of
	// the program.
	Env []string
	// Dir is its working directory; "" means that of the program.
	Dir string

	def *definition
	arg any
}

// Mailbox bounds the messages that an actor has accepted and not finished. It
// takes one while it holds fewer than Messages messages and fewer than Bytes
// bytes, so Bytes may be exceeded by one message.
type Mailbox struct {
	Messages int // zero means 4096
	Bytes    int // zero means 32 MiB
	// Reject makes a full mailbox refuse with ErrMailboxFull at once. Otherwise
	// the sender waits until its context is done.
	Reject bool
}

// A Spawnable is what Spawn takes: a [Type], or a [Spec].
type Spawnable interface{ spec() Spec }

func (s Spec) spec() Spec { return s }

// specOf returns the zero Spec, which is refused, for nil.
func specOf(what Spawnable) Spec {
	if what == nil {
		return Spec{}
	}
	return what.spec()
}

// Named returns a copy of s with that name.
func (s Spec) Named(name string) Spec {
	s.Name = name
	return s
}

// wire checks the Spec, fills in the defaults and encodes the argument.
func (s Spec) wire() (wire.Spec, error) {
	if s.def == nil {
		return wire.Spec{}, errors.New("the Spec has no actor type; make it with Type.With")
	}
	arg, err := codec.Append(nil, s.arg)
	if err != nil {
		return wire.Spec{}, fmt.Errorf("encode argument: %w", err)
	}
	or := func(d, byDefault time.Duration) time.Duration {
		if d == 0 {
			return byDefault
		}
		return d
	}
	w := wire.Spec{
		Type:         s.def.name,
		Arg:          arg,
		Name:         s.Name,
		Messages:     s.Mailbox.Messages,
		Bytes:        s.Mailbox.Bytes,
		Reject:       s.Mailbox.Reject,
		BootTimeout:  or(s.BootTimeout, DefaultBootTimeout),
		StartTimeout: or(s.StartTimeout, DefaultStartTimeout),
		StopTimeout:  or(s.StopTimeout, DefaultStopTimeout),
		Procs:        s.Procs,
		Env:          s.Env,
		Dir:          s.Dir,
	}
	if w.Messages == 0 {
		w.Messages = mailbox.DefaultMessages
	}
	if w.Bytes == 0 {
		w.Bytes = mailbox.DefaultBytes
	}
	return w, w.Check()
}

// failed gives an engine's error its public form.
func (s Spec) failed(err error) error {
	if err == nil {
		return nil
	}
	e := &SpawnError{Name: s.Name, Err: err}
	if s.def != nil {
		e.Type = s.def.name
	}
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		if e.Err = public(f); f.Down != nil {
			down := newDown(f.Down)
			e.Down = &down
		}
	} else if g, ok := errors.AsType[*wire.GivenUp](err); ok {
		e.Err = g.Err
	} else {
		e.Err = tooLarge(err)
	}
	return e
}
