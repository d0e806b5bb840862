package node

import (
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// An Event says what has become of an actor or a supervisor. Its receivers share it.
type Event struct {
	Time        time.Time
	Kind        EventKind
	ID          codec.ID
	Type, Name  string
	Incarnation uint64
	Pid         int           // 0 where there is no process
	Down        *wire.Down    // of Exited
	Reason      *wire.Reason  // of Exited and GaveUp
	In          time.Duration // of Restarting: after how long
}

// EventKind says what an Event is about.
type EventKind uint8

// The values of EventKind.
const (
	Started    EventKind = 1 + iota // it has a process
	Ready                           // its start function has returned; a supervisor: its children are ready
	Exited                          // its process has ended; a supervisor: it has, with all under it
	Restarting                      // it will have another process, now or after a backoff
	GaveUp                          // it had one end too many within its period, and is not restarted
)

// A DeadLetter is a message that was accepted for an actor and will not be handled, or not
// to its end. Its receivers share it.
type DeadLetter struct {
	Time     time.Time
	From, To codec.ID
	Type     string
	Payload  []byte
	Reason   *wire.Failure
	Suspect  bool // its handler was running when the process ended
	Attempts int  // how many processes have begun it
}
