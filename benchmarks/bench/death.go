package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// deathNotice is from SIGKILL to the word of it, while 2,000 processes are alive (200 in a quick
// run: the figure "actors" says so).
var deathNotice = Bench{Name: "death_notice_2000", Can: canStartMany, Round: func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
	n := of(scale, 2000, 200, 2)
	all, err := startAll(n, func() (Process, error) { return sys.Start(ctx) })
	defer func() { err = errors.Join(err, closeAll(all)) }()
	if err != nil {
		return nil, err
	}
	took := make([]time.Duration, of(scale, 150, 40, 1))
	for i := range took {
		at := rand.IntN(n)
		victim, ok := all[at].(Mortal)
		if !ok {
			return nil, errors.New("nobody is told of its death")
		}
		if err := victim.Use(ctx); err != nil { // so that it is at rest
			return nil, err
		}
		notice := victim.Watch()
		start := time.Now()
		if err := kill(victim.Pid()); err != nil {
			return nil, err
		}
		notice()
		took[i] = time.Since(start)
		if err := victim.Close(); err != nil {
			return nil, err
		}
		if all[at], err = sys.Start(ctx); err != nil { // so that there are n again
			return nil, err
		}
	}
	return []Figure{durations("p50", took), {Metric: "actors", Unit: "actors", Value: float64(n), N: n}}, nil
}}

func canStartMany(s System) bool { return s.Start != nil && s.Light }
