//go:build unix

package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// heldAre checks the numbers of the frames that Held yields.
func heldAre(tb testing.TB, w *Writer, want ...int) {
	tb.Helper()
	got := []int{}
	for frame := range w.Held {
		got = append(got, number(content(frame)))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		tb.Errorf("held are %v, want %v", got, want)
	}
}

// odd keeps the frames with odd numbers.
func odd(frame []byte) bool { return number(content(frame))%2 == 1 }

func TestFilter(t *testing.T) {
	for _, size := range []int{9, 100, smallSegment + 1, AdoptSize} {
		for name, c := range map[string]struct {
			keep func([]byte) bool
			left []int
		}{
			"all":      {func([]byte) bool { return true }, []int{1, 2, 3, 4, 5, 6, 7}},
			"none":     {func([]byte) bool { return false }, nil},
			"odd":      {odd, []int{1, 3, 5, 7}},
			"even":     {func(f []byte) bool { return !odd(f) }, []int{2, 4, 6}},
			"first":    {func(f []byte) bool { return number(content(f)) == 1 }, []int{1}},
			"last":     {func(f []byte) bool { return number(content(f)) == 7 }, []int{7}},
			"not that": {func(f []byte) bool { return number(content(f)) != 4 }, []int{1, 2, 3, 5, 6, 7}},
		} {
			w := lasting(t, Capacity{})
			attach(t, w, nil)
			for n := range 7 {
				mustPut(t, w, numbered(n+1, size+n))
			}
			w.Detach(0, 0)
			seen, bytes := []int{}, 0
			if got := w.Filter(func(f []byte) bool {
				seen = append(seen, number(content(f)))
				keep := c.keep(f)
				if keep {
					bytes += len(f)
				}
				return keep
			}); got != 7-len(c.left) {
				t.Errorf("%s of %d bytes: dropped %d, want %d", name, size, got, 7-len(c.left))
			}
			if fmt.Sprint(seen) != "[1 2 3 4 5 6 7]" {
				t.Errorf("%s of %d bytes: looked at %v", name, size, seen)
			}
			if n, b := w.Depth(); n != len(c.left) || b != bytes || w.Unwritten() != bytes {
				t.Errorf("%s of %d bytes: holds %d of %d, %d unwritten; want %d of %d", name, size, n, b, w.Unwritten(), len(c.left), bytes)
			}
			heldAre(t, w, c.left...)
			mustPut(t, w, numbered(8, size))
			r := attach(t, w, numbered(100, 9))
			nextAre(t, r, append(append([]int{100}, c.left...), 8)...)
			if err := w.Release(uint64(len(c.left) + 1)); err != nil { // they are counted from 1
				t.Error(err)
			}
			remain(t, w)
		}
	}
}

