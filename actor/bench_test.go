//go:build unix

package actor_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
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

func (s *sink) pid(*actor.Context, getpid) (int, error) { return os.Getpid(), nil }

func (s *sink) Seen(*actor.Context, Seen) (int, error) { return s.n, nil }

var sinker = actor.Define("sink", actor.Zero[sink], actor.On((*sink).Packet), actor.On((*sink).Blob), actor.On((*sink).Seen), actor.On((*sink).pid))

// Shoot has the shooter tell To so many packets.
type Shoot struct {
	To actor.Ref
	N  int
}

type shots struct{}

func (*shots) Shoot(c *actor.Context, m Shoot) error {
	for range m.N {
		if err := m.To.Tell(c, packet); err != nil {
			return err
		}
	}
	return nil
}

var shooter = actor.Define("shooter", actor.Zero[shots], actor.OnTell((*shots).Shoot))

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

// BenchmarkAskCrowd is goroutines each of which asks the same actor again and again.
func BenchmarkAskCrowd(b *testing.B) {
	for _, callers := range []int{4, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			ref := spawnSink(b, benchSystem(b))
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					for range (b.N + i) / callers { // b.N in all
						if _, err := actor.Ask[Packet](context.Background(), ref, packet); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
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

// BenchmarkAskCold is an Ask after a rest of 10 ms, which is not counted.
func BenchmarkAskCold(b *testing.B) {
	ref := spawnSink(b, benchSystem(b))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		time.Sleep(10 * time.Millisecond)
		b.StartTimer()
		if _, err := actor.Ask[Packet](b.Context(), ref, packet); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTell1KiB is BenchmarkTell with larger messages.
func BenchmarkTell1KiB(b *testing.B) {
	ref := spawnSink(b, benchSystem(b))
	blob := Blob{make([]byte, 1<<10)}
	b.SetBytes(1 << 10)
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		if err := ref.Tell(b.Context(), &blob); err != nil {
			b.Fatal(err)
		}
		sent++
	}
	seen, err := actor.Ask[int](b.Context(), ref, Seen{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(sent-seen), "lost")
}

// BenchmarkTellOther is an actor that tells another one, a thousand messages for each Ask; the allocations
// are the program's, which passes them on.
func BenchmarkTellOther(b *testing.B) {
	const burst = 1000
	sys := benchSystem(b)
	to := spawnSink(b, sys)
	from, err := sys.Spawn(b.Context(), shooter)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	start, sent, seen := time.Now(), 0, 0
	for b.Loop() {
		if _, err := actor.Ask[actor.None](b.Context(), from, Shoot{to, burst}); err != nil {
			b.Fatal(err)
		}
		sent += burst
		if seen, err = actor.Ask[int](b.Context(), to, Seen{}); err != nil {
			b.Fatal(err)
		}
	}
	for ; seen < sent && err == nil; seen, err = actor.Ask[int](b.Context(), to, Seen{}) {
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(seen)/time.Since(start).Seconds(), "msgs/s")
}

// BenchmarkRestart is from the SIGKILL of an actor's process to the first reply of the next.
func BenchmarkRestart(b *testing.B) {
	sys := benchSystem(b)
	spec := sinker.With(struct{}{})
	spec.Intensity, spec.Period = 1<<20, time.Second
	ref, err := sys.Spawn(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		m := sys.Monitor(ref)
		pid, err := actor.Ask[int](b.Context(), ref, getpid{})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		<-m.C // else the Ask may come before the death is noticed, and fail
		if _, err := actor.Ask[Packet](b.Context(), ref, packet); err != nil {
			b.Fatal(err)
		}
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
