//go:build unix

package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

// lasting is a Writer without a reader.
func lasting(tb testing.TB, c Capacity) *Writer {
	tb.Helper()
	check(tb)
	w := NewWriter(nil, WriterConfig{Retain: true, Capacity: c})
	tb.Cleanup(func() { w.Close() })
	return w
}

// attach gives w a reader.
func attach(tb testing.TB, w *Writer, first []byte) *Reader {
	tb.Helper()
	pr, pw := pipe(tb)
	if _, err := w.Attach(pw, first, nil, nil); err != nil {
		tb.Fatal("Attach:", err)
	}
	r := NewReader(pr, codec.DefaultFrameLimit)
	tb.Cleanup(func() { r.Close() })
	return r
}

// suspected checks the number of the suspect; 0 means none.
func suspected(tb testing.TB, suspect *Held, want int) {
	tb.Helper()
	got := 0
	if suspect != nil {
		got = number(suspect.Frame[5:])
	}
	if got != want {
		tb.Fatalf("the suspect is number %d, want %d", got, want)
	}
}

// remain closes w and checks the numbers of the frames that Abandon gives.
func remain(tb testing.TB, w *Writer, want ...int) {
	tb.Helper()
	w.Close()
	got := []int{}
	for _, h := range w.Abandon() {
		got = append(got, number(h.Frame[5:]))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		tb.Errorf("left are %v, want %v", got, want)
	}
}

func TestDetachedTakesFrames(t *testing.T) {
	w := lasting(t, Capacity{Messages: 3})
	called := false
	mustPut(t, w, numbered(1, 9))
	if err := w.Enqueue(numbered(2, 9), func() { called = true }); err != nil || !called {
		t.Errorf("Enqueue: got %v, called %t", err, called)
	}
	if err := w.TryPut(numbered(3, 9)); err != nil {
		t.Errorf("frame 3 of 3: %v", err)
	}
	if err := w.TryPut(numbered(4, 9)); err != ErrFull {
		t.Errorf("frame 4 of 3: got %v, want ErrFull", err)
	}
	if err := w.Force(numbered(4, 9)); err != nil {
		t.Error(err)
	}
	put := background(t, w, context.Background(), numbered(5, 9))
	ctx, cancel := context.WithCancel(context.Background())
	gaveUp := background(t, w, ctx, numbered(100, 9))
	if err := w.Force(numbered(6, 9)); err != nil { // behind 5
		t.Error(err)
	}
	cancel()
	if err := within(t, "Put", gaveUp); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	for name, err := range map[string]error{"Push": w.Push(numbered(101, 9)), "Flush": w.Flush(context.Background())} {
		if err != ErrDetached {
			t.Errorf("%s: got %v, want ErrDetached", name, err)
		}
	}
	if err := w.Put(context.Background(), nil); err != errEmpty {
		t.Errorf("got %v, want errEmpty", err)
	}
	if n, bytes := w.Depth(); n != 4 || bytes != 36 {
		t.Errorf("Depth: got %d, %d, want 4, 36", n, bytes)
	}
	if err := w.Release(1); !errors.Is(err, ErrProgress) {
		t.Errorf("Release(1): got %v, want ErrProgress", err)
	}
	r := attach(t, w, numbered(200, 9))
	nextAre(t, r, 200, 1, 2, 3, 4)
	if err := w.Release(2); err != nil {
		t.Fatal(err)
	}
	if err := w.Release(3); err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 5, 6)
	if err := within(t, "Put", put); err != nil {
		t.Error(err)
	}
	if err := w.Push(numbered(7, 9)); err != nil {
		t.Error(err)
	}
	nextAre(t, r, 7)
}

func TestDetachedCapacityBytes(t *testing.T) {
	for _, c := range []struct {
		held int
		want error
	}{{99, nil}, {100, ErrFull}, {101, ErrFull}} {
		w := lasting(t, Capacity{Bytes: 100})
		mustPut(t, w, frame(c.held))
		if err := w.TryPut(frame(AdoptSize)); err != c.want {
			t.Errorf("a frame over %d of 100 bytes: got %v, want %v", c.held, err, c.want)
		}
	}
}