// What Filter gives up goes to those who wait, in turn, and no more than that.
func TestFilterAdmits(t *testing.T) {
	w := lasting(t, Capacity{Messages: 3})
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9))
	first := background(t, w, context.Background(), numbered(4, 9))
	admitted := 0
	if err := w.Enqueue(numbered(6, 9), func() {
		admitted++
		if err := w.Push(frame(9)); err != ErrDetached {
			t.Errorf("Push in admitted: got %v, want ErrDetached", err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	last := background(t, w, context.Background(), numbered(8, 9))
	if got := w.Filter(odd); got != 1 || admitted != 0 || waiting(w) != 2 {
		t.Errorf("dropped %d, called %d, %d wait; want 1, 0, 2", got, admitted, waiting(w))
	}
	if err := within(t, "Put", first); err != nil {
		t.Error(err)
	}
	heldAre(t, w, 1, 3, 4, 6, 8)
	if got := w.Filter(odd); got != 1 || admitted != 1 || waiting(w) != 1 { // 6 waited: it is not looked at
		t.Errorf("dropped %d, called %d, %d wait; want 1, 1, 1", got, admitted, waiting(w))
	}
	if got := w.Filter(odd); got != 1 || waiting(w) != 0 {
		t.Errorf("dropped %d, %d wait; want 1, 0", got, waiting(w))
	}
	if err := within(t, "Put", last); err != nil {
		t.Error(err)
	}
	nextAre(t, attach(t, w, nil), 1, 3, 8)
}

// Sending goes on while Filter and Held call back, and what comes meanwhile is not theirs.
func TestFilterWhileSending(t *testing.T) {
	w := lasting(t, Capacity{Messages: 100})
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9))
	n := 3
	send := func() {
		n++
		mustPut(t, w, numbered(n, 2000))
		w.Depth()
		if err := w.Release(1); !errors.Is(err, ErrProgress) {
			t.Errorf("Release: got %v, want ErrProgress", err)
		}
	}
	if got := w.Filter(func([]byte) bool { send(); return false }); got != 3 {
		t.Errorf("dropped %d, want 3", got)
	}
	heldAre(t, w, 4, 5, 6)
	yielded := 0
	for range w.Held {
		send()
		yielded++
	}
	if yielded != 3 {
		t.Errorf("yielded %d, want 3", yielded)
	}
	if got := w.Filter(func(f []byte) bool { send(); return odd(f) }); got != 3 {
		t.Errorf("dropped %d, want 3", got)
	}
	nextAre(t, attach(t, w, nil), 5, 7, 9, 10, 11, 12, 13, 14, 15)
}

// With a reader, and after Close, there is nothing to look at.
func TestFilterNothing(t *testing.T) {
	w := lasting(t, Capacity{Messages: 1})
	never := func(f []byte) bool { t.Errorf("called with %x", f); return false }
	nothing := func() {
		t.Helper()
		if got := w.Filter(never); got != 0 {
			t.Errorf("dropped %d", got)
		}
		w.Held(never)
	}
	nothing()
	r := attach(t, w, nil)
	mustPut(t, w, numbered(1, 9))
	if err := w.Enqueue(numbered(2, 9), nil); err != nil {
		t.Fatal(err)
	}
	nothing()
	nextAre(t, r, 1)
	r.Close()
	_ = w.Push(frame(9)) // broken is not detached
	nothing()
	w.Detach(1, 1)
	heldAre(t, w, 2)
	w.Close()
	nothing()
	remain(t, w, 2)
	nothing()
}

// A panic leaves all as it was.
func TestFilterPanics(t *testing.T) {
	w := lasting(t, Capacity{})
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		w.Filter(func(f []byte) bool {
			if number(content(f)) == 3 {
				panic("3")
			}
			return false
		})
	}()
	if got := w.Filter(odd); got != 1 {
		t.Errorf("dropped %d, want 1", got)
	}
	nextAre(t, attach(t, w, nil), 1, 3)
}

// The suspect that was returned is the first to be looked at.
func TestFilterReturned(t *testing.T) {
	w := lasting(t, Capacity{Messages: 2})
	r := attach(t, w, nil)
	mustPut(t, w, numbered(1, 9), numbered(2, 9))
	nextAre(t, r, 1, 2)
	h := w.Detach(1, 0)
	mustPut(t, w, numbered(3, 9))
	if err := w.Return(h); err != nil {
		t.Fatal(err)
	}
	heldAre(t, w, 1, 2, 3)
	if got := w.Filter(func(f []byte) bool { return number(content(f)) != 1 }); got != 1 {
		t.Errorf("dropped %d, want 1", got)
	}
	nextAre(t, attach(t, w, nil), 2, 3)
}

// Those who wait are seen too, whoever they are, and the view is of one moment.
func TestHeld(t *testing.T) {
	w := lasting(t, Capacity{Messages: 2})
	mustPut(t, w, numbered(1, 9), numbered(2, AdoptSize))
	first := background(t, w, context.Background(), numbered(3, 9))
	if err := w.Enqueue(numbered(4, AdoptSize), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Force(numbered(5, 9)); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	mine := numbered(6, 1000)
	put := background(t, w, ctx, mine)
	heldAre(t, w, 1, 2, 3, 4, 5, 6)
	n := 0
	for range w.Held {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("yielded %d, want 3", n)
	}
	got := []int{}
	for frame := range w.Held {
		if len(got) == 0 { // now it is ours again
			giveUp()
			if err := within(t, "Put", put); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want Canceled", err)
			}
			clear(mine)
		}
		got = append(got, number(content(frame)))
	}
	if fmt.Sprint(got) != "[1 2 3 4 5 6]" {
		t.Errorf("got %v, want the frames of before", got)
	}
	heldAre(t, w, 1, 2, 3, 4, 5)
	if w.Filter(func([]byte) bool { return false }) != 2 {
		t.Error("not 2 dropped")
	}
	if err := within(t, "Put", first); err != nil {
		t.Error(err)
	}
	nextAre(t, attach(t, w, nil), 3, 4, 5)
}

