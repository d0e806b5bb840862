//go:build unix

package mailbox

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// A stress frame says who sent it, its number, and has a body that can be checked.
func stressFrame(sender, n int, rng *rand.Rand) []byte {
	size := rng.IntN(300)
	switch rng.IntN(50) {
	case 0:
		size = rng.IntN(3 * AdoptSize)
	case 1:
		size = rng.IntN(2 * smallSegment)
	}
	content := make([]byte, 8+size)
	binary.BigEndian.PutUint32(content, uint32(sender))
	binary.BigEndian.PutUint32(content[4:], uint32(n))
	for i := range content[8:] {
		content[8+i] = byte(sender + n + i)
	}
	return raw(content)
}

// arrivals checks what a stress test receives.
type arrivals struct{ of [][]int }

func (a *arrivals) add(content []byte) error {
	if len(content) < 8 {
		return fmt.Errorf("frame of %d bytes", len(content))
	}
	sender, n := int(binary.BigEndian.Uint32(content)), int(binary.BigEndian.Uint32(content[4:]))
	for i, b := range content[8:] {
		if b != byte(sender+n+i) {
			return fmt.Errorf("sender %d, frame %d: byte %d of %d is wrong", sender, n, i, len(content)-8)
		}
	}
	if sender >= len(a.of) {
		return fmt.Errorf("sender %d", sender)
	}
	a.of[sender] = append(a.of[sender], n)
	return nil
}

// TestStress has many senders, of every kind, some of which give up, against a reader
// of changing speed that releases now and then. What was accepted arrives once and in
// order for each sender; what was refused never arrives.
func TestStress(t *testing.T) {
	for _, procs := range []int{1, runtime.GOMAXPROCS(0)} {
		for _, retain := range []bool{false, true} {
			t.Run(fmt.Sprintf("procs=%d/retain=%t", procs, retain), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				stress(t, retain)
			})
		}
	}
}

func stress(t *testing.T, retain bool) {
	const senders, each = 8, 1500
	cfg := WriterConfig{Capacity: Capacity{Messages: 50, Bytes: 200_000}, Retain: retain}
	var finished atomic.Uint64
	if retain {
		cfg.Progress = finished.Load
	}
	w, r := link(t, cfg)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)

	sent := make([][]int, senders)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() { sent[s] = stressSender(t, w, s, each, rand.New(rand.NewPCG(seed, uint64(s)))) })
	}
	got := arrivals{of: make([][]int, senders)}
	var reading sync.WaitGroup
	reading.Go(func() { stressReader(t, w, r, &got, &finished, rand.New(rand.NewPCG(seed, 1000))) })
	sending.Wait()
	eventually(t, "queue empty", func() bool { return waiting(w) == 0 })
	if err := w.Flush(context.Background()); err != nil {
		t.Error(err)
	}
	w.Close()
	reading.Wait()
	for s := range senders {
		if a, b := fmt.Sprint(sent[s]), fmt.Sprint(got.of[s]); a != b {
			t.Errorf("sender %d: sent %d, got %d, or not in order", s, len(sent[s]), len(got.of[s]))
		}
	}
}

// stressSender returns the numbers of the frames that were taken. Sender 0 only pushes.
func stressSender(t *testing.T, w *Writer, s, each int, rng *rand.Rand) (sent []int) {
	var pending atomic.Int64 // enqueued, not yet admitted
	for n := range each {
		f := stressFrame(s, n, rng)
		var err error
		switch way := rng.IntN(20); {
		case s == 0:
			err = w.Push(f)
		case way == 0:
			err = w.TryPut(f)
		case way == 1 && pending.Load() < 10:
			pending.Add(1)
			err = w.Enqueue(f, func() { pending.Add(-1) })
		case way == 2:
			err = w.Force(f)
		case way < 6:
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(100))*time.Microsecond)
			err = w.Put(ctx, f)
			cancel()
		default:
			err = w.Put(context.Background(), f)
		}
		if err == nil {
			sent = append(sent, n)
		}
		if rng.IntN(100) == 0 {
			w.Depth()
			runtime.Gosched()
		}
	}
	eventually(t, "all admitted", func() bool { return pending.Load() == 0 })
	return sent
}

func stressReader(t *testing.T, w *Writer, r *Reader, got *arrivals, finished *atomic.Uint64, rng *rand.Rand) {
	counted := uint64(0)
	for {
		ready := r.Ready()
		if !ready && counted > 0 {
			finished.Store(counted)
			if err := w.Release(counted); err != nil {
				t.Errorf("Release: %v", err)
			}
		}
		f, err := r.Next()
		if err != nil {
			if err != io.EOF {
				t.Errorf("Next: %v", err)
			}
			return
		}
		if err := got.add(f.Bytes); err != nil {
			t.Error(err)
			return
		}
		if binary.BigEndian.Uint32(f.Bytes) != 0 {
			counted++
		}
		finished.Store(counted)
		if rng.IntN(2000) == 0 {
			time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
		}
	}
}

// Closing while all kinds of calls are under way neither hangs nor cuts what was flushed.
func TestStressClose(t *testing.T) {
	for i := range 100 {
		w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 20}})
		rng := rand.New(rand.NewPCG(uint64(i), 0))
		var all sync.WaitGroup
		for s := range 4 {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), uint64(s)))
				for n := 0; w.Put(context.Background(), stressFrame(s, n, rng)) == nil; n++ {
					if n%64 == 0 {
						w.Flush(context.Background())
					}
				}
			})
		}
		got := arrivals{of: make([][]int, 4)}
		all.Go(func() {
			for {
				f, err := r.Next()
				if err != nil {
					return
				}
				if err := got.add(f.Bytes); err != nil {
					t.Error(err)
				}
			}
		})
		time.Sleep(time.Duration(rng.IntN(1000)) * time.Microsecond)
		w.Close()
		if rng.IntN(2) == 0 {
			r.Close()
		}
		all.Wait()
		for s, numbers := range got.of {
			for i, n := range numbers {
				if n != i {
					t.Fatalf("sender %d: frame %d came in place %d", s, n, i)
				}
			}
		}
	}
}

// The same through another process and back.
func TestStressProcess(t *testing.T) {
	check(t)
	toR, toW := pipe(t)
	fromR, fromW := pipe(t)
	cmd := child(t, "echo", toR, fromW)
	startChild(t, cmd)
	w := NewWriter(toW, WriterConfig{Retain: true, Capacity: Capacity{Messages: 100}})
	defer w.Close()
	r := NewReader(fromR, codec.DefaultFrameLimit)
	defer r.Close()
	const n = 5000
	var sending sync.WaitGroup
	sending.Go(func() {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			mustPut(t, w, stressFrame(0, i, rng))
		}
	})
	got := arrivals{of: make([][]int, 1)}
	for i := range n {
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := got.add(f.Bytes); err != nil {
			t.Fatal(err)
		}
		if got.of[0][i] != i {
			t.Fatalf("frame %d came in place %d", got.of[0][i], i)
		}
		if err := w.Release(uint64(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	sending.Wait()
	w.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
