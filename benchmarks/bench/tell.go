package bench

import (
	"context"
	"errors"
	"time"
)

// One sender, one receiver; the clock stops when the receiver has answered how
// much it has seen.
var (
	tell64       = Bench{Name: "tell_64b", Can: canSink, Round: flood(64, System.sink)}
	tell64Custom = Bench{Name: "tell_64b_custom", Can: canSinkCustom, Round: flood(64, System.sinkCustom)}
	tell1K       = Bench{Name: "tell_1k", Can: canSink, Round: flood(1<<10, System.sink)}
	payload1M    = Bench{Name: "payload_1mib", Can: canSink, Round: flood(1<<20, System.sink)}

	// tellRelay is one process that floods another.
	tellRelay = Bench{Name: "tell_relay_64b", Can: func(s System) bool { return s.Relay != nil }, Round: relay}
)

func canSink(s System) bool       { return s.Sink != nil }
func canSinkCustom(s System) bool { return s.SinkCustom != nil }

func (s System) sink(ctx context.Context) (Sinker, error)       { return s.Sink(ctx) }
func (s System) sinkCustom(ctx context.Context) (Sinker, error) { return s.SinkCustom(ctx) }

func flood(size int, sink func(System, context.Context) (Sinker, error)) func(context.Context, System, Scale) ([]Figure, error) {
	return func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
		s, err := sink(sys, ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return rate(scale, size, func(n int) (Tally, error) { return s.Flood(ctx, n, size) })
	}
}

func relay(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
	r, err := sys.Relay(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return rate(scale, 64, func(n int) (Tally, error) { return r.Relay(ctx, n) })
}

// rate makes figures of floods: how fast, and what was lost or spoilt. A small one warms up, and says how many
// messages fill the time.
func rate(scale Scale, size int, flood func(n int) (Tally, error)) ([]Figure, error) {
	small := of(scale, 64<<20, 16<<20, 4<<20) / (size + 1<<10)
	if _, err := flood(max(small/4, 1)); err != nil {
		return nil, err
	}
	_, took, err := timed(small, flood)
	if err != nil {
		return nil, err
	}
	n := max(small, int(float64(small)*scale.budget().Seconds()/took.Seconds()))
	n = min(n, 16<<30/size) // what a sender without bounds might pile up
	t, took, err := timed(n, flood)
	if err != nil {
		return nil, err
	}
	perSecond := float64(t.Got) / took.Seconds()
	figures := []Figure{{Metric: "rate", Unit: "msgs/s", Value: perSecond, N: n}}
	switch {
	case size >= 1<<20:
		figures = []Figure{{Metric: "throughput", Unit: "MiB/s", Value: perSecond * float64(size) / (1 << 20), N: n}}
	case size >= 1<<10:
		figures = append(figures, Figure{Metric: "throughput", Unit: "MB/s", Value: perSecond * float64(size) / 1e6, N: n})
	}
	return append(figures, Figure{Metric: "lost", Unit: "msgs", Value: float64(n - t.Got + t.Bad), N: n}), nil
}

func timed(n int, flood func(n int) (Tally, error)) (Tally, time.Duration, error) {
	start := time.Now()
	t, err := flood(n)
	return t, time.Since(start), err
}
