package main

import (
	"context"
	"time"
)

// spawnCold is from the request to a process that is ready.
var spawnCold = bench{name: "spawn_cold", round: lives(200, func(ctx context.Context, sys system) (time.Duration, error) {
	start := time.Now()
	p, err := sys.start(ctx)
	if err != nil {
		return 0, err
	}
	took := time.Since(start)
	return took, p.close()
})}

// lives makes a round of n processes, one after the other, with one time of each.
func lives(n int, life func(context.Context, system) (time.Duration, error)) func(context.Context, system, scale) ([]figure, error) {
	return func(ctx context.Context, sys system, how scale) ([]figure, error) {
		if sys.start == nil {
			return nil, nil
		}
		took := make([]time.Duration, how.of(n))
		for i := range took {
			var err error
			if took[i], err = life(ctx, sys); err != nil {
				return nil, err
			}
		}
		return []figure{durations("p50", took)}, nil
	}
}
