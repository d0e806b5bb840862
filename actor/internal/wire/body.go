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
	AckMessages int // send an Ack at the latest after so many finished messages
	AckBytes    int // or so many bytes of them
	LogLevel    int // records below it are not wanted
}

// Goodbye says why a process ends.
type Goodbye struct {
	Asked bool // a Stop came first: Shutdown, otherwise Normal
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

// MonitorRequest starts or ends a monitor. IDs are chosen by the watcher.
type MonitorRequest struct {
	ID     uint64
	Target codec.ID
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
