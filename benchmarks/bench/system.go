package bench

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// A System is one way to have work done by somebody else. What it cannot do is
// nil and is not measured. A peer to compare with is a program with one or two of these.
type System struct {
	Name string

	Echo       func(context.Context) (Echoer, error)
	Sink       func(context.Context) (Sinker, error)
	SinkCustom func(context.Context) (Sinker, error) // with messages that encode themselves, or need not be encoded
	Relay      func(context.Context) (Relayer, error)
	Start      func(context.Context) (Process, error) // of an operating-system process

	StartStandby func(context.Context) (Process, error) // of one that was booted in advance

	Restart   func(context.Context) (Reviver, error)
	StartMany func(context.Context) (Crowd, error)

	Light bool         // its processes are so small that hundreds may be started
	Close func() error // what is to be done at the very end; nil for nothing
}

// An Echoer sends back what it gets.
type Echoer interface {
	// Pings makes round trips of 64 B one after the other, each after a pause,
	// until there are n or the time is up, and returns how long each took, without its pause.
	Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error)
	Close() error
}

// A Caller is an Echoer that many goroutines may use at once.
type Caller interface {
	Echoer
	Call(context.Context) error // one round trip of 64 B, the answer checked
}

// A Sinker counts and checks what it gets.
type Sinker interface {
	// Flood sends n messages of that size and returns when the receiver has
	// said what it has seen of them.
	Flood(ctx context.Context, n, size int) (Tally, error)
	Close() error
}

// A Relayer has one process flood another one with messages of 64 B.
type Relayer interface {
	Relay(ctx context.Context, n int) (Tally, error)
	Close() error
}

// A Process is one that is ready for work.
type Process interface {
	Pid() int
	Use(context.Context) error // a round trip
	Close() error              // ends it, if it is not dead, and returns when it is gone
}

// A Mortal is a Process whose death is told.
type Mortal interface {
	Process
	Watch() (notice func()) // to be called before its death; notice waits for word of it
}

// A Reviver is a Process that comes back.
type Reviver interface {
	Process
	// Revive is called after a SIGKILL and returns with the first answer of the next process.
	Revive(context.Context) error
}

// A Crowd is a set of actors in one program.
type Crowd interface {
	Add(context.Context) error            // starts one more; many goroutines do so at once
	Ask(ctx context.Context, i int) error // a round trip of 64 B with the i-th
	Close() error
}

// A Tally is what a receiver has seen.
type Tally struct {
	Got int // messages
	Bad int // of those, not what was sent, or sent before one that came already

	due uint64 // the sequence number that comes next
}

// Next checks one message: seq counts from 0. A gap shows in Got.
func (t *Tally) Next(seq uint64, intact bool) {
	t.Got++
	if seq < t.due || !intact {
		t.Bad++
	}
	t.due = max(t.due, seq+1)
}

// EachTimed is Pings for systems that have a call.
func EachTimed(ctx context.Context, n int, pause, limit time.Duration, call func(context.Context) error) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for begin := time.Now(); len(took) < n; {
		if pause > 0 {
			time.Sleep(pause)
		}
		start := time.Now()
		if err := call(ctx); err != nil {
			return nil, err
		}
		end := time.Now()
		took = append(took, end.Sub(start))
		if end.Sub(begin) > limit {
			break
		}
	}
	return took, nil
}

// Payload is what large messages are made of where they are passed on without being copied: a receiver that compares
// it with Pattern has to read both.
var Payload = sync.OnceValue(func() []byte { return bytes.Clone(Pattern()) })

// Pattern is what large messages consist of; both ends know it. Made when first needed: it
// would cost each start 3 ms, and each process a megabyte.
var Pattern = sync.OnceValue(func() []byte {
	p := make([]byte, 1<<20)
	x := uint32(1)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x)
	}
	return p
})
