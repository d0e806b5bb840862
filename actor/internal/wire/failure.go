package wire

import "github.com/progeny-go/progeny/codec"

// Code says what kind of failure an Ask, a Tell or a service met.
type Code string

// The codes of failures.
const (
	// Remote: the handler (or start function) returned an error.
	Remote Code = "remote"
	// Dead: the receiver has ended, before or meanwhile; Failure.Down says how.
	Dead Code = "dead"
	// NoActor: no actor has this address or name.
	NoActor Code = "no actor"
	// Full: the mailbox refused.
	Full Code = "full"
	// Unhandled: the receiver's type has no handler for the message's type.
	Unhandled Code = "unhandled"
	// NameTaken: another actor is registered under the name.
	NameTaken Code = "name taken"
	// StartFailed: the process did not become ready; Failure.Down says why.
	StartFailed Code = "start failed"
	// Refused: the request itself is wrong.
	Refused Code = "refused"
	// Closed: the system is closed or closing.
	Closed Code = "closed"
	// NotBooted: the new process ran main without booting.
	NotBooted Code = "not booted"
	// TooLarge: the reply is over the frame limit.
	TooLarge Code = "too large"
	// Restarting: the actor is between two processes.
	Restarting Code = "restarting"
	// Running: the child has to be stopped for this.
	Running Code = "running"
	// NotFound: the supervisor has no such child.
	NotFound Code = "not found"
	// NotRunning: the supervisor has ended, or is ending.
	NotRunning Code = "not running"
	// Started: the supervisor has a child of that name, and it runs. Failure.ID says which.
	Started Code = "started"
	// Present: the same, and it does not run.
	Present Code = "present"
	// Dynamic: a dynamic supervisor, or none, keeps no specification of the child.
	Dynamic Code = "dynamic"
	// NotSupervisor: the address is not a supervisor's.
	NotSupervisor Code = "not a supervisor"
	// ChoseNot: the start function chose not to run.
	ChoseNot Code = "ignored"
	// Aborted: the actor was stopped before it had started.
	Aborted Code = "aborted"
	// Above: an actor wants to stop what it is itself part of, and would wait for its own end.
	Above Code = "above"
	// Unkept: this machine cannot keep a limit of the Spec.
	Unkept Code = "limit cannot be kept"
	// Unsupported: this machine cannot do something else that the Spec wants.
	Unsupported Code = "unsupported"
	// Denied: the Spec of the asker denies it.
	Denied Code = "denied"
)

// Fate says what is known of a message whose sender gets an error.
type Fate uint8

// The fates of a message.
const (
	FateUnknown    Fate = iota // it was sent; nothing is known
	FateNotSent                // it never left the sender
	FateNotBegun               // its receiver ended before beginning it
	FateInProgress             // its receiver died while handling it
)

// Failure is an error that crosses processes: text and codes, never identity.
// It implements error so that both sides can hand it up until the actor
// package gives it its public type.
type Failure struct {
	Code  Code
	Text  string
	Codes []string // registered codes of the errors in a Remote error's tree
	Fate  Fate
	Down  *Down
	ID    codec.ID
}

// Error returns the failure's text.
func (f *Failure) Error() string {
	if f.Text == "" {
		return string(f.Code)
	}
	return f.Text
}

// GivenUp is the error of a sender that stopped waiting: its context was done.
type GivenUp struct {
	Fate Fate
	Err  error
}

// Error returns the text of the context's error.
func (g *GivenUp) Error() string { return g.Err.Error() }

// Unwrap returns the context's error.
func (g *GivenUp) Unwrap() error { return g.Err }
