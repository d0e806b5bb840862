package scene

import (
	"context"
	"time"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// burst sends much at once to another process.
func burst(ctx context.Context, sys System) error {
	const n, size = 500, 1 << 20
	sink, err := sys.Second(ctx)
	if err != nil {
		return err
	}
	t, err := newTally()
	if err != nil {
		return err
	}
	if err := sink.Tell(ctx, Message{Do: note, Gate: t.address()}); err != nil {
		return err
	}
	if _, err := askUntil(ctx, sink); err != nil { // they are connected now
		return err
	}
	say(fault.Facts{Ready: true, Sent: n})
	arrived := make(chan int, 1)
	go func() { arrived <- t.count(n) }()
	data := make([]byte, size)
	for range n {
		// Whether it says that this message is lost makes no difference here.
		_ = sink.Tell(ctx, Message{Data: data})
	}
	say(fault.Facts{Arrived: <-arrived})
	return nil
}

// order sends many messages and then asks, again and again.
func order(ctx context.Context, sys System) error {
	const rounds, tells = 200, 100
	sink, err := sys.Second(ctx)
	if err != nil {
		return err
	}
	if _, err := askUntil(ctx, sink); err != nil {
		return err
	}
	say(fault.Facts{Ready: true, Rounds: rounds})
	inOrder := 0
	for round := range rounds {
		for range tells {
			if err := sink.Tell(ctx, Message{}); err != nil {
				return err
			}
		}
		r, err := ask(ctx, sink)
		want := (round + 1) * tells
		if err == nil && r.Seen == want {
			inOrder++
		} else if !arrive(ctx, sink, want) {
			break // what is lost comes no more, and nothing is in order then
		}
	}
	say(fault.Facts{InOrder: inOrder})
	return nil
}

// arrive reports whether so many messages arrive in the end.
func arrive(ctx context.Context, a Actor, want int) bool {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(10 * time.Millisecond) {
		if r, err := ask(ctx, a); err == nil && r.Seen >= want {
			return true
		}
	}
	return false
}
