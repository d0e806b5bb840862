package bench

import (
	"context"
	"errors"
	"slices"
	"time"
)

// idlePSS is the memory and the threads of a process among 20 that have worked and
// rest. They are alone of their kind: memory that all share counts for each in part.
var idlePSS = Bench{Name: "idle_pss", Slow: true, Can: canStart, Round: func(ctx context.Context, sys System, scale Scale) ([]Figure, error) {
	return idle(ctx, sys, scale, of(scale, 20, 20, 2), func(pids []int) ([]Figure, error) {
		pids = pids[1:] // without the host
		var sizes []float64
		most := 0
		for _, pid := range pids {
			size, err := pss(pid)
			if err != nil {
				return nil, err
			}
			n, err := threads(pid)
			if err != nil {
				return nil, err
			}
			sizes, most = append(sizes, size), max(most, n)
		}
		slices.Sort(sizes)
		return []Figure{
			{Metric: "PSS", Unit: "MB", Value: sizes[len(sizes)/2], P99: slices.Max(sizes), N: len(pids)},
			{Metric: "threads, most", Unit: "threads", Value: float64(most), N: len(pids)},
		}, nil
	})
}}

// idleCPU is the processor time of 500 such processes (100 in a quick run) and their host together. The kernel
// counts it in ticks of 10 ms; the wake-ups show what is too short for that.
var idleCPU = Bench{Name: "idle_cpu", Slow: true, Can: canStartMany, Round: func(ctx context.Context, sys System, scale Scale) ([]Figure, error) {
	n := of(scale, 500, 100, 2)
	return idle(ctx, sys, scale, n, func(pids []int) ([]Figure, error) {
		before, err := activity(pids)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		time.Sleep(of(scale, 10*time.Second, 2*time.Second, time.Millisecond))
		seconds := time.Since(start).Seconds()
		after, err := activity(pids)
		if err != nil {
			return nil, err
		}
		return []Figure{
			{Metric: "CPU", Unit: "ms/s", Value: float64((after.cpu - before.cpu).Milliseconds()) / seconds, N: n},
			{Metric: "wake-ups", Unit: "/s", Value: float64(after.wakeups-before.wakeups) / seconds, N: n},
			{Metric: "actors", Unit: "actors", Value: float64(n), N: n},
		}, nil
	})
}}

// idle looks at the host of n processes and at these, at rest.
func idle(ctx context.Context, sys System, scale Scale, n int, look func(pids []int) ([]Figure, error)) (_ []Figure, err error) {
	h, err := startHost(ctx, sys.Name, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	time.Sleep(of(scale, 5*time.Second, time.Second, time.Millisecond))
	return look(h.pids)
}
