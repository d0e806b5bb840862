package tree

import "fmt"

// A Reason says why an actor, or a supervisor, has ended.
type Reason struct {
	Class Class
	// Cause is compared with Child.Fatal, and shown. For Shutdown it may be empty
	// or say more (OTP: {shutdown, Term}).
	Cause string
}

// Class is what decides about a restart.
type Class uint8

const (
	Abnormal Class = iota // everything that is not one of the others
	Normal                // it ended by itself, in order
	Shutdown              // it was told to stop and did, or ended as if it had been
	Recycled              // it was ready and ended by itself, in order, for a fresh incarnation to take its place
)

var (
	shutdown = Reason{Class: Shutdown}
	killed   = Reason{Class: Abnormal, Cause: KilledCause}
)

// KilledCause is the Cause of what was killed by order of the tree. Executors
// use it in Exited, so that a kill that was ordered is not taken for a surprise.
const KilledCause = "killed"

// String returns the reason as OTP would print it, more or less.
func (r Reason) String() string {
	switch {
	case r.Class == Normal:
		return "normal"
	case r.Class == Recycled:
		return "recycled"
	case r.Class == Shutdown && r.Cause == "":
		return "shutdown"
	case r.Class == Shutdown:
		return "shutdown(" + r.Cause + ")"
	case r.Cause == "":
		return "abnormal"
	}
	return r.Cause
}

// A StartError says which child did not come up, and why.
type StartError struct {
	ID     ID
	Name   string
	Reason Reason
}

func (e *StartError) Error() string { return fmt.Sprintf("start %q: %v", e.Name, e.Reason) }
