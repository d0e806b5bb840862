package actor

import (
	"errors"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
)

// A Child is what can be spawned, or stand among a Supervisor's Children: a
// [Type], a [Spec], a [Supervisor] or a [Pool]. It is a value, and may be spawned
// any number of times.
type Child interface {
	// child checks what only this side can know, and encodes.
	child() (wire.Child, error)
	// label says who it is, in errors.
	label() (actorType, name string)
}

var errNoChild = errors.New("nil is no Child")

// wireChild is what.child for a what that may be nil.
func wireChild(what Child) (*wire.Child, error) {
	if what == nil {
		return nil, errNoChild
	}
	w, err := what.child()
	if err != nil {
		return nil, err
	}
	return &w, nil
}

// Restart says after which ends a child is started again (OTP: restart). Normal
// ends are [Normal] and [Shutdown]; every other one is abnormal. What was told to
// stop is never restarted.
type Restart uint8

// The values of Restart.
const (
	// Transient: after an abnormal end.
	Transient = Restart(tree.Transient)
	// Permanent: after any end.
	Permanent = Restart(tree.Permanent)
	// Temporary: never. When it ends, its supervisor forgets it.
	Temporary = Restart(tree.Temporary)
)

// String returns the name in lower case.
func (r Restart) String() string { return tree.Restart(r).String() }

// Special values of StopTimeout.
const (
	// BrutalKill ends a child without notice (OTP: brutal_kill): its Stop does not
	// run. A supervisor's whole subtree is killed with it.
	BrutalKill time.Duration = tree.Kill
	// Infinity waits for ever (OTP: infinity). It is the default of supervisors,
	// whose children have limits of their own, and only for them.
	Infinity time.Duration = tree.Infinite
	// ForcedInfinity is Infinity for an actor. One that hangs while it stops then
	// keeps everything above it from stopping.
	ForcedInfinity time.Duration = tree.ForcedInfinite
)

// NoRestarts as Intensity allows no restart at all (OTP: intensity 0).
const NoRestarts = tree.NoRestarts

// The defaults of a budget for restarts: so many within that time are made, and
// the next one is not.
const (
	DefaultIntensity = tree.DefaultIntensity // 3
	DefaultPeriod    = tree.DefaultPeriod    // 5 seconds
)

// Backoff delays restarts (Akka: BackoffSupervisor). The n-th in a row, counted
// from zero, waits
//
//	min(Max, Min·Factorⁿ) · (1 + random·Jitter)
//
// The zero value restarts at once, as OTP does. Where one child's end restarts
// several, they wait for the one that ended.
type Backoff struct {
	Min    time.Duration // zero: no waiting, and then the others must be zero too
	Max    time.Duration // zero means a minute, or Min if that is longer
	Factor float64       // at least 1; zero means 2
	Jitter float64       // 0 to 1: the largest share added at random
	// ResetAfter is how long the child must have been up to count as healthy: its
	// next restart waits for Min again. Zero means Max.
	ResetAfter time.Duration
}

// budget is a Spec's or Supervisor's Intensity and Period.
func budget(intensity int, period time.Duration) tree.Budget {
	return tree.Budget{Intensity: intensity, Period: period}
}
