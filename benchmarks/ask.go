package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

var (
	// ask64 is a round trip of 64 B, one at a time, one right after the other.
	ask64 = bench{name: "ask_64b", round: ping(20_000, 0)}
	// askCold is the same with 2 ms between: nobody expects the message any more.
	askCold = bench{name: "ask_64b_cold", round: ping(500, 2*time.Millisecond)}
)

func ping(full int, pause time.Duration) func(context.Context, system, scale) ([]figure, error) {
	return func(ctx context.Context, sys system, how scale) (_ []figure, err error) {
		if sys.echo == nil {
			return nil, nil
		}
		e, err := sys.echo(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, e.close()) }()
		n := how.of(full)
		took, err := e.pings(ctx, n+n/10, pause)
		if err != nil {
			return nil, err
		}
		return []figure{durations("p50", took[n/10:])}, nil // the first are for warming up
	}
}

// ask64Callers is 64 goroutines that ask the same process.
var ask64Callers = bench{name: "ask_64b_64callers", round: func(ctx context.Context, sys system, how scale) (_ []figure, err error) {
	if sys.echo == nil {
		return nil, nil
	}
	e, err := sys.echo(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	c, ok := e.(caller)
	if !ok {
		return nil, nil
	}
	const callers = 64
	each := how.of(2000)
	if _, err := crowd(ctx, c, callers, each/10); err != nil {
		return nil, err
	}
	took, err := crowd(ctx, c, callers, each)
	n := callers * each
	return []figure{{metric: "rate", unit: "calls/s", value: float64(n) / took.Seconds(), n: n}}, err
}}

// crowd has callers make so many calls each.
func crowd(ctx context.Context, c caller, callers, each int) (time.Duration, error) {
	errs := make([]error, callers)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range callers {
		wg.Go(func() {
			for j := 0; j < each && errs[i] == nil; j++ {
				errs[i] = c.call(ctx)
			}
		})
	}
	wg.Wait()
	return time.Since(start), errors.Join(errs...)
}
