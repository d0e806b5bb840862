package actor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// Errors that a caller may want to tell apart, with errors.Is.
var (
	// ErrNotBooted: NewSystem was called in an actor's process whose main had
	// not called Boot or Main. NewSystem returns it there, Spawn in the parent.
	ErrNotBooted = errors.New("actor: this is an actor's process, and its main has called neither actor.Main nor actor.Boot")
	// ErrNoActor: nothing has this address or name.
	ErrNoActor = errors.New("actor: no such actor")
	// ErrMailboxFull: the mailbox is full and its Spec says Reject.
	ErrMailboxFull = errors.New("actor: mailbox full")
	// ErrUnhandled: the actor's type has no handler for the message's type.
	ErrUnhandled = errors.New("actor: message type not handled")
	// ErrNameTaken: Spawn, and another actor is registered under the name.
	ErrNameTaken = errors.New("actor: name taken")
	// ErrSelfAsk: an actor waits for itself, which would never end.
	ErrSelfAsk = errors.New("actor: an actor cannot wait for itself")
	// ErrTooLarge: the message, or the reply, is over the frame limit.
	ErrTooLarge = errors.New("actor: message too large")

	// ErrIgnore is returned, or wrapped, by a start function that chooses not to run
	// (OTP: ignore). The process ends and nothing has failed. Spawn, StartChild and
	// RestartChild return it; a supervisor that starts its Children goes on with the
	// next, and keeps the specification of this one, stopped, unless it is Temporary.
	ErrIgnore = child.ErrIgnore
	// ErrRestarting: the actor is between two processes. Ask returns it if the Spec
	// says AsksFail; RestartChild and DeleteChild do, as a restart is due already.
	ErrRestarting = errors.New("actor: it is being restarted")
	// ErrAborted: Spawn and the like; it was stopped before it had started.
	ErrAborted = errors.New("actor: stopped before it had started")
	// ErrAncestor: Stop and Kill by an actor of what it is itself part of, which
	// would have to wait for its own end.
	ErrAncestor = errors.New("actor: an actor cannot wait for the end of what it is part of")
)

// Errors of StartChild, TerminateChild, RestartChild, DeleteChild, Children and
// Count.
var (
	// ErrNotFound: the supervisor has no such child (OTP: not_found).
	ErrNotFound = errors.New("actor: no such child")
	// ErrRunning: the child is not stopped (OTP: running).
	ErrRunning = errors.New("actor: the child is running")
	// ErrNotRunning: the supervisor is ending, stopped or waits for its own restart.
	ErrNotRunning = errors.New("actor: the supervisor is not running")
	// ErrAlreadyStarted: the supervisor has a child of that name, and it runs or
	// starts (OTP: already_started).
	ErrAlreadyStarted = errors.New("actor: the child is started already")
	// ErrAlreadyPresent: the supervisor has a child of that name, and it is stopped
	// or waits for its restart (OTP: already_present).
	ErrAlreadyPresent = errors.New("actor: the child is present already, but not running")
	// ErrDynamic: a Dynamic supervisor keeps no specifications of its children, so
	// that they cannot be restarted or deleted (OTP: simple_one_for_one).
	ErrDynamic = errors.New("actor: a dynamic supervisor keeps no specification of the child")
	// ErrNotSupervisor: the Ref is not a supervisor's.
	ErrNotSupervisor = errors.New("actor: not a supervisor")
)

var errSelfAsk = &wire.GivenUp{Fate: wire.FateNotSent, Err: ErrSelfAsk}

// Fate says what is known of a message whose sender got an error.
type Fate uint8

// The fates.
const (
	Unknown    Fate = Fate(wire.FateUnknown)    // it was sent; whether it was handled is not known
	NotSent    Fate = Fate(wire.FateNotSent)    // it never reached the mailbox
	NotBegun   Fate = Fate(wire.FateNotBegun)   // the actor ended before beginning it
	InProgress Fate = Fate(wire.FateInProgress) // the actor died while handling it
)

// String returns a few words.
func (f Fate) String() string {
	switch f {
	case NotSent:
		return "not sent"
	case NotBegun:
		return "not begun"
	case InProgress:
		return "in progress when the actor died"
	}
	return "sent, fate unknown"
}

// A DeliveryError is why a Tell or an Ask, or another request to an actor, did not
// do its work, and what is known of the message. Err is the context's error, one of this package's, or a
// *DownError.
type DeliveryError struct {
	Op   string // "tell", "ask", "stop", "kill", "link" and so on
	To   Ref
	Fate Fate
	Err  error
}

