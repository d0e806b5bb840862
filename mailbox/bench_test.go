//go:build unix

package mailbox

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/codec"
)

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{100, 1024} {
		for _, retain := range []bool{false, true} {
			for _, senders := range []int{1, 4} {
				b.Run(fmt.Sprintf("size=%d/retain=%t/senders=%d/to=goroutine", size, retain, senders), func(b *testing.B) {
					benchPutGoroutine(b, size, senders, retain)
				})
			}
		}
		for _, senders := range []int{1, 4} {
			b.Run(fmt.Sprintf("size=%d/senders=%d/to=process", size, senders), func(b *testing.B) {
				benchPutProcess(b, size, senders)
			})
		}
	}
}

// benchPutGoroutine sends to a goroutine that reads, and releases in batches.
func benchPutGoroutine(b *testing.B, size, senders int, retain bool) {
	pr, pw := pipe(b)
	w := NewWriter(pw, WriterConfig{Retain: retain})
	r := NewReader(pr, codec.DefaultFrameLimit)
	var reading sync.WaitGroup
	count := uint64(0)
	reading.Go(func() {
		for {
			if _, err := r.Next(); err != nil {
				return
			}
			count++
			if retain && !r.Ready() {
				if err := w.Release(count); err != nil {
					b.Error(err)
				}
			}
		}
	})
	sent := putAll(b, w, size, senders)
	w.Close()
	reading.Wait()
	if count != uint64(sent) {
		b.Errorf("got %d of %d frames", count, sent)
	}
	r.Close()
}

func benchPutProcess(b *testing.B, size, senders int) {
	pr, pw := pipe(b)
	cmd := child(b, "count", pr)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	startChild(b, cmd)
	w := NewWriter(pw, WriterConfig{})
	sent := putAll(b, w, size, senders)
	w.Close()
	got := firstLine(b, out)
	if want := fmt.Sprint(sent, sent*(size-5), " EOF"); got != want {
		b.Errorf("child counted %q, want %q", got, want)
	}
	cmd.Wait()
}

// putAll sends b.N frames by so many senders and flushes.
func putAll(b *testing.B, w *Writer, size, senders int) int {
	ctx := context.Background()
	b.ReportAllocs()
	b.SetBytes(int64(size))
	n := 0
	if senders == 1 {
		f := frame(size)
		for b.Loop() {
			if err := w.Put(ctx, f); err != nil {
				b.Fatal(err)
			}
			n++
		}
	} else {
		// b.Loop counts for one goroutine: each turn of it sends a batch from all.
		const batch = 1000
		var all sync.WaitGroup
		for b.Loop() {
			for range senders {
				all.Go(func() {
					f := frame(size)
					for range batch / senders {
						if err := w.Put(ctx, f); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			n += batch
		}
	}
	if err := w.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mmsgs/s")
	return n
}

// BenchmarkLonePut is a Put to an idle Writer, with nobody waiting in read: one write(2).
func BenchmarkLonePut(b *testing.B) {
	pr, pw := pipe(b)
	w := NewWriter(pw, WriterConfig{})
	defer w.Close()
	r := NewReader(pr, codec.DefaultFrameLimit)
	defer r.Close()
	f := frame(100)
	ctx := context.Background()
	b.ReportAllocs()
	var took time.Duration
	for b.Loop() {
		w.streak = 0
		t := time.Now()
		if err := w.Put(ctx, f); err != nil {
			b.Fatal(err)
		}
		took += time.Since(t)
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/put")
}

// BenchmarkBareWrite is what BenchmarkLonePut is to be compared with.
func BenchmarkBareWrite(b *testing.B) {
	pr, pw := pipe(b)
	f := frame(100)
	buf := make([]byte, bufferSize)
	b.ReportAllocs()
	var took time.Duration
	for b.Loop() {
		t := time.Now()
		if _, err := pw.Write(f); err != nil {
			b.Fatal(err)
		}
		took += time.Since(t)
		if _, err := pr.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/put")
}

func BenchmarkRoundTrip(b *testing.B) {
	b.Run("mailbox", func(b *testing.B) {
		in, out := echo(b)
		w := NewWriter(in, WriterConfig{})
		defer w.Close()
		r := NewReader(out, codec.DefaultFrameLimit)
		defer r.Close()
		f := frame(64)
		b.ReportAllocs()
		for b.Loop() {
			if err := w.Push(f); err != nil {
				b.Fatal(err)
			}
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		in, out := echo(b)
		f := frame(64)
		buf := make([]byte, bufferSize)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := in.Write(f); err != nil {
				b.Fatal(err)
			}
			if _, err := out.Read(buf); err != nil {
				b.Fatal(err)
			}
		}
		in.Close()
	})
}

// echo starts a process that sends back what it gets.
func echo(b *testing.B) (in, out *os.File) {
	toR, toW := pipe(b)
	fromR, fromW := pipe(b)
	cmd := child(b, "echo", toR, fromW)
	startChild(b, cmd)
	b.Cleanup(func() { toW.Close(); cmd.Wait() })
	return toW, fromR
}

// BenchmarkLarge is one-way throughput of large frames to another process.
func BenchmarkLarge(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { benchPutProcess(b, size, 1) })
	}
}

// BenchmarkRing is a stream through shared memory, to a goroutine that serves.
func BenchmarkRing(b *testing.B) {
	for _, size := range []int{100, 1024, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			page, file, err := NewPage()
			if err != nil {
				b.Skipf("this platform has no page: %v", err)
			}
			file.Close()
			defer page.Close()
			pr, pw := pipe(b)
			w := NewWriter(pw, WriterConfig{Ring: page.Inbox()})
			r := NewReader(pr, codec.DefaultFrameLimit)
			r.UseRing(page.Inbox(), w) // what is said of room it says to itself
			count := 0
			var reading sync.WaitGroup
			reading.Go(func() { r.Serve(func(Frame) error { count++; return nil }) })
			sent := 0
			b.ReportAllocs()
			b.SetBytes(int64(size))
			f := frame(size)
			for b.Loop() {
				if size >= AdoptSize { // the Writer keeps it
					f = frame(size)
				}
				if err := w.Put(b.Context(), f); err != nil {
					b.Fatal(err)
				}
				sent++
			}
			if err := w.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
			w.Close()
			reading.Wait()
			r.Close()
			if count != sent {
				b.Errorf("got %d of %d frames", count, sent)
			}
		})
	}
}
