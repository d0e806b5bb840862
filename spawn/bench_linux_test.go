package spawn

import (
	"io"
	"os"
	"sync"
	"testing"
)

// BenchmarkStart is from Start to Hello; what ends the process is not counted.
func BenchmarkStart(b *testing.B) {
	cmd := Command{Name: "echo", Env: setRole(os.Environ(), "echo")}
	b.ReportAllocs()
	for b.Loop() {
		p, err := Start(&cmd)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Hello(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		end(p)
		b.StartTimer()
	}
}

// BenchmarkBareStart is the same program started by package os, up to the first
// byte that its main writes: what Start can be compared with.
func BenchmarkBareStart(b *testing.B) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	b.ReportAllocs()
	for b.Loop() {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		p, err := os.StartProcess("/proc/self/exe", []string{"bare"}, &os.ProcAttr{
			Env:   append(setRole(os.Environ(), "bare"), "GOMAXPROCS=1"),
			Files: []*os.File{null, w, os.Stderr},
		})
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		p.Kill()
		p.Wait()
		r.Close()
		b.StartTimer()
	}
}

// BenchmarkStarts is BenchmarkStart by as many at once as there are spawner threads, the ends
// included.
func BenchmarkStarts(b *testing.B) {
	cmd := Command{Name: "echo", Env: setRole(os.Environ(), "echo")}
	const starters = 4
	b.ReportAllocs()
	for b.Loop() {
		var all sync.WaitGroup
		for range starters {
			all.Go(func() {
				p, err := Start(&cmd)
				if err != nil {
					b.Error(err)
					return
				}
				if err := p.Hello(b.Context()); err != nil {
					b.Error(err)
				}
				end(p)
			})
		}
		all.Wait()
	}
	b.ReportMetric(starters*float64(b.N)/b.Elapsed().Seconds(), "spawns/s")
}

// BenchmarkHello is what the handshake costs but for its system calls.
func BenchmarkHello(b *testing.B) {
	h := testHello()
	b.ReportAllocs()
	for b.Loop() {
		bytes := encodeHello(h)
		if got, err := decodeHello(bytes[2:]); err != nil || got != h {
			b.Fatalf("got %v, %v", got, err)
		}
	}
}
