package main

import (
	"context"
	"errors"
	"time"
)

// One sender, one receiver; the clock stops when the receiver has answered how
// much it has seen.
var (
	tell64    = bench{name: "tell_64b", round: flood(64, 500_000)}
	tell1K    = bench{name: "tell_1k", round: flood(1<<10, 200_000)}
	payload1M = bench{name: "payload_1mib", round: flood(1<<20, 500)}
)

func flood(size, full int) func(context.Context, system, scale) ([]figure, error) {
	return func(ctx context.Context, sys system, how scale) (_ []figure, err error) {
		if sys.sink == nil {
			return nil, nil
		}
		s, err := sys.sink(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.close()) }()
		return rate(how.of(full), size, func(n int) (tally, error) { return s.flood(ctx, n, size) })
	}
}

// tellRelay is one process that floods another.
var tellRelay = bench{name: "tell_relay_64b", round: func(ctx context.Context, sys system, how scale) (_ []figure, err error) {
	if sys.relay == nil {
		return nil, nil
	}
	r, err := sys.relay(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return rate(how.of(200_000), 64, func(n int) (tally, error) { return r.relay(ctx, n) })
}}

// rate makes figures of a flood: how fast, and what was lost or spoilt.
func rate(n, size int, flood func(n int) (tally, error)) ([]figure, error) {
	if _, err := flood(max(n/10, 1)); err != nil { // to warm up
		return nil, err
	}
	start := time.Now()
	t, err := flood(n)
	if err != nil {
		return nil, err
	}
	speed := figure{metric: "rate", unit: "msgs/s", value: float64(t.Got) / time.Since(start).Seconds(), n: n}
	if size >= 1<<20 {
		speed.unit, speed.value = "MiB/s", speed.value*float64(size)/(1<<20)
	}
	return []figure{speed, {metric: "lost", unit: "msgs", value: float64(n - t.Got + t.Bad), n: n}}, nil
}
