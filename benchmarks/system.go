package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A system is one way to have work done in another process. What it cannot do is
// nil and is not measured. A peer to compare with is a file with one of these, and an
// entry in [systems].
type system struct {
	name string

	echo  func(context.Context) (echoer, error)
	sink  func(context.Context) (sinker, error)
	relay func(context.Context) (relayer, error)
	start func(context.Context) (process, error)
}

// systems returns all there are, progeny first: it is what the others are compared
// with.
func systems() (all []system, closeAll func() error, err error) {
	progeny, closeProgeny, err := newProgeny()
	if err != nil {
		return nil, nil, err
	}
	c, closeC := newC()
	all = []system{progeny, barePipes, bareBuffered, bareReexec}
	if c != nil {
		all = append(all, *c)
	}
	return all, func() error { return errors.Join(closeProgeny(), closeC()) }, nil
}

// An echoer is a process that sends back what it gets.
type echoer interface {
	// pings makes n round trips of 64 B one after the other, each after a pause, and
	// returns how long each took, without its pause.
	pings(ctx context.Context, n int, pause time.Duration) ([]time.Duration, error)
	close() error
}

// A caller is an echoer that many goroutines may use at once.
type caller interface {
	echoer
	call(context.Context) error // one round trip of 64 B, the answer checked
}

// A sinker is a process that counts and checks what it gets.
type sinker interface {
	// flood sends n messages of that size and returns when the other process has
	// said what it has seen of them.
	flood(ctx context.Context, n, size int) (tally, error)
	close() error
}

// A relayer has one process flood another one with messages of 64 B.
type relayer interface {
	relay(ctx context.Context, n int) (tally, error)
	close() error
}

// A process is one that is ready for work.
type process interface {
	pid() int
	use(context.Context) error // a round trip
	watch() (notice func())    // to be called before its death; notice waits for word of it
	close() error              // ends it, if it is not dead, and returns when it is gone
}

// A tally is what a receiver has seen.
type tally struct {
	Got int // messages
	Bad int // of those, not what was sent, or sent before one that came already

	due uint64 // the sequence number that comes next
}

// next checks one message: seq counts from 0. A gap shows in Got.
func (t *tally) next(seq uint64, intact bool) {
	t.Got++
	if seq < t.due || !intact {
		t.Bad++
	}
	t.due = max(t.due, seq+1)
}

// eachTimed is pings for systems that have a call.
func eachTimed(ctx context.Context, c caller, n int, pause time.Duration) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	for i := range took {
		if pause > 0 {
			time.Sleep(pause)
		}
		start := time.Now()
		if err := c.call(ctx); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	return took, nil
}

// pattern is what large messages consist of; both ends know it. Made when first needed: it
// would cost each start 3 ms, and each process a megabyte.
var pattern = sync.OnceValue(func() []byte {
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
