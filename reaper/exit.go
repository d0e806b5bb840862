package reaper

import (
	"strconv"
	"syscall"
	"time"
)

// Exit tells how a process ended.
type Exit struct {
	Pid  int       // which process; the number may be in use again
	Time time.Time // when the end was noticed

	// Known is false if the status was taken by somebody else. Err then says
	// what came of asking for it, and the fields below Err are zero.
	Known bool
	Err   error

	Code   int            // exit status, 0 to 255; -1 if a signal ended the process
	Signal syscall.Signal // the signal that ended it; 0 if it exited
	Core   bool           // whether the kernel dumped core (or piped one to a handler)

	// What the process used, together with those of its own children for
	// which it had waited: CPU time in user and in kernel mode, and the
	// largest resident set in bytes.
	//
	// On Linux MaxRSS counts from the fork: it is not less than what the
	// starting program had resident then (getrusage(2), BUGS).
	User, System time.Duration
	MaxRSS       int64
}

// String says how the process ended, in the words of [os.ProcessState]:
// "exit status 3", "signal: killed", "signal: aborted (core dumped)", or
// "exit status unknown: waitid: no child processes".
func (e Exit) String() string {
	switch {
	case !e.Known && e.Err != nil:
		return "exit status unknown: " + e.Err.Error()
	case !e.Known:
		return "exit status unknown"
	case e.Signal == 0:
		return "exit status " + strconv.Itoa(e.Code)
	case e.Core:
		return "signal: " + e.Signal.String() + " (core dumped)"
	default:
		return "signal: " + e.Signal.String()
	}
}