// What the dead reader says decides, but only where it can be true. Of six frames it was
// given four, and it had told of the first by Release.
func TestDetachCounts(t *testing.T) {
	const most = math.MaxUint64
	for _, c := range []struct {
		begun, finished uint64
		suspect         int
		left            []int
	}{
		{1, 1, 0, []int{2, 3, 4, 5, 6}},
		{2, 1, 2, []int{3, 4, 5, 6}},
		{2, 2, 0, []int{3, 4, 5, 6}},
		{3, 2, 3, []int{4, 5, 6}},
		{4, 3, 4, []int{5, 6}},
		{4, 4, 0, []int{5, 6}},
		{0, 0, 0, []int{2, 3, 4, 5, 6}}, // less than Release was told
		{1, 0, 0, []int{2, 3, 4, 5, 6}},
		{4, 0, 2, []int{3, 4, 5, 6}}, // begun too far ahead
		{most, 2, 3, []int{4, 5, 6}},
		{1, 3, 0, []int{4, 5, 6}}, // finished what was not begun
		{5, 4, 0, []int{5, 6}},    // begun what was not written
		{6, 5, 0, []int{5, 6}},
		{most, most, 0, []int{5, 6}},
		{0, most, 0, []int{5, 6}},
		{most, most - 1, 0, []int{5, 6}},
	} {
		w := lasting(t, Capacity{})
		attach(t, w, nil)
		mustPut(t, w, numbered(1, 9), numbered(2, 1500), numbered(3, 1000), numbered(4, 9))
		if err := w.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := w.Release(1); err != nil {
			t.Fatal(err)
		}
		stuff(t, w)
		mustPut(t, w, numbered(5, AdoptSize), numbered(6, 9))
		suspected(t, w.Detach(c.begun, c.finished), c.suspect)
		suspected(t, w.Detach(c.begun, c.finished), 0) // again: nothing
		if err := w.Release(1); !errors.Is(err, ErrProgress) {
			t.Errorf("Release for a reader to come: got %v, want ErrProgress", err)
		}
		remain(t, w, c.left...)
	}
}

// A frame that is partly in the pipe cannot have been begun, and is written again from its start.
func TestDetachWithinFrame(t *testing.T) {
	w := lasting(t, Capacity{})
	r := attach(t, w, nil)
	big := numbered(2, 1<<20)
	for i := range big[9:] {
		big[9+i] = byte(i * i / 251)
	}
	want := bytes.Clone(big)
	mustPut(t, w, numbered(1, 9), big, numbered(3, 9))
	nextAre(t, r, 1)
	suspected(t, w.Detach(2, 1), 0)
	r = attach(t, w, nil)
	f, err := r.Next()
	if err != nil || !bytes.Equal(f.Bytes, want[5:]) {
		t.Fatalf("got %d bytes, %v; want the frame", len(f.Bytes), err)
	}
	nextAre(t, r, 3)
	suspected(t, w.Detach(2, 1), 3) // numbers began anew: 2 is 1 now
	remain(t, w)
}

