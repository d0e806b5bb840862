package actor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/progeny-go/progeny/actor/internal/node"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn"
)

// Options are the settings of a [System]. The zero value is useful.
type Options struct {
	// Logger gets what actors print and log, and what the system has to say. A
	// slow one never holds anybody up: records are dropped and counted. nil
	// means slog.Default().
	Logger *slog.Logger
	// MaxMessage is the largest message in bytes, encoded and with its envelope
	// of about 60 bytes; zero means 16 MiB. It counts for replies too.
	MaxMessage int
	// CloseTimeout is how long Close may take before it kills what is left; zero
	// means 30 seconds.
	CloseTimeout time.Duration
	// Standby is how many processes are booted in advance, each to be used once, for a
	// Spawn or a restart that then takes a fraction of the time. Each costs about a
	// megabyte; zero means none. They have the environment and the working directory of the program
	// at the time of their own start, and serve only Specs that leave Env, Dir and Procs
	// at zero, and have neither Limits nor a Sandbox. At most 1024.
	Standby int
}

// maxStandby bounds Options.Standby.
const maxStandby = 1024

// A System is a set of actors with one registry of names and one end. A program
// mostly has one. Its methods are safe for concurrent use.
type System struct{ node *node.Node }

// NewSystem makes a system without actors. In a process that is itself an
// actor's it fails: with [ErrNotBooted] if main has not called [Boot].
func NewSystem(o Options) (*System, error) {
	if birth := spawn.Inherited(); birth != nil {
		if self != nil {
			return nil, errors.New("actor: NewSystem in an actor; use Context.Spawn")
		}
		// The parent waits for a Hello. It gets this instead.
		return nil, errors.Join(ErrNotBooted, birth.Refuse())
	}
	if o.MaxMessage < 0 || o.CloseTimeout < 0 {
		return nil, fmt.Errorf("actor: NewSystem: MaxMessage %d, CloseTimeout %v", o.MaxMessage, o.CloseTimeout)
	}
	if o.Standby < 0 || o.Standby > maxStandby {
		return nil, fmt.Errorf("actor: NewSystem: Standby %d; 0 to %d are possible", o.Standby, maxStandby)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = codec.DefaultFrameLimit
	}
	if o.CloseTimeout == 0 {
		o.CloseTimeout = 30 * time.Second
	}
	return &System{node.New(node.Config{
		Logger:     o.Logger,
		FrameLimit: o.MaxMessage,
		CloseLimit: o.CloseTimeout,
		Standby:    o.Standby,
		Protocol: func(actorType string) (node.Protocol, bool) {
			def, ok := definitions[actorType]
			if !ok {
				return nil, false
			}
			return def, true
		},
	})}, nil
}

// Spawn starts an actor or a supervisor and returns when its start function has,
// or those of all its children. Any goroutine may call it at any time, also while
// others do. When it fails ([*SpawnError]), or ctx is done first, no process is left
// and the names are free.
//
// A name that is taken, an argument that cannot be encoded and the like are
// refused before a process exists.
//
// An actor without a supervisor is supervised by itself alone. Unless its Spec says
// otherwise it is restarted after a crash, up to 3 times in 5 seconds; the next
// crash within that time ends it for good, and nothing else. A start that fails is
// not tried again.
func (s *System) Spawn(ctx context.Context, what Child) (Ref, error) {
	w, err := wireChild(what)
	if err != nil {
		return Ref{}, unspawned(what, err)
	}
	id, err := s.node.Spawn(ctx, w, nil)
	return Ref{id}, unspawned(what, err)
}

// Lookup returns the actor registered under name, or [ErrNoActor].
func (s *System) Lookup(name string) (Ref, error) {
	id, ok := s.node.Lookup(name)
	if !ok {
		return Ref{}, lookupFailed(name, &wire.Failure{Code: wire.NoActor})
	}
	return Ref{id}, nil
}

func lookupFailed(name string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		switch f.Code {
		case wire.NoActor:
			err = ErrNoActor
		case wire.Denied:
			err = public(f)
		}
	}
	return fmt.Errorf("lookup %q: %w", name, err)
}

// Stats are a system's counters since its start.
type Stats struct {
	Actors        int    // those that are starting, stopping or being restarted included
	DeadLetters   uint64 // messages that reached nobody
	LateReplies   uint64 // replies nobody waited for any more
	HandlerErrors uint64 // errors of handlers on Tells
	LogsDropped   uint64 // log records that did not fit
	Denied        uint64 // what actors asked for and their Specs deny
	UnknownRefs   uint64 // what actors sent to, or asked about, Refs of nobody: guesses, and the long dead
}

// Stats returns a snapshot.
func (s *System) Stats() Stats { return Stats(s.node.Stats()) }

// Close stops every actor in reverse order of start, each after the one before
// has ended, and waits for them; see [Ref.Stop]. What has not ended within
// CloseTimeout, or when ctx is done, is killed, which is an error that wraps
// context.DeadlineExceeded or ctx's cause. Nothing of the System is left
// afterwards: no process, no descriptor, no goroutine. Spawn fails from the
// beginning of Close on, with os.ErrClosed. A second Close waits for the same.
func (s *System) Close(ctx context.Context) error { return s.node.Close(ctx) }
