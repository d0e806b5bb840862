package wire

import (
	"time"

	"github.com/progeny-go/progeny/codec"
)

// Init is the first frame that a process receives.
type Init struct {
	ID          codec.ID
	Type        string
	Name        string
	Arg         []byte
	Incarnation uint64
	FrameLimit  int
	AckMessages int // send an Ack when so many messages are finished, if it is wanted, or there is nothing else to do
	AckBytes    int // or so many bytes of them
	LogLevel    int // records below it are not wanted
	// Withdraw says that an Ask whose asker has given up before Ready is not to be begun.
	Withdraw bool
	// Recycle is after how many messages it is to end, for a fresh process; zero means never.
	Recycle uint64
}

// Goodbye says why a process ends of its own will. Its cause is Normal, Shutdown,
// Failed or, before Ready, Ignored.
type Goodbye struct {
	Reason Reason
}

// Credit gives back room in the window to one destination.
type Credit struct {
	Messages int
	Bytes    int
	Gone     bool // the destination has ended; it takes nothing any more
}

// Accepted is the payload of the Reply to a Tell that asked for one.
type Accepted struct {
	Reject bool // the destination refuses when full: ask for acknowledgement each time
}

// MonitorRequest starts or ends a monitor. IDs are chosen by the watcher, and are not
// used again by later incarnations of it.
type MonitorRequest struct {
	ID     uint64
	Target codec.ID
	Final  bool // only the end for good is of interest
}

// ExitRequest sends an exit signal (OTP's exit/2).
type ExitRequest struct {
	Target codec.ID
	Reason Reason
}

// Exited is an exit signal that its receiver gets as a message.
type Exited struct {
	From   codec.ID
	Reason Reason
}

// TimerRequest starts a timer, or with Cancel ends it. IDs are chosen like those of
// monitors. A timer with a Key takes the place of the one its actor has under that key.
type TimerRequest struct {
	ID      uint64
	Cancel  bool
	To      codec.ID
	After   time.Duration // until it is due for the first time
	Every   time.Duration // between the following times; zero: it is due once
	Key     string
	Durable bool // it survives its actor's process
	Type    string
	Payload []byte
	Routing uint64 // the Key of the message's envelope
}

// ChildRequest is about a child of a supervisor. Child is for node.start_child only,
// and ID for the others.
type ChildRequest struct {
	Under codec.ID
	Child *Child
	ID    codec.ID
}

// Record is one structured log record.
type Record struct {
	Time    time.Time
	Level   int
	Message string
	Attrs   []Attr
}

// Attr is one attribute of a [Record]. Its value is a nil, bool, int64, uint64,
// float64, string, []byte, time.Time, or, under Group, further attributes.
type Attr struct {
	Key   string
	Value any
	Group []Attr
}