// Control frames are for the reader they were meant for.
func TestDetachDropsControl(t *testing.T) {
	w := lasting(t, Capacity{})
	r := attach(t, w, numbered(100, 9))
	mustPut(t, w, numbered(1, 9))
	nextAre(t, r, 100, 1)
	stuff(t, w)
	for i := range 20 {
		mustPut(t, w, numbered(2+i, 9))
		if err := w.Push(numbered(101, 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	suspected(t, w.Detach(1, 1), 0)
	if w.stream.control != 0 || w.unwritten.Load() != 20*9 {
		t.Errorf("%d bytes of control, %d unwritten, want 0, 180", w.stream.control, w.unwritten.Load())
	}
	r = attach(t, w, append(numbered(200, AdoptSize), numbered(201, 9)...))
	nextAre(t, r, 200, 201)
	for i := range 20 {
		nextAre(t, r, 2+i)
	}
	eventually(t, "all written", func() bool { return w.unwritten.Load() == 0 })
	if w.mu.Lock(); w.stream.control != 0 {
		t.Errorf("%d bytes of control are left", w.stream.control)
	}
	w.mu.Unlock()
}

// Those who wait get the room of what was finished and of the suspect, no more, and in turn.
func TestDetachAdmits(t *testing.T) {
	w := lasting(t, Capacity{Messages: 4})
	r := attach(t, w, nil)
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9), numbered(4, 9))
	nextAre(t, r, 1, 2, 3, 4)
	first := background(t, w, context.Background(), numbered(5, 9))
	admitted := 0
	if err := w.Enqueue(numbered(6, 9), func() {
		admitted++
		if err := w.Push(frame(9)); err != ErrDetached {
			t.Errorf("Push in admitted: got %v, want ErrDetached", err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	second := background(t, w, context.Background(), numbered(7, 9))
	if err := w.Force(numbered(8, 9)); err != nil {
		t.Fatal(err)
	}
	suspected(t, w.Detach(2, 1), 2)
	if err := within(t, "Put", first); err != nil {
		t.Error(err)
	}
	if n, _ := w.Depth(); n != 4 || admitted != 1 || waiting(w) != 2 {
		t.Errorf("%d are held, %d called, %d wait; want 4, 1, 2", n, admitted, waiting(w))
	}
	r = attach(t, w, nil)
	nextAre(t, r, 3, 4, 5, 6)
	suspected(t, w.Detach(0, 0), 0)
	if waiting(w) != 2 {
		t.Errorf("nothing became free, yet %d wait", waiting(w))
	}
	r = attach(t, w, nil)
	nextAre(t, r, 3, 4, 5, 6)
	suspected(t, w.Detach(1, 1), 0)
	if err := within(t, "Put", second); err != nil {
		t.Error(err)
	}
	r = attach(t, w, nil)
	nextAre(t, r, 4, 5, 6, 7, 8)
}

// Nobody need notice that the pipe is broken, and the next one is whole.
func TestDetachForgetsError(t *testing.T) {
	w := lasting(t, Capacity{Messages: 3})
	r := attach(t, w, nil)
	stuff(t, w)
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9))
	put := background(t, w, context.Background(), numbered(4, 9))
	flush := make(chan error, 1)
	go func() { flush <- w.Flush(context.Background()) }()
	r.Close()
	var broken *PipeError
	if err := within(t, "Flush", flush); !errors.As(err, &broken) || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Flush: got %v, want EPIPE", err)
	}
	if err := w.Push(frame(9)); err != error(broken) {
		t.Errorf("Push: got %v, want the same", err)
	}
	if err := w.TryPut(frame(9)); err != ErrFull {
		t.Errorf("TryPut: got %v, want ErrFull", err)
	}
	if err := w.Force(numbered(5, 9)); err != nil {
		t.Errorf("Force: %v", err)
	}
	suspected(t, w.Detach(1, 0), 0)
	r = attach(t, w, nil)
	nextAre(t, r, 1, 2, 3)
	if err := w.Release(1); err != nil {
		t.Error(err)
	}
	if err := within(t, "Put", put); err != nil {
		t.Errorf("Put: %v", err)
	}
	nextAre(t, r, 4, 5)
	if err := w.Flush(context.Background()); err != nil {
		t.Error(err)
	}
}

// Room that a Release makes between the error of the pipe and Detach is given away too.
func TestReleaseOfBroken(t *testing.T) {
	w := lasting(t, Capacity{Messages: 1})
	r := attach(t, w, nil)
	mustPut(t, w, numbered(1, 9))
	nextAre(t, r, 1)
	r.Close()
	_ = w.Push(frame(9))
	put := background(t, w, context.Background(), numbered(2, 9))
	if err := w.Release(1); err != nil {
		t.Fatal(err)
	}
	if err := within(t, "Put", put); err != nil {
		t.Fatal(err)
	}
	suspected(t, w.Detach(1, 1), 0)
	remain(t, w, 2)
}

func TestFlushOfDetached(t *testing.T) {
	w := lasting(t, Capacity{})
	attach(t, w, nil)
	stuff(t, w)
	flush := make(chan error, 1)
	go func() { flush <- w.Flush(context.Background()) }()
	eventually(t, "Flush waits", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.flushes) == 1 })
	w.Detach(0, 0)
	if err := within(t, "Flush", flush); err != ErrDetached {
		t.Errorf("got %v, want ErrDetached", err)
	}
}

