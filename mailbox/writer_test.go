//go:build unix

package mailbox

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestCapacityMessages(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 3}, Retain: true})
	for i := 1; i <= 3; i++ {
		if err := w.TryPut(numbered(i, 9)); err != nil {
			t.Fatalf("frame %d of 3: %v", i, err)
		}
	}
	if err := w.TryPut(numbered(4, 9)); err != ErrFull {
		t.Fatalf("frame 4 of 3: got %v, want ErrFull", err)
	}
	if n, bytes := w.Depth(); n != 3 || bytes != 27 {
		t.Errorf("Depth: got %d, %d, want 3, 27", n, bytes)
	}
	nextAre(t, r, 1, 2, 3)
	if err := w.TryPut(numbered(4, 9)); err != ErrFull {
		t.Errorf("read but not released: got %v, want ErrFull", err)
	}
	if err := w.Release(1); err != nil {
		t.Fatal(err)
	}
	if err := w.TryPut(numbered(4, 9)); err != nil {
		t.Errorf("after Release(1): %v", err)
	}
	if err := w.TryPut(numbered(5, 9)); err != ErrFull {
		t.Errorf("full again: got %v, want ErrFull", err)
	}
	nextAre(t, r, 4)
}

func TestCapacityBytes(t *testing.T) {
	for _, c := range []struct {
		held int
		want error
	}{{99, nil}, {100, ErrFull}, {101, ErrFull}} {
		w, _ := link(t, WriterConfig{Capacity: Capacity{Bytes: 100}, Retain: true})
		mustPut(t, w, frame(c.held))
		if err := w.TryPut(frame(500)); err != c.want {
			t.Errorf("a frame over %d of 100 bytes: got %v, want %v", c.held, err, c.want)
		}
	}
}

// Without Retain a frame makes room when it is written.
func TestCapacityUnwritten(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 2}})
	for i := range 1000 {
		mustPut(t, w, numbered(i, 9))
		nextAre(t, r, i)
	}
	stuff(t, w)
	mustPut(t, w, numbered(1, 9), numbered(2, 9))
	if err := w.TryPut(numbered(3, 9)); err != ErrFull {
		t.Errorf("got %v, want ErrFull", err)
	}
	done := background(t, w, context.Background(), numbered(3, 9))
	nextAre(t, r, 0, 1, 2, 3)
	if err := within(t, "Put", done); err != nil {
		t.Error(err)
	}
	eventually(t, "nothing held", func() bool { n, bytes := w.Depth(); return n == 0 && bytes == 0 })
}

func TestEmptyFrameRefused(t *testing.T) {
	w, _ := link(t, WriterConfig{})
	if err := w.Put(context.Background(), nil); err == nil {
		t.Error("Put took a frame without bytes")
	}
}

// All ways to wait share one queue, and Push overtakes it.
func TestOrderOfWaiters(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 1}, Retain: true})
	mustPut(t, w, numbered(1, 9))
	var puts []<-chan error
	admitted := make(chan int, 10)
	puts = append(puts, background(t, w, context.Background(), numbered(2, 9)))
	if err := w.Enqueue(numbered(3, 9), func() { admitted <- 3 }); err != nil {
		t.Fatal(err)
	}
	puts = append(puts, background(t, w, context.Background(), numbered(4, 9)))
	if err := w.Force(numbered(5, 9)); err != nil {
		t.Fatal(err)
	}
	if err := w.Enqueue(numbered(6, 9), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.TryPut(numbered(7, 9)); err != ErrFull {
		t.Fatalf("TryPut behind others: got %v, want ErrFull", err)
	}
	if err := w.Push(numbered(100, 9)); err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 1, 100)
	for i := 1; i <= 3; i++ {
		if got := len(admitted); (got == 1) != (i > 2) {
			t.Errorf("before Release(%d) admitted was called %d times", i, got)
		}
		if err := w.Release(uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	nextAre(t, r, 2, 3, 4, 5) // 5 needs no room, only its turn
	if err := w.Release(4); err != nil {
		t.Fatal(err)
	}
	if n := waiting(w); n != 1 {
		t.Errorf("%d wait while 5 is held, want 1", n)
	}
	if err := w.Release(5); err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 6)
	for i, put := range puts {
		if err := within(t, "Put", put); err != nil {
			t.Errorf("Put %d: %v", i, err)
		}
	}
}

func TestForceIgnoresCapacity(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 1}, Retain: true})
	for i := range 5 {
		if err := w.Force(numbered(i, 9)); err != nil {
			t.Fatal(err)
		}
	}
	nextAre(t, r, 0, 1, 2, 3, 4)
	if n, _ := w.Depth(); n != 5 {
		t.Errorf("holds %d, want 5", n)
	}
}

