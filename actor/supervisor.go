package actor

import (
	"errors"
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
)

// A Supervisor starts its Children, and restarts those that end when they should
// not (OTP: supervisor). It runs no code of its own and is no process, but it has
// a Ref like an actor: it can be monitored, stopped and found by its name, and
// asked for its children ([Ref.StartChild], [Ref.Children] and so on). It takes no
// messages ([ErrUnhandled]), unless it is a [Pool].
//
//	tree := actor.Supervisor{Name: "web", Strategy: actor.RestForOne, Children: []actor.Child{
//		cache.With(CacheConfig{MB: 64}),
//		actor.Supervisor{Children: []actor.Child{worker, worker.With(Config{Count: 2})}},
//	}}
//
// Children start in the order of the list, each when the one before is ready, and
// stop in reverse, each when the one after has ended. Spawn returns when the last
// is ready. If one cannot start, those before it are stopped, nothing is retried,
// and Spawn's error says which it was. A child whose start function returns
// [ErrIgnore] stays out, and no harm is done.
//
// Over its budget of restarts a supervisor gives up: it stops all children and
// ends with [Shutdown]. So its own supervisor, if any, restarts it only if it is
// Permanent; then it begins anew, with the Children of this list and a full
// budget. Whatever ends a supervisor ends everything under it.
//
// Its zero value is a supervisor without children, which may be started later.
type Supervisor struct {
	// Name is what it is registered under, and how it is told from its siblings.
	// "" for neither; the rules are those of Spec.Name.
	Name string

	Strategy Strategy
	// Intensity is how many restarts of its children, all together, it makes within
	// Period. The next one is too many. Both bounds are inclusive. A restart of
	// several children at once counts as one, and so does each attempt that fails.
	// Zero means DefaultIntensity; see NoRestarts.
	Intensity int
	// Period is a sliding window; zero means DefaultPeriod.
	Period time.Duration
	// AutoShutdown makes the end of significant children its own.
	AutoShutdown AutoShutdown
	// Children are those that it starts with. Their names must differ. A Dynamic
	// supervisor has exactly one, the template of what StartChild starts.
	Children []Child

	// The rest says how it is treated as a child itself, as in Spec. Without a
	// supervisor above, Restart and Significant mean nothing.

	Restart Restart
	// StopTimeout is how long it may take to stop; then all that is left under it is
	// killed. Zero means Infinity: its children have limits of their own.
	StopTimeout time.Duration
	Significant bool
	Backoff     Backoff
}

// Strategy says who is restarted when one child is (OTP: strategy).
type Strategy uint8

// The strategies.
const (
	// OneForOne: that child alone.
	OneForOne = Strategy(tree.OneForOne)
	// OneForAll: all children. The others are stopped in reverse order first.
	OneForAll = Strategy(tree.OneForAll)
	// RestForOne: that child, and those that were started after it.
	RestForOne = Strategy(tree.RestForOne)
	// Dynamic: that child alone. All children are of one kind, started by
	// StartChild, without an order: they start and stop at the same time (OTP:
	// simple_one_for_one).
	Dynamic = Strategy(tree.Dynamic)
)

// String returns a notation like "one-for-one".
func (s Strategy) String() string { return tree.Strategy(s).String() }

// AutoShutdown says whether a supervisor ends, with [Shutdown], when significant
// children have ended by themselves and are not to be restarted (OTP:
// auto_shutdown). An end by TerminateChild or with a restart of siblings does not
// count.
type AutoShutdown uint8

// The values of AutoShutdown.
const (
	// Never: it stays.
	Never = AutoShutdown(tree.Never)
	// AnySignificant: when one of them has.
	AnySignificant = AutoShutdown(tree.AnySignificant)
	// AllSignificant: when the last of them has.
	AllSignificant = AutoShutdown(tree.AllSignificant)
)

// String returns a notation like "any-significant".
func (a AutoShutdown) String() string { return tree.AutoShutdown(a).String() }

// supervisorType is what stands for an actor type where a supervisor is meant.
const supervisorType = "supervisor"

func (s Supervisor) label() (actorType, name string) { return supervisorType, s.Name }

func (s Supervisor) child() (wire.Child, error) {
	w := s.wire()
	for i, c := range s.Children {
		child, err := wireChild(c)
		if err != nil {
			return wire.Child{}, fmt.Errorf("child %d%s: %w", i, described(c), err)
		}
		if child.Actor != nil && child.Budget != (tree.Budget{}) {
			return wire.Child{}, fmt.Errorf("child %d%s: %w", i, described(c), errOwnBudget)
		}
		w.Supervisor.Children = append(w.Supervisor.Children, *child)
	}
	return w, nil
}

var errOwnBudget = errors.New("it has an Intensity or Period of its own; under a supervisor the supervisor's counts")

// wire is child without the children.
func (s Supervisor) wire() wire.Child {
	return wire.Child{
		ID: s.Name,
		Supervisor: &wire.Supervisor{
			Name:         s.Name,
			Strategy:     tree.Strategy(s.Strategy),
			Budget:       budget(s.Intensity, s.Period),
			AutoShutdown: tree.AutoShutdown(s.AutoShutdown),
		},
		Restart:     tree.Restart(s.Restart),
		Shutdown:    s.StopTimeout,
		Significant: s.Significant,
		Backoff:     tree.Backoff(s.Backoff),
	}
}

// described is for errors about a child: who it is, in parentheses.
func described(c Child) string {
	if c == nil {
		return ""
	}
	actorType, name := c.label()
	switch {
	case actorType == "":
		return ""
	case name == "":
		return fmt.Sprintf(" (%s)", actorType)
	}
	return fmt.Sprintf(" (%s %q)", actorType, name)
}
