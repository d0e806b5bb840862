//go:build linux || darwin

package mailbox

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// ringLink is a Writer and a Reader with a ring. What is said of room they say to themselves.
func ringLink(t *testing.T) (*Writer, *Reader) {
	t.Helper()
	page, file, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	t.Cleanup(func() { page.Close() })
	pr, pw := pipe(t)
	w := NewWriter(pw, WriterConfig{Ring: page.Inbox()})
	r := NewReader(pr, codec.DefaultFrameLimit)
	r.UseRing(page.Inbox(), w)
	return w, r
}

// Frames of all sizes, from many senders at once, are read once and in order, also when
// both sides have just gone to sleep, and while others poll.
func TestRingStress(t *testing.T) {
	check(t)
	w, r := ringLink(t)

	const senders, rounds = 8, 3000
	var got atomic.Int64
	next := make([]uint64, senders)
	ended := make(chan error, 1)
	go func() {
		ended <- r.Serve(func(f Frame) error {
			s, n := f.Bytes[0], binary.LittleEndian.Uint64(f.Bytes[1:])
			if next[s] != n {
				t.Errorf("sender %d: frame %d instead of %d", s, n, next[s])
			}
			next[s] = n + 1
			got.Add(1)
			return nil
		})
	}()
	stop := make(chan struct{})
	var poller sync.WaitGroup
	poller.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				last := got.Load()
				r.Poll(func() bool { return got.Load() != last })
			}
		}
	})
	rng := rand.New(rand.NewPCG(1, 1))
	sent := make([]uint64, senders)
	total := int64(0)
	for round := range rounds {
		var wg sync.WaitGroup
		for s := range senders {
			burst := rng.IntN(8)
			total += int64(burst)
			wg.Go(func() {
				for range burst {
					size := 9 + int(sent[s]%100)
					if (sent[s]*31+uint64(s))%997 == 0 {
						size = 300_000
					}
					content := make([]byte, size)
					content[0] = byte(s)
					binary.LittleEndian.PutUint64(content[1:], sent[s])
					sent[s]++
					if err := w.Put(context.Background(), raw(content)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		for deadline := time.Now().Add(patience); got.Load() < total; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: %d of %d frames; the reader is at %d of %d, asked for a bell: %d",
					round, got.Load(), total, r.ring.head.Load(), r.ring.tail.Load(), r.ring.asleep.Load())
			}
		}
	}
	if !w.sink.ringing || !r.ringing {
		t.Error("the ring was not used")
	}
	close(stop)
	poller.Wait()
	w.Close()
	within(t, "Serve's end", ended)
	r.Close()
}

// Both rings are full at once, and each side's word that there is room still gets through.
func TestBothRingsFull(t *testing.T) {
	check(t)
	page, file, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	defer page.Close()
	there, tw := pipe(t)
	back, bw := pipe(t)
	const frames = 300
	var writers [2]*Writer
	var readers [2]*Reader
	writers[0] = NewWriter(tw, WriterConfig{Ring: page.Inbox(), ControlBytes: 1 << 30})
	writers[1] = NewWriter(bw, WriterConfig{Ring: page.Outbox(), ControlBytes: 1 << 30})
	readers[0] = NewReader(there, codec.DefaultFrameLimit)
	readers[1] = NewReader(back, codec.DefaultFrameLimit)
	readers[0].UseRing(page.Inbox(), writers[1])
	readers[1].UseRing(page.Outbox(), writers[0])
	for _, w := range writers {
		for n := range frames {
			if err := w.Push(numbered(n, 10<<10)); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := make(chan int, 2)
	ended := make(chan error, 2)
	for _, r := range readers {
		n := 0
		go func() {
			ended <- r.Serve(func(f Frame) error {
				if number(f.Bytes) != n {
					t.Errorf("frame %d instead of %d", number(f.Bytes), n)
				}
				if n++; n == frames {
					all <- n
				}
				return nil
			})
		}()
	}
	within(t, "all frames of one side", all)
	within(t, "all frames of the other", all)
	for i := range 2 {
		writers[i].Close()
		within(t, "Serve's end", ended)
	}
	for _, r := range readers {
		r.Close()
	}
}
