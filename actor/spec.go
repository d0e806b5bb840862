package actor

import (
	"errors"
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
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
//
// By default an actor that ends abnormally, by a crash say, is restarted: with the
// same Ref, name, argument and mailbox, but a new process and a fresh state. Up to
// 3 times in 5 seconds; the next crash within that time is its end. Restart:
// Temporary has each crash end it.
type Spec struct {
	// Name is what the actor is registered under: unique in its System, found by
	// Lookup, it keeps it over restarts, and it is free again before
	// anybody is told of its end for good. "" registers it
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
	// DefaultStopTimeout; BrutalKill and ForcedInfinity are special.
	StopTimeout time.Duration

	// Restart says after which ends it is started again; zero means Transient: after
	// an abnormal one. See also [Type.Fatal].
	Restart Restart
	// Intensity is how many restarts are made within Period; after the next one that
	// would be due the actor stays down. Zero means DefaultIntensity; see NoRestarts.
	// Only for actors without a supervisor: otherwise the supervisor's counts, and
	// both must be zero.
	Intensity int
	// Period is a sliding window; zero means DefaultPeriod.
	Period time.Duration
	// Backoff delays restarts; its zero value restarts at once.
	Backoff Backoff
	// Significant makes the actor's own end count for its supervisor's
	// AutoShutdown, without which it is an error. Not for Permanent ones.
	Significant bool

	// Redeliver is how many processes of the actor one message may end. Zero and one
	// mean that it is given to no second one: messages are handled at most once. With
	// n, one that was in progress when the process ended is handled again, first of
	// all, until n of them have ended so: then it is poison, and a dead letter. So
	// handlers have to bear repetition.
	Redeliver int
	// Asks says what becomes of an Ask that comes while the actor is being
	// restarted; zero means AsksWait.
	Asks AsksWhileRestarting

	// Procs is the GOMAXPROCS of the process; zero means 1: an actor handles one
	// message at a time, and many actors share the machine.
	Procs int
	// Env is the environment of the process, as "key=value"; nil means that of
	// the program.
	Env []string
	// Dir is its working directory; "" means that of the program.
	Dir string

	// Limits are what its process may use; zero means no limits.
	Limits Limits
	// HandlerTimeout is how long it may be at one message, the waiting of the handler
	// for others included. Then its process gets SIGQUIT, has a second to write the stacks of
	// its goroutines, and is killed, for the reason Hung; the message is the suspect. That
	// begins between 1.0 and 1.25 times the HandlerTimeout after the message was begun, as nobody
	// watches each message: somebody looks now and then. Zero means that it may take for
	// ever; at least 1 ms.
	HandlerTimeout time.Duration
	// Heartbeat is how long its process may give no sign of life, whatever its handler does:
	// it is asked twice in that time, beside the mailbox, and the runtime answers, not the actor's code.
	// A process that is stopped (SIGSTOP) or wedged, so that it has not answered half that time
	// later, ends as one over its HandlerTimeout does. Short ones take a busy machine for a
	// wedged process. Zero means that nobody asks; at least 10 ms. It begins when the start
	// function has returned.
	Heartbeat time.Duration
	// Recycle replaces its process by a fresh one now and then.
	Recycle Recycle

	// Sandbox is what its process may not do; zero means that it may what the program may.
	Sandbox Sandbox
	// Deny is what the actor may not ask of the System; zero means that it may all.
	Deny Services

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

// AsksWhileRestarting says what becomes of an [Ask] that comes between two
// processes of an actor. (A Tell always waits in the mailbox.)
type AsksWhileRestarting uint8

// The values of AsksWhileRestarting.
const (
	// AsksWait: it waits for the next process, as long as its asker does. If there
	// is none, it fails with the DownError.
	AsksWait = AsksWhileRestarting(wire.AbsentWait)
	// AsksFail: it fails at once with ErrRestarting.
	AsksFail = AsksWhileRestarting(wire.AbsentFail)
	// AsksQueue: it waits like a Tell, and is handled even if its asker has given up.
	AsksQueue = AsksWhileRestarting(wire.AbsentQueue)
)

// String returns "wait", "fail" or "queue".
func (a AsksWhileRestarting) String() string {
	switch a {
	case AsksWait:
		return "wait"
	case AsksFail:
		return "fail"
	case AsksQueue:
		return "queue"
	}
	return "invalid"
}

// Named returns a copy of s with that name.
func (s Spec) Named(name string) Spec {
	s.Name = name
	return s
}

func (s Spec) label() (actorType, name string) {
	if s.def != nil {
		actorType = s.def.name
	}
	return actorType, s.Name
}

// child fills in the defaults and encodes the argument. Most of the values the
// node checks.
func (s Spec) child() (wire.Child, error) {
	if s.def == nil {
		return wire.Child{}, errors.New("the Spec has no actor type; make it with Type.With")
	}
	arg, err := codec.Append(nil, s.arg)
	if err != nil {
		return wire.Child{}, fmt.Errorf("encode argument: %w", err)
	}
	or := func(d, byDefault time.Duration) time.Duration {
		if d == 0 {
			return byDefault
		}
		return d
	}
	confined, err := s.Sandbox.wire()
	if err != nil {
		return wire.Child{}, err
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
		Redeliver:    s.Redeliver,
		Absent:       wire.Absent(s.Asks),
		Procs:        s.Procs,
		Env:          s.Env,
		Dir:          s.Dir,

		Limits:         wire.Limits(s.Limits),
		HandlerTimeout: s.HandlerTimeout,
		Heartbeat:      s.Heartbeat,
		Recycle:        wire.Recycle(s.Recycle),

		Sandbox: confined,
		Deny:    wire.Services(s.Deny),
	}
	if w.Messages == 0 {
		w.Messages = mailbox.DefaultMessages
	}
	if w.Bytes == 0 {
		w.Bytes = mailbox.DefaultBytes
	}
	return wire.Child{
		ID:          s.Name,
		Actor:       &w,
		Restart:     tree.Restart(s.Restart),
		Shutdown:    or(s.StopTimeout, DefaultStopTimeout),
		Significant: s.Significant,
		Backoff:     tree.Backoff(s.Backoff),
		Budget:      budget(s.Intensity, s.Period),
	}, w.Check()
}

// startFailed says what is known of who did not come up.
func startFailed(f *wire.Failure) *SpawnError {
	e := &SpawnError{Err: public(f)}
	if f.Down != nil && f.Code != wire.Dead { // then it is the supervisor that is dead
		down := newDown(f.Down)
		e.Type, e.Name, e.Down = down.Type, down.Name, &down
	}
	if f.Code == wire.StartFailed && f.Text != "" { // a supervisor's child
		e.Type, e.Name, e.Child = supervisorType, "", f.Text
	}
	return e
}

// unspawned gives an engine's error the public form of a start that failed.
func unspawned(what Child, err error) error {
	if err == nil {
		return nil
	}
	e := new(SpawnError)
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		e = startFailed(f)
	} else if g, ok := errors.AsType[*wire.GivenUp](err); ok {
		e.Err = g.Err
	} else {
		e.Err = tooLarge(err)
	}
	if what != nil {
		e.Type, e.Name = what.label()
	}
	return e
}
