//go:build unix

package actor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// BenchmarkGuarded compares an Ask of an actor that is looked after with one of an actor that is not, in turns
// of a hundred, so that both have the same machine: the ratio of their medians.
func BenchmarkGuarded(b *testing.B) {
	for _, test := range []struct {
		name string
		set  func(*actor.Spec)
	}{
		{"nothing", func(*actor.Spec) {}}, // the noise
		{"HandlerTimeout", func(s *actor.Spec) { s.HandlerTimeout = time.Second }},
		{"Heartbeat", func(s *actor.Spec) { s.Heartbeat = time.Second }},
		{"Memory", func(s *actor.Spec) { s.Limits = actor.Limits{Memory: 256 << 20, BestEffort: true} }},
		{"Recycle", func(s *actor.Spec) { s.Recycle = actor.Recycle{After: time.Hour, Messages: 1 << 40, Memory: 1 << 40} }},
	} {
		b.Run(test.name, func(b *testing.B) {
			sys, err := actor.NewSystem(actor.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer sys.Close(b.Context())
			guarded := hanger.With(actor.None{})
			test.set(&guarded)
			refs := []actor.Ref{svSpawn(b, sys, hanger.With(actor.None{})), svSpawn(b, sys, guarded)}
			var times [2][]time.Duration
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				which := n / 100 % 2
				n++
				begun := time.Now()
				if _, err := actor.Ask[int](b.Context(), refs[which], Reply{n}); err != nil {
					b.Fatal(err)
				}
				times[which] = append(times[which], time.Since(begun))
			}
			if len(times[1]) == 0 {
				return
			}
			slices.Sort(times[0])
			slices.Sort(times[1])
			plain, with := times[0][len(times[0])/2], times[1][len(times[1])/2]
			b.ReportMetric(float64(with)/float64(plain), "ratio")
			b.ReportMetric(float64(plain.Nanoseconds()), "plain-p50-ns")
		})
	}
}

// BenchmarkSpawnLimited compares the start and the end of a process that has a control group, or limits of its own,
// with one that has none.
func BenchmarkSpawnLimited(b *testing.B) {
	for _, test := range []struct {
		name string
		l    actor.Limits
	}{
		{"Memory", actor.Limits{Memory: 256 << 20, BestEffort: true}},
		{"OpenFiles", actor.Limits{OpenFiles: 100, BestEffort: true}},
	} {
		b.Run(test.name, func(b *testing.B) {
			sys, err := actor.NewSystem(actor.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer sys.Close(b.Context())
			specs := []actor.Spec{hanger.With(actor.None{}), hanger.With(actor.None{})}
			specs[1].Limits = test.l
			var starts, ends [2][]time.Duration
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				which := n % 2
				n++
				begun := time.Now()
				ref := svSpawn(b, sys, specs[which])
				started := time.Now()
				if err := ref.Kill(b.Context()); err != nil {
					b.Fatal(err)
				}
				starts[which] = append(starts[which], started.Sub(begun))
				ends[which] = append(ends[which], time.Since(started))
			}
			if n < 2 {
				return
			}
			for name, times := range map[string][2][]time.Duration{"spawn": starts, "kill": ends} {
				slices.Sort(times[0])
				slices.Sort(times[1])
				plain, with := times[0][len(times[0])/2], times[1][len(times[1])/2]
				b.ReportMetric(float64(with)/float64(plain), name+"-ratio")
				b.ReportMetric(float64(plain.Microseconds()), name+"-plain-µs")
			}
		})
	}
}
