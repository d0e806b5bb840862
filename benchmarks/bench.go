package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// benches are all there are, in the order of the table.
var benches = []bench{
	ask64, askCold, ask64Callers,
	tell64, tellRelay, tell1K, payload1M,
	spawnCold, idlePSS, idleCPU, deathNotice,
}

// A bench measures one thing.
type bench struct {
	name string
	// round measures it once on a system, in processes of its own: where the
	// kernel happens to place a pair of them changes the figures more than anything
	// else, and lasts. It returns no figures if the system cannot do this.
	round func(context.Context, system, scale) ([]figure, error)
	// slow benches get a quarter of the rounds.
	slow bool
}

// A figure is what one round has found out of one metric.
type figure struct {
	metric, unit string
	value        float64
	p99          float64 // 0 where it has no meaning
	n            int     // observations
}

// A scale says how much work to do.
type scale struct{ rounds, divisor int }

func (s scale) of(n int) int { return max(n/s.divisor, 1) }

// measure runs the rounds of a bench, the systems in turns.
func (b bench) measure(ctx context.Context, all []system, how scale) ([]row, error) {
	bySystem := make([][]row, len(all))
	rounds := how.rounds
	if b.slow {
		rounds = max(rounds/4, 1)
	}
	for range rounds {
		for i, sys := range all {
			figures, err := b.round(ctx, sys, how)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sys.name, err)
			}
			if bySystem[i] == nil {
				bySystem[i] = make([]row, len(figures))
			}
			for j, f := range figures {
				bySystem[i][j].add(b.name, sys.name, f)
			}
		}
	}
	return slices.Concat(bySystem...), nil
}

// durations makes a figure of single times.
func durations(metric string, took []time.Duration) figure {
	slices.Sort(took)
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	return figure{metric, "µs", micros(took[len(took)/2]), micros(took[len(took)*99/100]), len(took)}
}
