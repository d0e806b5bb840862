package actor

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// A Reason says why an actor's process ended. It is one of the types below, and
// no other; use a type switch, or errors.AsType on an error that has it inside.
// Normal and Shutdown are the normal ends, everything else is abnormal (OTP's
// rule for transient children). An actor that an exit signal has ended has the
// signal's reason: its own, or that of the one it was linked to.
type Reason interface {
	error
	// IsNormal reports whether the actor ended as it should.
	IsNormal() bool
	wire() wire.Reason
}

// Normal: it stopped itself, by [Context.Stop].
type Normal struct{}

// Shutdown: it was asked to stop, and did. Detail is "", but that of a
// [Context.Exit] that gave one, and of a supervisor that has given up (OTP:
// {shutdown, Term}).
type Shutdown struct{ Detail string }

// Failed: it ended itself with an error ([Context.Exit]), or was sent one as an
// exit signal. Err is a [*RemoteError].
type Failed struct{ Err error }

// InitFailed: the start function returned an error. Err is a [*RemoteError].
type InitFailed struct{ Err error }

// BootFailed: the process did not get as far as its start function, or that did
// not return in time.
type BootFailed struct{ Detail string }

// Panic: a Go panic or fatal error. Value is its first lines without "panic: ",
// like "assignment to entry in nil map" or "fatal error: stack overflow"; Stack
// is what the Go runtime printed, at most 64 KiB.
type Panic struct{ Value, Stack string }

// ExitCode: somebody called os.Exit, or main returned. 0 is no normal end: an
// actor that ends in order says so first. -1 means that the process's status
// was taken by a wait elsewhere in the program and is not known.
type ExitCode struct{ Code int }

// Signal: a signal ended it: a fault in C code, or a kill from outside. Core
// says that the kernel wrote a core file. Stack is what the Go runtime printed
// before, if it did.
type Signal struct {
	Signal syscall.Signal
	Core   bool
	Stack  string
}

// Killed: it would not stop in time, or Kill was called, or its supervisor's end
// gave it no time. As an exit signal it cannot be trapped.
type Killed struct{ Detail string }

// Protocol: it wrote what no actor writes, or closed its pipe.
type Protocol struct{ Detail string }

// OutOfMemory: it went over its [Limits].Memory. Limit and Peak are in bytes; Peak is the most
// that was seen, and 0 if the kernel does not say. A SIGKILL by somebody else is a Signal.
type OutOfMemory struct{ Limit, Peak int64 }

// Hung: it was at one message for longer than its HandlerTimeout, or gave no sign of life
// within its Heartbeat, and was killed. Stacks is what the Go runtime printed of all
// goroutines, at most 64 KiB; "" if it did not answer to SIGQUIT within a second.
type Hung struct {
	What    string        // "handler" or "heartbeat"
	Timeout time.Duration // the Spec's
	Stacks  string
}

// Recycled: its process was replaced by a fresh one, as its [Recycle] says. It is a normal
// end of a process, and no end of the actor.
type Recycled struct{ Why string }

// NoSuchActor: a monitor's answer when there was nothing left to monitor. How
// that actor ended is told once, to those who watched it then (OTP's noproc).
type NoSuchActor struct{}

func (Normal) Error() string { return "normal" }
func (r Shutdown) Error() string {
	if r.Detail != "" {
		return "shutdown: " + r.Detail
	}
	return "shutdown"
}
func (r Failed) Error() string     { return fmt.Sprintf("failed: %v", r.Err) }
func (r InitFailed) Error() string { return fmt.Sprintf("start function failed: %v", r.Err) }
func (r BootFailed) Error() string { return "boot failed: " + r.Detail }
func (r Panic) Error() string      { return "panic: " + firstLine(r.Value) }
func (r ExitCode) Error() string {
	switch r.Code {
	case -1:
		return "exited; its status was taken by another wait"
	case 0:
		return "exited with status 0, without a goodbye"
	}
	return fmt.Sprintf("exited with status %d", r.Code)
}
func (r Signal) Error() string {
	if r.Core {
		return fmt.Sprintf("signal: %v (core dumped)", r.Signal)
	}
	return fmt.Sprintf("signal: %v", r.Signal)
}
func (r Killed) Error() string    { return "killed: " + r.Detail }
func (r Protocol) Error() string  { return "broke the protocol: " + r.Detail }
func (NoSuchActor) Error() string { return "no such actor" }
func (r OutOfMemory) Error() string {
	if r.Peak == 0 {
		return fmt.Sprintf("out of memory: over its limit of %d bytes", r.Limit)
	}
	return fmt.Sprintf("out of memory: %d bytes, its limit is %d", r.Peak, r.Limit)
}
func (r Hung) Error() string {
	return fmt.Sprintf("hung: its %s took longer than %v", r.What, r.Timeout)
}
func (r Recycled) Error() string { return "recycled: " + r.Why }

// IsNormal is true.
func (Normal) IsNormal() bool { return true }

