package tree

import (
	"errors"
	"time"
)

// An ID names one logical actor or supervisor of a Tree. It stays the same when
// that is restarted and is never used again. Zero is the root: not a supervisor
// of anybody, but the place of what has none.
type ID uint64

// A Call is chosen by whoever asks the tree for something and comes back in one
// Reply. Zero means that nobody waits: there is no Reply then.
type Call uint64

// An Event is what Step takes: one of the types below.
type Event interface{ event() }

// Requests. Each is answered by exactly one Reply, mostly not in the same Step.
type (
	// StartChild starts a new child. The Reply comes when it is
	// ready, or when it is gone.
	//
	// Under the root, or under an actor, the new one is supervised by itself
	// alone: restarted by its own Restart and Budget, and gone when those have no
	// restart for it. Under an actor it also ends when that actor's process does.
	// Under a supervisor it is appended to the start order. Under a dynamic one
	// Child must be nil, and Data (if not nil) replaces the template's.
	//
	// Errors: ErrNotFound, ErrNotRunning, ErrStarted and ErrPresent (with the
	// child's ID), ErrTemplate, ErrIgnored, ErrAborted, a *StartError, or what
	// is wrong with the specification.
	StartChild struct {
		Call  Call
		Under ID
		Child *Child
		Data  any
	}
	// TerminateChild stops an actor or supervisor with everything under it: also in the middle of its start, of a restart loop or of
	// a backoff. It is not restarted, and neither the restart budget nor
	// auto-shutdown take notice. A supervisor keeps the specification, unless the
	// child is temporary or dynamic. Of the root it stops everything, the last
	// started first; nothing can be started any more.
	//
	// The Reply comes when nothing of it lives. Error: ErrNotFound.
	TerminateChild struct {
		Call Call
		ID   ID
		Kill bool // at once, the whole subtree, without notice
	}
	// RestartChild starts a child that is stopped. Errors:
	// ErrNotFound, ErrRunning, ErrRestarting, ErrDynamic, and those of a start,
	// after which the child is stopped as before.
	RestartChild struct {
		Call Call
		ID   ID
	}
	// DeleteChild drops the specification of a stopped child.
	// Errors: ErrNotFound, ErrRunning, ErrRestarting, ErrDynamic.
	DeleteChild struct {
		Call Call
		ID   ID
	}
)

// Reports about an incarnation of an actor: what became of a Boot or a Stop.
// Reports about incarnations that have ended are ignored.
type (
	// Ready: it is up.
	Ready struct {
		ID  ID
		Inc uint64
	}
	// Ignored: its start function chose not to run (OTP: ignore), and nothing
	// of it is left.
	Ignored struct {
		ID  ID
		Inc uint64
	}
	// Exited: nothing of it is left, or nothing ever came to be. Before Ready
	// that is a failed start.
	Exited struct {
		ID     ID
		Inc    uint64
		Reason Reason
	}
	// Tick: time has passed; see Tree.Next.
	Tick struct{}
)

func (StartChild) event()     {}
func (TerminateChild) event() {}
func (RestartChild) event()   {}
func (DeleteChild) event()    {}
func (Ready) event()          {}
func (Ignored) event()        {}
func (Exited) event()         {}
func (Tick) event()           {}

// An Effect is what Step returns: one of the types below. Boot and Stop are to
// be carried out, the others to be told. Their order is the order of events; the
// executor need not wait for one before it begins the next.
type Effect interface{ effect() }

// What the executor has to do.
type (
	// Boot starts a process for the actor. The executor reports Ready, Ignored or
	// Exited, within a time of its choice: a boot that hangs is its to end.
	Boot struct {
		ID   ID
		Inc  uint64
		Data any
	}
	// Stop ends an incarnation: by request, and by force after Timeout. Kill
	// means force at once, Infinite no force; a Stop with Kill may follow another
	// Stop. The executor reports Exited when it is gone, and not before.
	Stop struct {
		ID      ID
		Inc     uint64
		Timeout time.Duration
	}
	// Reply answers a request. ID is the child's, where there is one.
	Reply struct {
		Call Call
		ID   ID
		Err  error
	}
)

// What the executor may tell observers. Actors and supervisors are told alike.
type (
	// Added: there is a new actor or supervisor, not yet started. Call is that of
	// the StartChild that wants it; zero if its supervisor does.
	Added struct {
		ID, Parent ID
		Spec       *Child
		Data       any
		Call       Call
	}
	// Started: it is up; a supervisor is with all its children.
	Started struct {
		ID  ID
		Inc uint64
	}
	// Declined: its start function chose not to run.
	Declined struct {
		ID  ID
		Inc uint64
	}
	// Ended: an incarnation is over.
	Ended struct {
		ID     ID
		Inc    uint64
		Reason Reason
		// Starting: it had not come up.
		Starting bool
		// Told: the tree had told it to stop, or its supervisor was just ending.
		Told bool
		// Unexpected: told, but it ended in another way than that (OTP:
		// shutdown_error).
		Unexpected bool
		// Restarting: as things stand, there will be another incarnation. What
		// follows is its Boot or, of a supervisor, Started or another Ended;
		// otherwise Stays or Gone.
		Restarting bool
	}
	// Stays: Ended said that it would come back, and it will not, unless somebody
	// restarts it by hand.
	Stays struct{ ID ID }
	// Restarting: it will be started again, In from now or as soon as those that
	// go with it have stopped.
	Restarting struct {
		ID ID
		In time.Duration
	}
	// GaveUp: a supervisor has used up its budget and ends; or an actor has
	// used up its own, or ended for a fatal cause, and stays down.
	GaveUp struct {
		ID     ID
		Reason Reason // the last straw
	}
	// Gone: it is no longer part of the tree. The counterpart of Added, and the
	// last that is told of it.
	Gone struct{ ID ID }
)

func (Boot) effect()       {}
func (Stop) effect()       {}
func (Reply) effect()      {}
func (Added) effect()      {}
func (Started) effect()    {}
func (Declined) effect()   {}
func (Ended) effect()      {}
func (Stays) effect()      {}
func (Restarting) effect() {}
func (GaveUp) effect()     {}
func (Gone) effect()       {}

// Errors of requests.
var (
	ErrNotFound   = errors.New("no such child")                            // OTP: not_found
	ErrNotRunning = errors.New("the parent is not running")                // OTP: noproc
	ErrStarted    = errors.New("already started")                          // OTP: {already_started, Pid}
	ErrPresent    = errors.New("already present, but not running")         // OTP: already_present
	ErrRunning    = errors.New("running")                                  // OTP: running
	ErrRestarting = errors.New("restarting")                               // OTP: restarting
	ErrDynamic    = errors.New("its parent keeps no child specification")  // OTP: simple_one_for_one
	ErrTemplate   = errors.New("a dynamic supervisor starts its template") // start_child with a specification
	ErrIgnored    = errors.New("its start function chose not to run")      // OTP: {ok, undefined}
	ErrAborted    = errors.New("it was stopped before it had started")     // TerminateChild won
)
