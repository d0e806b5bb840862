//go:build unix

package mailbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
)

func TestReleaseLies(t *testing.T) {
	w, r := link(t, WriterConfig{Retain: true})
	if err := w.Release(1); !errors.Is(err, ErrProgress) {
		t.Errorf("of nothing: got %v, want ErrProgress", err)
	}
	mustPut(t, w, numbered(1, 9), numbered(2, 9), numbered(3, 9))
	nextAre(t, r, 1, 2, 3)
	for _, c := range []struct {
		finished uint64
		want     error
		held     int
	}{{0, nil, 3}, {2, nil, 1}, {1, nil, 1}, {4, ErrProgress, 1}, {1 << 63, ErrProgress, 1}, {3, nil, 0}, {3, nil, 0}} {
		if err := w.Release(c.finished); !errors.Is(err, c.want) {
			t.Errorf("Release(%d): got %v, want %v", c.finished, err, c.want)
		}
		if n, _ := w.Depth(); n != c.held {
			t.Errorf("after Release(%d): holds %d, want %d", c.finished, n, c.held)
		}
	}
}

// A reader cannot have finished what was taken in but not given to the pipe, however it
// guesses: else it could make the writer hold more than its capacity.
func TestReleaseOfUnsent(t *testing.T) {
	w, r := link(t, WriterConfig{Retain: true})
	stuff(t, w)
	mustPut(t, w, numbered(1, 9))
	if err := w.Release(1); !errors.Is(err, ErrProgress) {
		t.Errorf("got %v, want ErrProgress", err)
	}
	nextAre(t, r, 0, 1)
	if err := w.Release(1); err != nil {
		t.Error(err)
	}
}

func TestProgressIsPulled(t *testing.T) {
	var finished atomic.Uint64
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 2}, Retain: true, Progress: finished.Load})
	mustPut(t, w, numbered(1, 9), numbered(2, 9))
	if err := w.TryPut(numbered(3, 9)); err != ErrFull {
		t.Fatalf("got %v, want ErrFull", err)
	}
	nextAre(t, r, 1, 2)
	finished.Store(1)
	mustPut(t, w, numbered(3, 9))
	finished.Store(2)
	if n, _ := w.Depth(); n != 1 {
		t.Errorf("holds %d, want 1", n)
	}
	finished.Store(4)
	mustPut(t, w, numbered(4, 9)) // it had room, so it did not look
	if err := w.Put(context.Background(), numbered(5, 9)); err != nil {
		t.Fatal("4 is no lie any more:", err)
	}
	finished.Store(100)
	mustPut(t, w, numbered(6, 9))
	if err := w.Put(context.Background(), numbered(7, 9)); !errors.Is(err, ErrProgress) {
		t.Errorf("got %v, want ErrProgress", err)
	}
	nextAre(t, r, 3, 4, 5, 6)
}

func TestAbandon(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 3}, Retain: true})
	frames := [][]byte{numbered(1, 9), numbered(2, 20_000), numbered(3, AdoptSize), numbered(4, 9), numbered(5, 9), numbered(6, AdoptSize+1)}
	mustPut(t, w, frames[0], frames[1], frames[2])
	if err := w.Enqueue(frames[3], nil); err != nil {
		t.Fatal(err)
	}
	blocked := background(t, w, context.Background(), numbered(100, 9))
	if err := w.Force(frames[4]); err != nil {
		t.Fatal(err)
	}
	if err := w.Enqueue(frames[5], func() { t.Error("admitted") }); err != nil {
		t.Fatal(err)
	}
	if err := w.Push(numbered(101, 9)); err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 1)
	if got := w.Abandon(); got != nil {
		t.Errorf("before Close: got %d frames, want none", len(got))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := within(t, "Put", blocked); !errors.Is(err, os.ErrClosed) {
		t.Errorf("blocked Put: got %v, want ErrClosed", err)
	}
	if err := w.Release(1); err != nil { // the page or the last words told
		t.Fatal(err)
	}
	all := w.Abandon()
	want := []Held{{Seq: 2}, {Seq: 3}, {Waited: true}, {Waited: true}, {Waited: true}}
	if len(all) != len(want) {
		t.Fatalf("got %d frames, want %d", len(all), len(want))
	}
	for i, h := range all {
		if h.Seq != want[i].Seq || h.Waited != want[i].Waited || !bytes.Equal(h.Frame, frames[i+1]) {
			t.Errorf("%d: got seq %d, waited %t, %d bytes; want seq %d, waited %t, %d bytes",
				i, h.Seq, h.Waited, len(h.Frame), want[i].Seq, want[i].Waited, len(frames[i+1]))
		}
	}
	if again := w.Abandon(); again != nil {
		t.Errorf("again: got %d frames, want none", len(again))
	}
	if err := w.Release(3); err != nil {
		t.Errorf("after Abandon: %v", err)
	}
}

