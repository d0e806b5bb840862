package tree

import "time"

// A Child is the specification of one actor or, if Supervisor is set, of one
// nested supervisor (OTP: child_spec()). Its zero value, with a name, is a
// transient actor that gets five seconds to stop. The tree keeps it: do not
// change what its slices and pointers lead to.
type Child struct {
	// Name is OTP's id: mandatory and unique among the children of one
	// supervisor, free of choice elsewhere.
	Name string
	// Data is what the caller needs to boot the actor. The tree hands it back in
	// Boot and never looks at it.
	Data any
	// Supervisor makes the child a supervisor; nil means an actor.
	Supervisor *Supervisor

	Restart Restart
	// Shutdown is how long the child may take from being told to stop to its end;
	// then it is killed. Zero means DefaultShutdown for an actor and Infinite for a
	// supervisor. Kill, Infinite and ForcedInfinite are special.
	Shutdown time.Duration
	// Significant makes the child's own end count for its supervisor's
	// AutoShutdown. Not for permanent children.
	Significant bool
	// Backoff delays restarts; its zero value restarts at once, as OTP does.
	Backoff Backoff
	// Fatal lists the causes of abnormal ends that a restart cannot mend. A child
	// that ends so, or fails to start so when it is restarted, stays down.
	Fatal []string
	// Budget limits the restarts of an actor that has no supervisor. Under a
	// supervisor it must be zero: there the supervisor's counts.
	Budget Budget
}

// A Supervisor is OTP's sup_flags() with the list of children. Its zero value
// is one-for-one, with no children and DefaultIntensity.
type Supervisor struct {
	Strategy Strategy
	// Budget limits the restarts of all its children together.
	Budget       Budget
	AutoShutdown AutoShutdown
	// Children are started in this order, and stopped in reverse. A Dynamic
	// supervisor has exactly one, the template of those started later.
	Children []Child
}

// A Budget says how many restarts are too many: Intensity of them within Period
// are made, the next one is not. Both bounds are inclusive and exact to the
// nanosecond (OTP: whole seconds).
type Budget struct {
	Intensity int           // zero means DefaultIntensity; NoRestarts means none at all
	Period    time.Duration // zero means DefaultPeriod
}

// A Backoff makes the n-th restart in a row, counted from zero, wait
//
//	min(Max, Min·Factorⁿ) · (1 + random·Jitter)
//
// Zero Min means no waiting. (Akka: BackoffSupervisor.)
type Backoff struct {
	Min    time.Duration
	Max    time.Duration // zero means a minute, or Min if that is longer
	Factor float64       // zero means 2
	Jitter float64       // 0 to 1, the largest share added at random
	// ResetAfter is how long the child must have been up to count as healthy:
	// its next restart waits Min again. Zero means Max.
	ResetAfter time.Duration
}

// Defaults, and special values.
const (
	DefaultIntensity = 3
	DefaultPeriod    = 5 * time.Second
	DefaultShutdown  = 5 * time.Second
	DefaultFactor    = 2

	// NoRestarts is the Intensity of a budget for no restart at all (OTP:
	// intensity 0).
	NoRestarts = -1

	// Kill as Shutdown ends a child without notice (OTP: brutal_kill). A
	// supervisor's whole subtree is killed with it.
	Kill time.Duration = -1
	// Infinite as Shutdown waits for ever (OTP: infinity). Only for supervisors.
	Infinite time.Duration = -2
	// ForcedInfinite is Infinite for actors too: one that hangs in its stop then
	// keeps everything above it from stopping.
	ForcedInfinite time.Duration = -3
)

// Restart says after which ends a child is restarted.
type Restart uint8

const (
	Transient Restart = iota // after an abnormal end only
	Permanent                // after any end
	Temporary                // never; its specification goes with it
)

// Strategy says who is restarted when one child is.
type Strategy uint8

const (
	OneForOne  Strategy = iota // that child alone
	OneForAll                  // all children
	RestForOne                 // that child, and those started after it
	Dynamic                    // that child alone; all are of one kind, started on demand (simple_one_for_one)
)

// AutoShutdown says whether a supervisor ends when significant children have
// ended by themselves and are not to be restarted.
type AutoShutdown uint8

const (
	Never          AutoShutdown = iota
	AnySignificant              // when one has
	AllSignificant              // when the last of them has
)

func (r Restart) String() string { return name(r, "transient", "permanent", "temporary") }
func (s Strategy) String() string {
	return name(s, "one-for-one", "one-for-all", "rest-for-one", "dynamic")
}
func (a AutoShutdown) String() string { return name(a, "never", "any-significant", "all-significant") }

func name[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return "invalid"
}

func (c *Child) isSupervisor() bool { return c.Supervisor != nil }

func (c *Child) shutdown() time.Duration {
	switch {
	case c.Shutdown == ForcedInfinite, c.Shutdown == 0 && c.isSupervisor():
		return Infinite
	case c.Shutdown == 0:
		return DefaultShutdown
	}
	return c.Shutdown
}

func (b Budget) intensity() int {
	switch b.Intensity {
	case 0:
		return DefaultIntensity
	case NoRestarts:
		return 0
	}
	return b.Intensity
}

func (b Budget) period() time.Duration {
	if b.Period == 0 {
		return DefaultPeriod
	}
	return b.Period
}
