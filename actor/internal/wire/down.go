package wire

import (
	"time"

	"github.com/progeny-go/progeny/codec"
)

// Cause is the kind of an exit reason.
type Cause string

// The causes. The order is that of the table in docs/design.md.
const (
	Normal      Cause = "normal"
	Shutdown    Cause = "shutdown"
	InitFailed  Cause = "init failed"
	BootFailed  Cause = "boot failed"
	Panic       Cause = "panic"
	ExitCode    Cause = "exit code"
	Signal      Cause = "signal"
	Killed      Cause = "killed"
	Protocol    Cause = "protocol"
	Failed      Cause = "failed"        // it ended itself with an error
	Ignored     Cause = "ignored"       // its start function chose not to run
	NoSuchActor Cause = "no such actor" // a monitor's answer for one that is no more
	OutOfMemory Cause = "out of memory" // it went over its memory limit
	Hung        Cause = "hung"          // a handler or the heartbeat overran its time
	Recycled    Cause = "recycled"      // it was replaced in order, as its Spec says
)

// Reason says why an actor's process ended.
type Reason struct {
	Cause  Cause
	Detail string // panic value, boot or protocol detail
	Stack  string
	Code   int
	Signal int
	Core   bool
	Init   *Failure // the error of InitFailed and Failed
	// Because is the last straw of a supervisor that has given up.
	Because *Reason

	Limit, Peak int64         // of OutOfMemory, in bytes
	Timeout     time.Duration // of Hung
	What        string        // of Hung: "handler" or "heartbeat"
}

// Note is what is remembered of one message: enough to find it in a log.
type Note struct {
	Seq  uint64
	Type string
	From codec.ID
}

// Down is the flight recorder of one process: why it ended, and what it did last.
type Down struct {
	Monitor     uint64
	Restarting  bool     // there will be another incarnation
	Via         codec.ID // whose end it shared, by a link; zero if it was its own
	ID          codec.ID
	Type        string
	Name        string
	Incarnation uint64
	Pid         int
	Started     time.Time
	Uptime      time.Duration
	UserTime    time.Duration
	SystemTime  time.Duration
	MaxRSS      int64
	Reason      Reason
	InProgress  *Note  // the message it died on, if any
	Recent      []Note // those before it, oldest first
	NotBegun    int    // messages it had accepted and never begun
	Truncated   int    // bytes of a frame that it did not finish writing
	Log         []string
}
