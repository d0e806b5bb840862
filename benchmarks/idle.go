package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

// idlePSS is the memory and the threads of a process among 20 that have worked and
// rest. They are alone of their kind: memory that all share counts for each in part.
var idlePSS = bench{name: "idle_pss", slow: true, round: idle(20, func(pids []int, _ scale) ([]figure, error) {
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
	return []figure{
		{metric: "PSS", unit: "MB", value: median(sizes), p99: slices.Max(sizes), n: len(pids)},
		{metric: "threads, most", unit: "threads", value: float64(most), n: len(pids)},
	}, nil
})}

// idleCPU is the processor time of 100 such processes and their host together. The kernel
// counts it in ticks of 10 ms; the wake-ups show what is too short for that.
var idleCPU = bench{name: "idle_cpu", slow: true, round: idle(100, func(pids []int, how scale) ([]figure, error) {
	before, err := activity(pids)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	time.Sleep(time.Duration(how.of(10_000)) * time.Millisecond)
	seconds := time.Since(start).Seconds()
	after, err := activity(pids)
	if err != nil {
		return nil, err
	}
	return []figure{
		{metric: "CPU", unit: "ms/s", value: float64((after.cpu - before.cpu).Milliseconds()) / seconds, n: len(pids)},
		{metric: "wake-ups", unit: "/s", value: float64(after.wakeups-before.wakeups) / seconds, n: len(pids)},
	}, nil
})}

// idle makes a round that looks at the host of n processes and at these, at rest.
func idle(n int, look func(pids []int, how scale) ([]figure, error)) func(context.Context, system, scale) ([]figure, error) {
	return func(ctx context.Context, sys system, how scale) (_ []figure, err error) {
		if sys.start == nil {
			return nil, nil
		}
		h, err := startHost(ctx, sys.name, min(n, how.of(50*n))) // a quick run has all of them, the test one
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, h.close()) }()
		time.Sleep(time.Duration(how.of(5000)) * time.Millisecond)
		return look(h.pids, how)
	}
}