// What Filter gives back others may write to; what is left must not lie there.
func TestFilterMemory(t *testing.T) {
	w := lasting(t, Capacity{})
	rng := rand.New(rand.NewPCG(3, 4))
	var want [][]byte
	for n := range 500 {
		f := stressFrame(1, n, rng)
		if n%3 == 0 {
			want = append(want, bytes.Clone(f))
		}
		mustPut(t, w, f)
	}
	n := -1
	if got := w.Filter(func([]byte) bool { n++; return n%3 == 0 }); got != 500-len(want) {
		t.Errorf("dropped %d, want %d", got, 500-len(want))
	}
	others := lasting(t, Capacity{})
	for range 200 {
		mustPut(t, others, frame(9+rng.IntN(2*smallSegment)))
	}
	for frame := range w.Held {
		if len(want) == 0 || !bytes.Equal(frame, want[0]) {
			t.Fatalf("frame of %d bytes is another", len(frame))
		}
		want = want[1:]
	}
}

// All that takes turns at once, with senders of every kind, neither hangs nor loses a frame.
func TestStressFilter(t *testing.T) {
	check(t)
	const senders, each = 4, 500
	w := NewWriter(nil, WriterConfig{Retain: true, Capacity: Capacity{Messages: 20}})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	sent := make([][]int, senders)
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(s)))
			for n := range each {
				f, err := stressFrame(s, n, rng), error(nil)
				switch rng.IntN(4) {
				case 0:
					err = w.TryPut(f)
				case 1:
					err = w.Force(f)
				default:
					err = w.Put(context.Background(), f)
				}
				if err == nil {
					sent[s] = append(sent[s], n)
				} else if err != ErrFull {
					t.Error(err)
				}
			}
		})
	}
	over := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			runtime.Gosched()
			seen := arrivals{of: make([][]int, senders)}
			for frame := range w.Held {
				if err := seen.add(content(frame)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	got := arrivals{of: make([][]int, senders)}
	rng := rand.New(rand.NewPCG(seed, 1000))
	filter := func(odds int) int {
		return w.Filter(func(frame []byte) bool {
			if rng.IntN(odds) > 0 {
				return true
			}
			if err := got.add(content(frame)); err != nil {
				t.Error(err)
			}
			return false
		})
	}
	finished := make(chan struct{})
	go func() { sending.Wait(); close(finished) }()
	for alive := true; alive; {
		select {
		case <-finished:
			alive = false
		default:
			filter(1 + rng.IntN(3))
			runtime.Gosched()
		}
	}
	for filter(1) > 0 {
	}
	close(over)
	others.Wait()
	w.Close()
	if left := w.Abandon(); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
	for s := range senders {
		slices.Sort(got.of[s])
		if !slices.Equal(sent[s], got.of[s]) {
			t.Errorf("sender %d: sent %d, taken out %d, or not the same", s, len(sent[s]), len(got.of[s]))
		}
	}
}

// BenchmarkFilter takes one of so many frames out.
func BenchmarkFilter(b *testing.B) {
	for _, n := range []int{1, 100, DefaultMessages} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			w := NewWriter(nil, WriterConfig{Retain: true, Capacity: Capacity{Messages: n}})
			defer w.Close()
			for range n {
				mustPut(b, w, frame(1000))
			}
			b.ReportAllocs()
			for b.Loop() {
				i := 0
				w.Filter(func([]byte) bool { i++; return i > 1 })
				mustPut(b, w, frame(1000))
			}
		})
	}
}
