package bench

import (
	"context"
	"errors"
	"sync"
	"time"
)

var (
	// ask64 is a round trip of 64 B, one at a time, one right after the other.
	ask64 = Bench{Name: "ask_64b", Can: canEcho, Round: ping(0)}
	// askCold is the same with 10 ms between: nobody expects the message any more.
	askCold = Bench{Name: "ask_64b_cold", Can: canEcho, Round: ping(10 * time.Millisecond)}
)

func canEcho(s System) bool { return s.Echo != nil }

func ping(pause time.Duration) func(context.Context, System, Scale) ([]Figure, error) {
	return func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
		e, err := sys.Echo(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, e.Close()) }()
		n, limit := of(scale, 50_000, 10_000, 20), scale.budget()
		if pause > 0 {
			n = of(scale, 100, 25, 2)
			limit = time.Minute // n is the bound
		}
		if _, err := e.Pings(ctx, max(n/10, 1), 0, limit/4); err != nil { // to warm up
			return nil, err
		}
		took, err := e.Pings(ctx, n, pause, limit)
		if err != nil {
			return nil, err
		}
		return []Figure{durations("p50", took)}, nil
	}
}

// callers is how many ask at once in ask64Callers.
const callers = 64

// ask64Callers is 64 goroutines that ask the same actor.
var ask64Callers = Bench{Name: "ask_64b_64callers", Can: canEcho, Round: func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
	e, err := sys.Echo(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	c, ok := e.(Caller)
	if !ok {
		return nil, nil
	}
	if _, _, err := crowd(ctx, c, scale.budget()/4); err != nil {
		return nil, err
	}
	n, took, err := crowd(ctx, c, scale.budget())
	return []Figure{{Metric: "rate", Unit: "calls/s", Value: float64(n) / took.Seconds(), N: n}}, err
}}

// crowd has all callers call until the time is up, and returns how many calls
// were made in what time. What is in progress when it is up still counts in both.
func crowd(ctx context.Context, c Caller, limit time.Duration) (n int, took time.Duration, err error) {
	counts, errs := make([]int, callers), make([]error, callers)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range callers {
		wg.Go(func() {
			made := 0
			for errs[i] == nil && (made%16 != 0 || time.Since(start) < limit) {
				errs[i] = c.Call(ctx)
				made++
			}
			counts[i] = made
		})
	}
	wg.Wait()
	took = time.Since(start)
	for _, made := range counts {
		n += made
	}
	return n, took, errors.Join(errs...)
}
