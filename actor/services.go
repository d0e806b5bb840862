package actor

import (
	"errors"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// ErrDenied: the Spec of the actor that asked denies this by its Deny, or its Sandbox does.
var ErrDenied = errors.New("actor: denied by its Spec")

// Services are what an actor may ask of its System, for [Spec].Deny. The System checks them, not the
// actor's process, which may be the enemy. What is denied fails with [ErrDenied] and is counted
// in [Stats].
//
// What an actor spawns is denied what the actor is. Tells, Asks and logging are no
// services: whom an actor can reach is whose Ref it was given.
type Services uint8

// The bits of Services.
const (
	// Spawning: Context.Spawn, StartChild, RestartChild.
	Spawning = Services(wire.Spawning)
	// Lookups: Lookup, Children, Count, and so Refs that it was not given.
	Lookups = Services(wire.Lookups)
	// Monitoring: Monitor, Watch, Link.
	Monitoring = Services(wire.Monitoring)
	// Managing: Stop, Kill, and Exit of others, StartChild, TerminateChild, RestartChild, DeleteChild; and
	// Link, by which its own end would be that of others.
	Managing = Services(wire.Managing)
	// Timers: StartTimer, SendAfter, SendEvery.
	Timers = Services(wire.Timers)

	// AllServices are all of them.
	AllServices = Spawning | Lookups | Monitoring | Managing | Timers
)

// String returns the names in lower case, joined by "|"; "none" for zero.
func (s Services) String() string { return wire.Services(s).String() }