// IsNormal is true.
func (Shutdown) IsNormal() bool { return true }

// IsNormal is false.
func (Failed) IsNormal() bool { return false }

// IsNormal is false.
func (InitFailed) IsNormal() bool { return false }

// IsNormal is false.
func (BootFailed) IsNormal() bool { return false }

// IsNormal is false.
func (Panic) IsNormal() bool { return false }

// IsNormal is false.
func (ExitCode) IsNormal() bool { return false }

// IsNormal is false.
func (Signal) IsNormal() bool { return false }

// IsNormal is false.
func (Killed) IsNormal() bool { return false }

// IsNormal is false.
func (Protocol) IsNormal() bool { return false }

// IsNormal is false.
func (NoSuchActor) IsNormal() bool { return false }

// IsNormal is false.
func (OutOfMemory) IsNormal() bool { return false }

// IsNormal is false.
func (Hung) IsNormal() bool { return false }

// IsNormal is true.
func (Recycled) IsNormal() bool { return true }

// Unwrap returns Err.
func (r Failed) Unwrap() error { return r.Err }

// Unwrap returns the start function's error.
func (r InitFailed) Unwrap() error { return r.Err }

func (Normal) wire() wire.Reason { return wire.Reason{Cause: wire.Normal} }
func (r Shutdown) wire() wire.Reason {
	return wire.Reason{Cause: wire.Shutdown, Detail: r.Detail}
}
func (r Failed) wire() wire.Reason     { return withError(wire.Failed, r.Err) }
func (r InitFailed) wire() wire.Reason { return withError(wire.InitFailed, r.Err) }
func (r BootFailed) wire() wire.Reason { return wire.Reason{Cause: wire.BootFailed, Detail: r.Detail} }
func (r Panic) wire() wire.Reason {
	return wire.Reason{Cause: wire.Panic, Detail: r.Value, Stack: r.Stack}
}
func (r ExitCode) wire() wire.Reason { return wire.Reason{Cause: wire.ExitCode, Code: r.Code} }
func (r Signal) wire() wire.Reason {
	return wire.Reason{Cause: wire.Signal, Signal: int(r.Signal), Core: r.Core, Stack: r.Stack}
}
func (r Killed) wire() wire.Reason    { return wire.Reason{Cause: wire.Killed, Detail: r.Detail} }
func (r Protocol) wire() wire.Reason  { return wire.Reason{Cause: wire.Protocol, Detail: r.Detail} }
func (NoSuchActor) wire() wire.Reason { return wire.Reason{Cause: wire.NoSuchActor} }
func (r OutOfMemory) wire() wire.Reason {
	return wire.Reason{Cause: wire.OutOfMemory, Limit: r.Limit, Peak: r.Peak}
}
func (r Hung) wire() wire.Reason {
	return wire.Reason{Cause: wire.Hung, What: r.What, Timeout: r.Timeout, Stack: r.Stacks}
}
func (r Recycled) wire() wire.Reason { return wire.Reason{Cause: wire.Recycled, Detail: r.Why} }

func withError(cause wire.Cause, err error) wire.Reason {
	if err == nil {
		err = errors.New("no error given")
	}
	return wire.Reason{Cause: cause, Detail: err.Error(), Init: failureOf(err)}
}

// newReason is the other direction.
func newReason(r wire.Reason) Reason {
	switch r.Cause {
	case wire.Normal, wire.Ignored: // it chose not to run, and that is in order
		return Normal{}
	case wire.Shutdown:
		if r.Because != nil {
			return Shutdown{Detail: fmt.Sprintf("%s; the last end was: %v", r.Detail, newReason(*r.Because))}
		}
		return Shutdown{Detail: r.Detail}
	case wire.Failed:
		return Failed{Err: remote(r)}
	case wire.InitFailed:
		return InitFailed{Err: remote(r)}
	case wire.Panic:
		return Panic{Value: r.Detail, Stack: r.Stack}
	case wire.ExitCode:
		return ExitCode{Code: r.Code}
	case wire.Signal:
		return Signal{Signal: syscall.Signal(r.Signal), Core: r.Core, Stack: r.Stack}
	case wire.Killed:
		return Killed{Detail: r.Detail}
	case wire.Protocol:
		return Protocol{Detail: r.Detail}
	case wire.NoSuchActor:
		return NoSuchActor{}
	case wire.OutOfMemory:
		return OutOfMemory{Limit: r.Limit, Peak: r.Peak}
	case wire.Hung:
		return Hung{What: r.What, Timeout: r.Timeout, Stacks: r.Stack}
	case wire.Recycled:
		return Recycled{Why: r.Detail}
	}
	return BootFailed{Detail: r.Detail}
}

func remote(r wire.Reason) *RemoteError {
	if r.Init == nil {
		return &RemoteError{Text: r.Detail}
	}
	return &RemoteError{Text: r.Init.Text, Codes: r.Init.Codes}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
