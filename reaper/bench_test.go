//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package reaper_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/progeny-go/progeny/reaper"
)

// BenchmarkKill measures from SIGKILL to the notice of the end, by the reaper
// and by a goroutine blocked in Wait, with so many other children alive that are
// waited for in the same way. The start of the victims is not counted.
func BenchmarkKill(b *testing.B) {
	ways := []struct {
		name string
		wait func(p *os.Process, notify func()) error
	}{
		{"reaper", func(p *os.Process, notify func()) error {
			return reaper.Watch(p, func(reaper.Exit) { notify() })
		}},
		{"wait", func(p *os.Process, notify func()) error {
			go func() {
				p.Wait()
				notify()
			}()
			return nil
		}},
	}
	for _, others := range []int{0, 500} {
		for _, way := range ways {
			b.Run(fmt.Sprintf("%s/others=%d", way.name, others), func(b *testing.B) {
				benchmarkKill(b, others, way.wait)
			})
		}
	}
}

func benchmarkKill(b *testing.B, others int, wait func(*os.Process, func()) error) {
	crowd := startCrowd(b, others, 0)
	told := make(chan struct{}, others)
	for _, p := range crowd.processes {
		if err := wait(p, func() { told <- struct{}{} }); err != nil {
			b.Fatal(err)
		}
	}
	var latencies []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p, release := startOne(b, 0)
		noticed := make(chan time.Time, 1)
		if err := wait(p, func() { noticed <- time.Now() }); err != nil {
			b.Fatal(err)
		}
		killed := time.Now()
		b.StartTimer()
		p.Kill()
		latencies = append(latencies, (<-noticed).Sub(killed))
		b.StopTimer()
		release()
		b.StartTimer()
	}
	crowd.release()
	for range others {
		<-told
	}
	slices.Sort(latencies)
	b.ReportMetric(float64(latencies[len(latencies)/2]), "p50-ns")
	b.ReportMetric(float64(latencies[len(latencies)*99/100]), "p99-ns")
}

// BenchmarkCrowd is a hundred ends at once: from the moment in which the children may exit to the last
// notice. Their start is not counted.
func BenchmarkCrowd(b *testing.B) {
	const n = 100
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		crowd := startCrowd(b, n, 0)
		told := make(chan reaper.Exit, n)
		for _, p := range crowd.processes {
			if err := reaper.Watch(p, func(e reaper.Exit) { told <- e }); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		crowd.release()
		for range n {
			<-told
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "exits/s")
}