// Without Retain what was not written is left.
func TestAbandonUnwritten(t *testing.T) {
	w, _ := link(t, WriterConfig{})
	mustPut(t, w, numbered(1, 9))
	stuff(t, w)
	mustPut(t, w, numbered(2, 9))
	w.Close()
	all := w.Abandon()
	if len(all) != 1 || all[0].Seq != 2 || number(all[0].Frame[5:]) != 2 {
		t.Errorf("got %v, want frame 2", all)
	}
}

// What is held decides how much memory is, not what was sent between.
func TestSparseRetention(t *testing.T) {
	w, r := link(t, WriterConfig{Retain: true})
	const n = 200
	go func() {
		for {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	}()
	for i := range n {
		mustPut(t, w, numbered(i, 100))
		for range 7 {
			if err := w.Push(frame(10_000)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	kept, last := 0, (*segment)(nil)
	for i := range w.stream.held.n {
		if s := w.stream.held.at(i).seg; s != last {
			kept, last = kept+cap(s.buf), s
		}
	}
	w.mu.Unlock()
	if limit := 4*n*100 + 2*largeSegment; kept > limit {
		t.Errorf("%d bytes of frames keep %d bytes, want at most %d", n*100, kept, limit)
	}
	w.Close()
	for i, h := range w.Abandon() {
		if number(h.Frame[5:]) != i {
			t.Fatalf("frame %d is number %d", i, number(h.Frame[5:]))
		}
	}
}

// A page says that there is room, and no Release comes: whoever waits gets it all the same, in turn.
func TestRoomWithoutRelease(t *testing.T) {
	var finished atomic.Uint64
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 2}, Retain: true, Progress: finished.Load})
	mustPut(t, w, numbered(1, 9), numbered(2, 9))
	nextAre(t, r, 1, 2)
	put := make(chan error)
	go func() { put <- w.Put(context.Background(), numbered(3, 9)) }()
	eventually(t, "Put waits", func() bool { return w.Waiting() == 1 })
	admitted := make(chan struct{})
	if err := w.Enqueue(numbered(4, 9), func() { close(admitted) }); err != nil {
		t.Fatal(err)
	}
	finished.Store(1)
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 3)
	select {
	case <-admitted:
		t.Fatal("the second is taken in as well")
	default:
	}
	finished.Store(2)
	<-admitted
	nextAre(t, r, 4)
	if n, _ := w.Depth(); n != 2 {
		t.Errorf("holds %d, want 2", n)
	}
	eventually(t, "nobody looks any more", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.recheck == nil
	})
}

// The same with a reader that comes when frames wait already.
func TestRoomAfterAttach(t *testing.T) {
	w := NewWriter(nil, WriterConfig{Capacity: Capacity{Messages: 1}, Retain: true})
	defer w.Close()
	mustPut(t, w, numbered(1, 9))
	admitted := make(chan struct{})
	if err := w.Enqueue(numbered(2, 9), func() { close(admitted) }); err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(in, 1<<20)
	defer r.Close()
	var finished atomic.Uint64
	if _, err := w.Attach(out, nil, finished.Load, nil); err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 1)
	finished.Store(1)
	<-admitted
	nextAre(t, r, 2)
}
