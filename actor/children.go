package actor

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// StartChild starts a child of the supervisor sup and returns when it is ready
// (OTP: start_child/2). It stands last in the order of starts, and is gone when
// its supervisor is restarted.
//
// Under a [Dynamic] supervisor what is an actor of the template's type: its
// argument and its Name count, the rest is the template's. nil starts the
// template as it is.
//
// When it fails nothing is left, and the error is a [*SpawnError] with
// [ErrAlreadyStarted] or [ErrAlreadyPresent], and the Ref of the child that has
// that name; [ErrIgnore], [ErrAborted], [ErrNotSupervisor] or [ErrNotRunning]; a
// [*DownError] or [ErrNoActor] if sup is no more; or what Spawn's error can be. A
// [Pool] takes no further children. When ctx is done first the start goes on, and it
// is not known how it ends.
func (sup Ref) StartChild(ctx context.Context, what Child) (Ref, error) {
	var w *wire.Child
	if what != nil {
		var err error
		if w, err = wireChild(what); err != nil {
			return Ref{}, unspawned(what, err)
		}
	}
	if sup.IsZero() {
		return Ref{}, unspawned(what, &wire.Failure{Code: wire.NoActor})
	}
	id, err := here.StartChild(ctx, sup.id, w)
	if f, ok := errors.AsType[*wire.Failure](err); ok && (f.Code == wire.Started || f.Code == wire.Present) {
		id = f.ID
	}
	return Ref{id}, unspawned(what, err)
}

// TerminateChild stops a child of the supervisor sup as [Ref.Stop] does, and
// waits until nothing of it lives, or ctx is done (OTP: terminate_child/2). It
// also ends a restart that is due or in progress. The supervisor keeps its
// specification, for RestartChild and DeleteChild, unless the child is Temporary
// or the supervisor Dynamic. A child that is stopped already is no error. Errors:
// [ErrNotFound], [ErrNotSupervisor], [ErrAncestor]; [*DownError] or [ErrNoActor] if
// sup is no more.
func (sup Ref) TerminateChild(ctx context.Context, child Ref) error {
	return sup.manage(ctx, "terminate child", child, engine.TerminateChild)
}

// RestartChild starts a child of the supervisor sup that is stopped, and returns
// when it is ready (OTP: restart_child/2). Errors: [ErrNotFound], [ErrRunning],
// [ErrRestarting], [ErrDynamic], [ErrNotSupervisor], [ErrNotRunning]; [*DownError] or
// [ErrNoActor] if sup is no more; if the child does not come up, a [*SpawnError] or
// [ErrIgnore], and it is stopped as before. When ctx is done first the start goes on.
func (sup Ref) RestartChild(ctx context.Context, child Ref) error {
	return sup.manage(ctx, "restart child", child, engine.RestartChild)
}

// DeleteChild makes the supervisor sup forget a child that is stopped (OTP:
// delete_child/2); its Ref is nobody's address then. Errors: [ErrNotFound],
// [ErrRunning], [ErrRestarting], [ErrDynamic], [ErrNotSupervisor]; [*DownError] or
// [ErrNoActor] if sup is no more.
func (sup Ref) DeleteChild(ctx context.Context, child Ref) error {
	return sup.manage(ctx, "delete child", child, engine.DeleteChild)
}

func (sup Ref) manage(ctx context.Context, verb string, child Ref, do func(engine, context.Context, codec.ID, codec.ID) error) error {
	if sup.IsZero() {
		return sup.undelivered(verb, &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent})
	}
	err := do(here, ctx, sup.id, child.id)
	if f, ok := errors.AsType[*wire.Failure](err); ok && (f.Code == wire.StartFailed || f.Code == wire.NotBooted) {
		return startFailed(f)
	}
	return sup.undelivered(verb, err)
}

// Children returns the children of a supervisor, or of an actor that has spawned
// some, in the order of their starts: a snapshot (OTP: which_children/1, the
// other way round). It asks none of them, so none can hold it up. The error is a
// [*DeliveryError] with a [*DownError] or [ErrNoActor] if r is no more.
func (r Ref) Children(ctx context.Context) (iter.Seq[ChildInfo], error) {
	infos, err := r.children(ctx)
	return infosOf(infos), err
}