// A suspect that is returned comes first, on top of the capacity, as often as one wants.
func TestReturn(t *testing.T) {
	for _, size := range []int{9, smallSegment + 1, AdoptSize} {
		w := lasting(t, Capacity{Messages: 2})
		mustPut(t, w, numbered(1, size), numbered(2, size))
		put := background(t, w, context.Background(), numbered(3, size))
		for range 3 {
			r := attach(t, w, numbered(100, 9))
			nextAre(t, r, 100, 1, 2)
			if err := w.Return(&Held{Frame: frame(9)}); err == nil {
				t.Error("Return with a reader attached did not fail")
			}
			h := w.Detach(1, 0)
			suspected(t, h, 1)
			if err := w.Return(h); err != nil {
				t.Fatal(err)
			}
			if n, bytes := w.Depth(); n != 3 || bytes != 3*size {
				t.Fatalf("holds %d of %d bytes, want 3 of %d", n, bytes, 3*size)
			}
		}
		if err := within(t, "Put", put); err != nil { // it got the room of the suspect
			t.Error(err)
		}
		r := attach(t, w, nil)
		nextAre(t, r, 1, 2, 3)
		if err := w.Release(3); err != nil {
			t.Error(err)
		}
		suspected(t, w.Detach(3, 3), 0)
		if err := w.Return(&Held{}); err != errEmpty {
			t.Errorf("got %v, want errEmpty", err)
		}
		w.Close()
		if err := w.Return(&Held{Frame: frame(9)}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
		remain(t, w)
	}
}

// The suspect's memory is the caller's, whatever becomes of the Writer's.
func TestSuspectIsACopy(t *testing.T) {
	w := lasting(t, Capacity{})
	attach(t, w, nil)
	mustPut(t, w, numbered(1, 100), numbered(2, 100))
	h := w.Detach(1, 0)
	for range 10 {
		mustPut(t, lasting(t, Capacity{}), frame(100)) // takes the memory if it was given back
	}
	r := attach(t, w, nil)
	mustPut(t, w, numbered(3, 100), numbered(4, 100))
	if !bytes.Equal(h.Frame, numbered(1, 100)) || h.Seq != 1 || h.Waited {
		t.Errorf("got %+v", h)
	}
	clear(h.Frame)
	nextAre(t, r, 2, 3, 4)
}

func TestAttachRefused(t *testing.T) {
	w := lasting(t, Capacity{})
	r := attach(t, w, nil)
	refused := func(want error) {
		t.Helper()
		_, pw := pipe(t)
		if n, err := w.Attach(pw, frame(9), nil, nil); !errors.Is(err, want) || n != 0 {
			t.Errorf("got %d, %v, want 0, %v", n, err, want)
		}
		if err := pw.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("the file was not taken over: %v", err)
		}
	}
	refused(errAttached)
	mustPut(t, w, numbered(1, 9))
	nextAre(t, r, 1)
	w.Close()
	refused(os.ErrClosed)
}

// A frame for one attachment reaches no other, before or after.
func TestPushTo(t *testing.T) {
	w := lasting(t, Capacity{})
	for n := range 4 {
		if err := w.PushTo(uint64(n), frame(9)); err != ErrDetached {
			t.Errorf("detached, to %d: got %v, want ErrDetached", n, err)
		}
	}
	for n := range uint64(3) {
		pr, pw := pipe(t)
		attachment, err := w.Attach(pw, nil, nil, nil)
		if err != nil || attachment != n+1 {
			t.Fatalf("attachment %d, %v; want %d", attachment, err, n+1)
		}
		for _, other := range []uint64{0, n, n + 2, math.MaxUint64} {
			if err := w.PushTo(other, numbered(100, 9)); err != ErrDetached {
				t.Errorf("attached %d, to %d: got %v, want ErrDetached", attachment, other, err)
			}
		}
		if err := w.PushTo(attachment, numbered(1, 9)); err != nil {
			t.Error(err)
		}
		if err := w.PushTo(attachment, nil); err != errEmpty {
			t.Errorf("got %v, want errEmpty", err)
		}
		r := NewReader(pr, codec.DefaultFrameLimit)
		nextAre(t, r, 1)
		r.Close()
		if n == 1 { // broken, and Detach to come
			_ = w.PushTo(attachment, numbered(2, 9))
			if err := w.PushTo(attachment, numbered(2, 9)); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("broken: got %v, want EPIPE", err)
			}
		}
		w.Detach(0, 0)
		if err := w.PushTo(attachment, numbered(2, 9)); err != ErrDetached {
			t.Errorf("detached: got %v, want ErrDetached", err)
		}
	}
	w.Close()
	for n := range uint64(5) {
		if err := w.PushTo(n, frame(9)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close, to %d: got %v, want ErrClosed", n, err)
		}
	}
}