// Error returns what was done to whom, why it failed, and a message's fate.
func (e *DeliveryError) Error() string {
	if e.Op != "tell" && e.Op != "ask" {
		return fmt.Sprintf("%s %v: %v", e.Op, e.To, e.Err)
	}
	return fmt.Sprintf("%s %v: %v (%v)", e.Op, e.To, e.Err, e.Fate)
}

// Unwrap returns Err.
func (e *DeliveryError) Unwrap() error { return e.Err }

// A DownError says that the actor is dead, or that the process is which had the
// message in progress; then Down.Restarting says whether the actor comes back, and
// another message may be answered. Unwrap returns the Down's Reason, so
// that errors.AsType[actor.Panic](err) finds it.
type DownError struct{ Down Down }

// Error names the actor and the reason.
func (e *DownError) Error() string { return e.Down.String() }

// Unwrap returns the reason.
func (e *DownError) Unwrap() error { return e.Down.Reason }

// A SpawnError is why an actor did not come up. Err is its [Reason] ([InitFailed]
// with the start function's error, [BootFailed], [Panic], …), [ErrIgnore],
// [ErrNameTaken], [ErrNotBooted] or the context's error. Nothing is left of it when
// Spawn returns.
type SpawnError struct {
	Type  string // "supervisor" or "pool" for one
	Name  string // "" if it had none
	Child string // of a supervisor: which of its children did not come up; "" if it is not about one
	Down  *Down  // the flight recorder of what did not come up; nil if there was no process
	Err   error
}

