package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// manyActors is 3,000 actors at once in one program (300 in a quick run: the figure
// "actors" says so).
var manyActors = Bench{Name: "many_actors", Slow: true, Can: func(s System) bool { return s.StartMany != nil }, Round: func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
	n := of(scale, 3000, 300, 3)
	c, err := sys.StartMany(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	start := time.Now()
	if err := each(n, func(int) error { return c.Add(ctx) }); err != nil {
		return nil, err
	}
	all := time.Since(start)
	took := make([]time.Duration, of(scale, 1000, 200, 3))
	for i := range took {
		at := rand.IntN(n)
		start := time.Now()
		if err := c.Ask(ctx, at); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	rss, err := rss(os.Getpid())
	if err != nil {
		return nil, err
	}
	threads, err := threads(os.Getpid())
	if err != nil {
		return nil, err
	}
	return []Figure{
		{Metric: "start all", Unit: "s", Value: all.Seconds(), N: n},
		{Metric: "node RSS", Unit: "MB", Value: rss, N: 1},
		{Metric: "node threads", Unit: "threads", Value: float64(threads), N: 1},
		durations("Ask p50", took),
		{Metric: "actors", Unit: "actors", Value: float64(n), N: n},
	}, nil
}}

// startAll starts n processes. Those that it returns have to be closed in any case.
func startAll(n int, start func() (Process, error)) ([]Process, error) {
	var mu sync.Mutex
	all := make([]Process, 0, n) // mu protects it
	err := each(n, func(int) error {
		p, err := start()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, p)
		return nil
	})
	return all, err
}

func closeAll(all []Process) error {
	return each(len(all), func(i int) error { return all[i].Close() })
}

// each calls do with 0 to n-1, twice as many at a time as there are processors, until one fails.
func each(n int, do func(i int) error) error {
	var next atomic.Int64
	errs := make([]error, 2*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n && errs[w] == nil; i = int(next.Add(1) - 1) {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