func TestEnqueueAdmittedAtOnce(t *testing.T) {
	w, r := link(t, WriterConfig{})
	called := false
	err := w.Enqueue(numbered(1, 9), func() {
		called = true
		if err := w.Push(numbered(2, 9)); err != nil { // no lock is held
			t.Error(err)
		}
	})
	if err != nil || !called {
		t.Fatalf("got %v, called %t", err, called)
	}
	nextAre(t, r, 1, 2)
}

// The frame is the caller's again when Enqueue returns, though it waits.
func TestEnqueueCopies(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 1}, Retain: true})
	mustPut(t, w, numbered(1, 9))
	f := numbered(2, 9)
	if err := w.Enqueue(f, nil); err != nil {
		t.Fatal(err)
	}
	clear(f)
	if err := w.Release(1); err != nil {
		t.Fatal(err)
	}
	nextAre(t, r, 1, 2)
}

func TestPutGivesUp(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 1}, Retain: true})
	mustPut(t, w, numbered(1, 9))
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("changed my mind")
	done := background(t, w, ctx, numbered(2, 9))
	if err := w.Force(numbered(3, 9)); err != nil {
		t.Fatal(err)
	}
	if n, _ := w.Depth(); n != 1 {
		t.Fatalf("Force overtook a waiting Put")
	}
	cancel(reason)
	if err := within(t, "Put", done); !errors.Is(err, reason) {
		t.Errorf("got %v, want the cause", err)
	}
	nextAre(t, r, 1, 3) // who stood behind it moves up, and nothing of 2 is sent
	if err := w.Put(ctx, numbered(4, 9)); !errors.Is(err, reason) {
		t.Errorf("Put with a ctx that is done: got %v, want the cause", err)
	}
	short, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	if err := w.Put(short, numbered(5, 9)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	if n := waiting(w); n != 0 {
		t.Errorf("%d wait, want 0", n)
	}
}

func TestControlBytes(t *testing.T) {
	const limit = 2 << 20
	for _, c := range []struct {
		total int
		want  error
	}{{limit - 1, nil}, {limit, nil}, {limit + 1, ErrFull}} {
		w, _ := link(t, WriterConfig{ControlBytes: limit})
		stuff(t, w) // 1 MiB
		if err := w.Push(frame(c.total - 1<<20)); err != c.want {
			t.Errorf("%d bytes of %d: got %v, want %v", c.total, limit, err, c.want)
		}
	}
	w, r := link(t, WriterConfig{ControlBytes: 10})
	stuff(t, w) // a single one is taken whatever its size
	if err := w.Push(numbered(1, 9)); err != ErrFull {
		t.Errorf("second: got %v, want ErrFull", err)
	}
	mustPut(t, w, numbered(2, 9)) // counted ones are no business of this bound
	nextAre(t, r, 0, 2)
	eventually(t, "room", func() bool { return w.Push(numbered(3, 9)) == nil })
	nextAre(t, r, 3)
}

func TestFlush(t *testing.T) {
	w, r := link(t, WriterConfig{})
	if err := w.Flush(context.Background()); err != nil {
		t.Fatalf("of nothing: %v", err)
	}
	stuff(t, w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Flush(context.Background()) }()
	nextAre(t, r, 0)
	if err := within(t, "Flush", done); err != nil {
		t.Error(err)
	}
}

// An idle writer has no goroutine and no memory, however busy it was.
func TestIdleWriterHoldsNothing(t *testing.T) {
	for _, retain := range []bool{false, true} {
		w, r := link(t, WriterConfig{Retain: retain})
		const n = 20_000
		done := make(chan bool)
		go func() {
			defer close(done)
			for i := range n {
				nextAre(t, r, i)
				if err := w.Release(uint64(i + 1)); err != nil {
					t.Error(err)
				}
			}
		}()
		for i := range n {
			mustPut(t, w, numbered(i, 100))
		}
		within(t, "reader", done)
		eventually(t, "idle", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			held := &w.stream.held
			return !w.draining && w.stream.head == nil && w.stream.tail == nil &&
				held.n == 0 && len(held.frames) <= smallRing && len(w.flushes) == 0
		})
	}
}

func TestNonblockingStaysOn(t *testing.T) {
	w, r := link(t, WriterConfig{})
	mustPut(t, w, numbered(1, 9))
	nextAre(t, r, 1)
	stuff(t, w)
	r.Drain()
	for name, f := range map[string]*os.File{"writer": w.file, "reader": r.src.file} {
		conn, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		conn.Control(func(fd uintptr) {
			flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
			if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
				t.Errorf("%s: flags %#x, %v: not nonblocking", name, flags, errno)
			}
		})
	}
}