// Error names the actor and what went wrong.
func (e *SpawnError) Error() string {
	text := "spawn"
	if e.Type != "" {
		text += " " + e.Type
	}
	if e.Name != "" {
		text += fmt.Sprintf(" %q", e.Name)
	}
	if e.Child != "" {
		text += ": " + e.Child
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

// Unwrap returns Err.
func (e *SpawnError) Unwrap() error { return e.Err }

// A RemoteError is an error that was returned in another process. Its identity
// stayed there: what arrives is its text, and the codes under which errors in
// its tree were registered with [RegisterError]. errors.Is works for those.
type RemoteError struct {
	Text  string
	Codes []string
}

// Error returns the text of the original.
func (e *RemoteError) Error() string { return e.Text }

// Is reports whether target is registered under one of the codes.
func (e *RemoteError) Is(target error) bool {
	for _, code := range e.Codes {
		if known, ok := findRegistered(code); ok && known == target {
			return true
		}
	}
	return false
}

// registration is an error that is known in every process.
type registration struct {
	code string
	err  error
}

// registered errors. Appended to while packages are initialised, and only read after. It is a
// list and no map: each actor's process would make the map anew, and hardly one looks into it.
var registered = []registration{
	{"actor.NotBooted", ErrNotBooted},
	{"actor.NoActor", ErrNoActor},
	{"actor.MailboxFull", ErrMailboxFull},
	{"actor.Unhandled", ErrUnhandled},
	{"actor.NameTaken", ErrNameTaken},
	{"actor.SelfAsk", ErrSelfAsk},
	{"actor.TooLarge", ErrTooLarge},
	{"actor.Ignore", ErrIgnore},
	{"actor.Restarting", ErrRestarting},
	{"actor.Aborted", ErrAborted},
	{"actor.Ancestor", ErrAncestor},
	{"actor.NotFound", ErrNotFound},
	{"actor.Running", ErrRunning},
	{"actor.NotRunning", ErrNotRunning},
	{"actor.AlreadyStarted", ErrAlreadyStarted},
	{"actor.AlreadyPresent", ErrAlreadyPresent},
	{"actor.Dynamic", ErrDynamic},
	{"actor.NotSupervisor", ErrNotSupervisor},
	{"context.Canceled", context.Canceled},
	{"context.DeadlineExceeded", context.DeadlineExceeded},
	{"fs.Exist", fs.ErrExist},
	{"fs.NotExist", fs.ErrNotExist},
	{"fs.Permission", fs.ErrPermission},
	{"os.Closed", os.ErrClosed},
	{"os.DeadlineExceeded", os.ErrDeadlineExceeded},
	{"errors.Unsupported", errors.ErrUnsupported},
	{"io.EOF", io.EOF},
	{"io.UnexpectedEOF", io.ErrUnexpectedEOF},
}

func findRegistered(code string) (error, bool) {
	for _, r := range registered {
		if r.code == code {
			return r.err, true
		}
	}
	return nil, false
}

// RegisterError makes errors.Is(e, err) work for errors that come from other
// processes. Call it in a package variable or an init function, so that every
// process has it. It panics if the code or err is empty or the code is taken.
//
// Registered already are this package's errors, context.Canceled,
// context.DeadlineExceeded, os.ErrExist, os.ErrNotExist, os.ErrPermission,
// os.ErrClosed, os.ErrDeadlineExceeded, errors.ErrUnsupported, io.EOF and
// io.ErrUnexpectedEOF.
func RegisterError(code string, err error) {
	if code == "" || err == nil {
		panic("actor.RegisterError: an empty code or error")
	}
	if _, taken := findRegistered(code); taken {
		panic(fmt.Sprintf("actor.RegisterError: the code %q is taken", code))
	}
	registered = append(registered, registration{code, err})
}

// failureOf makes an error of the actor's code fit to travel.
func failureOf(err error) *wire.Failure {
	err = tooLarge(err)
	f := &wire.Failure{Code: wire.Remote, Text: err.Error()}
	for _, known := range registered {
		if errors.Is(err, known.err) {
			f.Codes = append(f.Codes, known.code)
		}
	}
	return f
}

// undelivered gives an engine's error its public form.
func (r Ref) undelivered(op string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		if f.Code == wire.Remote {
			return &RemoteError{Text: f.Text, Codes: f.Codes}
		}
		return &DeliveryError{Op: op, To: r, Fate: Fate(f.Fate), Err: public(f)}
	}
	if g, ok := errors.AsType[*wire.GivenUp](err); ok {
		return &DeliveryError{Op: op, To: r, Fate: Fate(g.Fate), Err: g.Err}
	}
	return &DeliveryError{Op: op, To: r, Fate: NotSent, Err: tooLarge(err)}
}

// tooLarge makes a codec's limit ErrTooLarge, and leaves other errors alone.
func tooLarge(err error) error {
	if limit, ok := err.(*codec.LimitError); ok {
		return fmt.Errorf("%w: %w", ErrTooLarge, limit)
	}
	return err
}

// sentinel returns the error that a failure's code stands for, or nil.
func sentinel(code wire.Code) error {
	switch code {
	case wire.NoActor:
		return ErrNoActor
	case wire.Full:
		return ErrMailboxFull
	case wire.Unhandled:
		return ErrUnhandled
	case wire.NameTaken:
		return ErrNameTaken
	case wire.Closed:
		return os.ErrClosed
	case wire.NotBooted:
		return ErrNotBooted
	case wire.TooLarge:
		return ErrTooLarge
	case wire.Restarting:
		return ErrRestarting
	case wire.Running:
		return ErrRunning
	case wire.NotFound:
		return ErrNotFound
	case wire.NotRunning:
		return ErrNotRunning
	case wire.Started:
		return ErrAlreadyStarted
	case wire.Present:
		return ErrAlreadyPresent
	case wire.Dynamic:
		return ErrDynamic
	case wire.NotSupervisor:
		return ErrNotSupervisor
	case wire.ChoseNot:
		return ErrIgnore
	case wire.Aborted:
		return ErrAborted
	case wire.Above:
		return ErrAncestor
	case wire.Unkept:
		return ErrUnsupportedLimit
	case wire.Unsupported:
		return errors.ErrUnsupported
	case wire.Denied:
		return ErrDenied
	}
	return nil
}

// public returns the error that a failure stands for.
func public(f *wire.Failure) error {
	sentinel := sentinel(f.Code)
	switch {
	case f.Code == wire.Remote:
		return &RemoteError{Text: f.Text, Codes: f.Codes}
	case f.Code == wire.Dead && f.Down != nil:
		return &DownError{Down: newDown(f.Down)}
	case f.Code == wire.StartFailed && f.Down != nil:
		if f.Down.Reason.Cause == wire.Ignored {
			return ErrIgnore
		}
		return newReason(f.Down.Reason)
	case sentinel == nil && f.Text == "":
		return errors.New(string(f.Code))
	case sentinel == nil:
		return errors.New(f.Text)
	case f.Text == "":
		return sentinel
	}
	return fmt.Errorf("%w: %s", sentinel, f.Text)
}