// The pipe that a Writer is made with is its first attachment.
func TestPushToMadeWithFile(t *testing.T) {
	w, r := link(t, WriterConfig{})
	if err := w.PushTo(1, numbered(1, 9)); err != nil {
		t.Error(err)
	}
	nextAre(t, r, 1)
	w.Detach(0, 0)
	_, pw := pipe(t)
	if attachment, err := w.Attach(pw, nil, nil, nil); err != nil || attachment != 2 {
		t.Errorf("attachment %d, %v; want 2", attachment, err)
	}
}

// Broken is told once which reader has closed the pipe.
func TestBroken(t *testing.T) {
	check(t)
	var broken []uint64
	w := NewWriter(nil, WriterConfig{Broken: func(attachment uint64, _ error) { broken = append(broken, attachment) }})
	t.Cleanup(func() { w.Close() })
	for range 3 {
		attach(t, w, nil).Close()
		for range 2 {
			_ = w.Push(frame(9)) // no other goroutine writes: all is written at once
		}
		w.Detach(0, 0)
	}
	if fmt.Sprint(broken) != "[1 2 3]" {
		t.Errorf("broken are %v, want 1, 2, 3", broken)
	}
}

// Progress is asked while its reader is attached, and counts for that one.
func TestAttachProgress(t *testing.T) {
	w := lasting(t, Capacity{Messages: 2})
	for range 3 {
		pr, pw := pipe(t)
		r := NewReader(pr, codec.DefaultFrameLimit)
		finished, asked := uint64(0), 0
		if _, err := w.Attach(pw, nil, func() uint64 { asked++; return finished }, nil); err != nil {
			t.Fatal(err)
		}
		mustPut(t, w, numbered(1, 9), numbered(2, 9))
		nextAre(t, r, 1, 2)
		finished = 2
		mustPut(t, w, numbered(3, 9))
		if n, _ := w.Depth(); n != 1 {
			t.Errorf("holds %d, want 1", n)
		}
		nextAre(t, r, 3)
		suspected(t, w.Detach(3, 3), 0)
		before := asked
		mustPut(t, w, numbered(4, 9), numbered(5, 9))
		if err := w.TryPut(numbered(6, 9)); err != ErrFull || asked != before {
			t.Errorf("got %v, asked %d times after Detach", err, asked-before)
		}
		r.Close()
		r = attach(t, w, nil)
		nextAre(t, r, 4, 5)
		suspected(t, w.Detach(2, 2), 0)
	}
}

func TestCloseDetached(t *testing.T) {
	w := lasting(t, Capacity{Messages: 1})
	if w.Abandon() != nil {
		t.Error("Abandon before Close")
	}
	mustPut(t, w, numbered(1, 9))
	put := background(t, w, context.Background(), numbered(100, 9))
	if err := w.Enqueue(numbered(2, 9), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := within(t, "Put", put); !errors.Is(err, os.ErrClosed) {
		t.Errorf("blocked Put: got %v, want ErrClosed", err)
	}
	for name, err := range map[string]error{"Put": w.Put(context.Background(), frame(9)),
		"Force": w.Force(frame(9)), "Push": w.Push(frame(9)), "Flush": w.Flush(context.Background())} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
	suspected(t, w.Detach(1, 0), 0)
	remain(t, w, 1, 2)
	suspected(t, w.Detach(1, 0), 0)
}

// Detach after Close still tells the frame in progress from the others.
func TestDetachClosed(t *testing.T) {
	w := lasting(t, Capacity{Messages: 3})
	r := attach(t, w, nil)
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9))
	nextAre(t, r, 1, 2, 3)
	if err := w.Enqueue(numbered(4, 9), func() { t.Error("admitted") }); err != nil {
		t.Fatal(err)
	}
	w.Close()
	suspected(t, w.Detach(2, 1), 2)
	remain(t, w, 3, 4)
}

// A Writer made with its pipe can change it as well.
func TestDetachOfMadeWithFile(t *testing.T) {
	w, r := link(t, WriterConfig{Retain: true, Progress: func() uint64 { return 0 }})
	mustPut(t, w, numbered(1, 9), numbered(2, 9))
	nextAre(t, r, 1, 2)
	suspected(t, w.Detach(1, 0), 1)
	mustPut(t, w, numbered(3, 9))
	nextAre(t, attach(t, w, nil), 2, 3)
}

