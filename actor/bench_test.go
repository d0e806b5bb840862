//go:build unix

package actor_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// benchSystem is a System that says nothing.
func benchSystem(b *testing.B) *actor.System {
	b.Helper()
	sys, err := actor.NewSystem(actor.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { sys.Close(context.Background()) })
	return sys
}

// Packet is a message whose encoding has about 64 bytes.
type Packet struct {
	ID   int64
	At   int64
	Name string
	Data [16]byte
}

var packet = Packet{ID: 1 << 40, At: 1 << 60, Name: "sixteen letters!", Data: [16]byte{1, 2, 3}}

// sink counts packets and echoes them.
type sink struct{ n int }

func (s *sink) Packet(_ *actor.Context, m Packet) (Packet, error) {
	s.n++
	return m, nil
}

func (s *sink) Blob(_ *actor.Context, m Blob) (int, error) {
	s.n++
	return len(m.Data), nil
}

func (s *sink) Seen(*actor.Context, Seen) (int, error) { return s.n, nil }

var sinker = actor.Define("sink", actor.Zero[sink], actor.On((*sink).Packet), actor.On((*sink).Blob), actor.On((*sink).Seen))

func spawnSink(b *testing.B, sys *actor.System) actor.Ref {
	b.Helper()
	ref, err := sys.Spawn(b.Context(), sinker)
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

// BenchmarkAsk is one Ask at a time, there and back.
func BenchmarkAsk(b *testing.B) {
	ref := spawnSink(b, benchSystem(b))
	b.ReportAllocs()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := actor.Ask[Packet](b.Context(), ref, packet); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
}

// BenchmarkAsk64Callers is 64 goroutines that ask one actor.
func BenchmarkAsk64Callers(b *testing.B) {
	ref := spawnSink(b, benchSystem(b))
	var wg sync.WaitGroup
	work := make(chan struct{}, 64)
	for range 64 {
		wg.Go(func() {
			for range work {
				if _, err := actor.Ask[Packet](b.Context(), ref, packet); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
}

// BenchmarkTell is one sender; the clock stops when the actor has seen all.
func BenchmarkTell(b *testing.B) {
	ref := spawnSink(b, benchSystem(b))
	b.ReportAllocs()
	sent := 0
	start := time.Now()
	for b.Loop() {
		if err := ref.Tell(b.Context(), packet); err != nil {
			b.Fatal(err)
		}
		sent++
	}
	seen, err := actor.Ask[int](b.Context(), ref, Seen{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(seen)/time.Since(start).Seconds(), "msgs/s")
	b.ReportMetric(float64(sent-seen), "lost")
}

// BenchmarkTell1MiB is the same with large messages.
func BenchmarkTell1MiB(b *testing.B) {
	ref := spawnSink(b, benchSystem(b))
	blob := Blob{make([]byte, 1<<20)}
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if err := ref.Tell(b.Context(), blob); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := actor.Ask[int](b.Context(), ref, Seen{}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSpawn is start to Ready; the stop is not counted.
func BenchmarkSpawn(b *testing.B) {
	sys := benchSystem(b)
	b.ReportAllocs()
	for b.Loop() {
		ref := spawnSink(b, sys)
		b.StopTimer()
		if err := ref.Kill(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