// Count counts the children of a supervisor, or of an actor that has spawned some
// (OTP: count_children/1).
func (r Ref) Count(ctx context.Context) (ChildCount, error) {
	infos, err := r.children(ctx)
	n := ChildCount{Specs: len(infos)}
	for _, w := range infos {
		if w.State == tree.Running || w.State == tree.Stopping {
			n.Active++
		}
		if w.Type == "" {
			n.Supervisors++
		} else {
			n.Workers++
		}
	}
	return n, err
}

func (r Ref) children(ctx context.Context) ([]wire.ChildInfo, error) {
	if r.IsZero() {
		return nil, r.undelivered("children", &wire.Failure{Code: wire.NoActor, Fate: wire.FateNotSent})
	}
	infos, err := here.Children(ctx, r.id)
	return infos, r.undelivered("children", err)
}

// Children returns the actors and supervisors that no other has started, in the
// order of their starts: a snapshot. [Ref.Children] goes on from there.
func (s *System) Children() iter.Seq[ChildInfo] { return infosOf(s.node.Children()) }

// ChildCount is how many children there are.
type ChildCount struct {
	Specs       int // all
	Active      int // those whose State is Running or Stopping
	Supervisors int // pools included, whatever their State
	Workers     int // actors, likewise
}

// ChildInfo is what was known of one actor or supervisor at one moment.
type ChildInfo struct {
	Ref        Ref
	ID         string // its Name or, without one, what the system calls it; unique under a supervisor that is not Dynamic
	Type       string // "supervisor" for one, and for a pool
	Name       string // "" if it is registered under none
	Supervisor bool   // or a Pool
	Pool       bool
	Strategy   Strategy // of a supervisor
	Restart    Restart

	State       State
	Incarnation uint64    // which process it is, from 1; 0 before the first
	Pid         int       // 0 if there is no process
	Since       time.Time // when it came up or, while Booting, when that began
	Restarts    uint64    // how many times it was restarted, in all
	// Recent is how many restarts count against Limit now: a supervisor's count those
	// of its children, an actor's without a supervisor its own. Otherwise both are 0.
	Recent, Limit int
	Last          Reason // why its last process ended; nil if none has
}

// State is what an actor or supervisor is doing.
type State uint8

// The states.
const (
	Stopped    = State(tree.Stopped)  // it has no process, and is not about to have one
	Booting    = State(tree.Booting)  // it is starting
	Running    = State(tree.Running)  // it is up
	Stopping   = State(tree.Stopping) // it was told to stop, or is a supervisor that is ending
	Dead       = State(tree.Dead)     // it has ended, and its supervisor is still busy with something else
	Restarting = State(tree.Waiting)  // it has ended, and waits to be restarted
)

// String returns the name in lower case.
func (s State) String() string { return tree.State(s).String() }

func infosOf(infos []wire.ChildInfo) iter.Seq[ChildInfo] {
	return func(yield func(ChildInfo) bool) {
		for _, w := range infos {
			if !yield(newChildInfo(w)) {
				return
			}
		}
	}
}

func newChildInfo(w wire.ChildInfo) ChildInfo {
	i := ChildInfo{
		Ref:         Ref{w.Address},
		ID:          w.ID,
		Type:        w.Type,
		Name:        w.Name,
		Supervisor:  w.Type == "",
		Pool:        w.Pool,
		Strategy:    Strategy(w.Strategy),
		Restart:     Restart(w.Restart),
		State:       State(w.State),
		Incarnation: w.Incarnation,
		Pid:         w.Pid,
		Since:       w.Since,
		Restarts:    w.Restarts,
		Recent:      w.Recent,
		Limit:       w.Limit,
	}
	if i.Supervisor {
		i.Type = supervisorType
	}
	if w.Last != nil {
		i.Last = newReason(*w.Last)
	}
	return i
}