// Without Retain what was written is gone, and the frame that was cut is whole again.
func TestDetachWithoutRetain(t *testing.T) {
	check(t)
	w := NewWriter(nil, WriterConfig{Capacity: Capacity{Messages: 2}})
	t.Cleanup(func() { w.Close() })
	mustPut(t, w, numbered(1, 9))
	r := attach(t, w, nil)
	mustPut(t, w, numbered(2, 1<<20), numbered(3, 9))
	put := background(t, w, context.Background(), numbered(4, 9))
	nextAre(t, r, 1)
	suspected(t, w.Detach(2, 1), 0)
	nextAre(t, attach(t, w, nil), 2, 3, 4)
	if err := within(t, "Put", put); err != nil {
		t.Error(err)
	}
}

// Detach after Detach returns all memory, and leaves the structures as a new Writer's.
func TestDetachLeavesNothing(t *testing.T) {
	w := lasting(t, Capacity{})
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		attach(t, w, frame(100))
		n := 1 + rng.IntN(100)
		for range n {
			mustPut(t, w, frame(9+rng.IntN(100)))
		}
		if err := w.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.Detach(uint64(n), uint64(n))
		if q := &w.stream; q.head != nil || q.tail != nil || q.held.n != 0 || q.unwritten() != 0 || w.draining {
			t.Fatalf("left: %+v", q)
		}
	}
}

// BenchmarkDetach is a change of readers with so many frames held.
func BenchmarkDetach(b *testing.B) {
	for _, n := range []int{0, 100, DefaultMessages} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			w := NewWriter(nil, WriterConfig{Retain: true})
			defer w.Close()
			for range n {
				mustPut(b, w, frame(1000))
			}
			b.ReportAllocs()
			for b.Loop() {
				pr, pw, err := os.Pipe()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Attach(pw, nil, nil, nil); err != nil {
					b.Fatal(err)
				}
				w.Detach(0, 0)
				pr.Close()
			}
		})
	}
}

// What must not be lost has twice the room.
func TestUrgeTo(t *testing.T) {
	const limit = 2 << 20
	for _, c := range []struct {
		total int
		want  error
	}{{2*limit - 1, nil}, {2 * limit, nil}, {2*limit + 1, ErrFull}} {
		w, _ := link(t, WriterConfig{ControlBytes: limit})
		stuff(t, w) // 1 MiB
		if err := w.PushTo(1, frame(c.total-1<<20)); err != ErrFull {
			t.Errorf("PushTo, %d bytes of %d: got %v, want ErrFull", c.total, limit, err)
		}
		if err := w.UrgeTo(1, frame(c.total-1<<20)); err != c.want {
			t.Errorf("UrgeTo, %d bytes of %d: got %v, want %v", c.total, limit, err, c.want)
		}
		if err := w.UrgeTo(2, frame(9)); err != ErrDetached {
			t.Errorf("to another attachment: got %v, want ErrDetached", err)
		}
	}
}

// Those that wait are counted, and say what they were given when they are abandoned.
func TestWaitingAndAdmitted(t *testing.T) {
	w := lasting(t, Capacity{Messages: 1})
	called := 0
	for n := range 3 {
		if err := w.Enqueue(numbered(n, 9), func() { called++ }); err != nil {
			t.Fatal(err)
		}
		if got := w.Waiting(); got != n {
			t.Errorf("%d wait, want %d", got, n)
		}
	}
	if err := w.Force(numbered(3, 9)); err != nil {
		t.Fatal(err)
	}
	if got := w.Waiting(); got != 3 || called != 1 {
		t.Errorf("%d wait and %d were admitted, want 3 and 1", got, called)
	}
	w.Close()
	for i, h := range w.Abandon() {
		if has, want := h.Admitted != nil, i == 1 || i == 2; has != want {
			t.Errorf("frame %d: Admitted %t, want %t", i, has, want)
		} else if has {
			h.Admitted()
		}
	}
	if called != 3 {
		t.Errorf("%d were admitted, want 3", called)
	}
	if got := w.Waiting(); got != 0 {
		t.Errorf("%d wait after Abandon", got)
	}
}
