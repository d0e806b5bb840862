//go:build unix

package mailbox

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestSentBeforeCloseIsDelivered(t *testing.T) {
	for _, n := range []int{1, 7, 100, 1000} { // 1000: by the drain goroutine
		w, r := link(t, WriterConfig{})
		for i := range n {
			mustPut(t, w, numbered(i, 9))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			nextAre(t, r, i)
		}
		for range 2 {
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("got %v, want EOF", err)
			}
		}
	}
}

func TestClosedWriter(t *testing.T) {
	w, _ := link(t, WriterConfig{})
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	ctx := context.Background()
	for name, err := range map[string]error{
		"Put": w.Put(ctx, frame(9)), "TryPut": w.TryPut(frame(9)), "Enqueue": w.Enqueue(frame(9), nil),
		"Force": w.Force(frame(9)), "Push": w.Push(frame(9)), "Flush": w.Flush(ctx),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
}

// Close does not wait for a reader that does not read.
func TestCloseWakesAll(t *testing.T) {
	w, r := link(t, WriterConfig{Capacity: Capacity{Messages: 1}})
	stuff(t, w)
	mustPut(t, w, numbered(1, 9))
	put := background(t, w, context.Background(), numbered(2, 9))
	flush := make(chan error, 1)
	go func() { flush <- w.Flush(context.Background()) }()
	eventually(t, "Flush waits", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.flushes) == 1 })
	w.Close()
	for name, c := range map[string]<-chan error{"Put": put, "Flush": flush} {
		if err := within(t, name, c); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
	// The frame that was begun is cut, and the reader is told.
	_, err := r.Next()
	var cut *TruncatedError
	if !errors.As(err, &cut) || cut.Bytes < 4096 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want a TruncatedError", err)
	}
}

func TestReaderGone(t *testing.T) {
	w, r := link(t, WriterConfig{Retain: true, Capacity: Capacity{Messages: 1}})
	stuff(t, w)
	mustPut(t, w, numbered(1, 9))
	put := background(t, w, context.Background(), numbered(2, 9))
	if err := w.Enqueue(numbered(3, 9), nil); err != nil {
		t.Fatal(err)
	}
	r.Close()
	err := within(t, "Put", put)
	var broken *PipeError
	if !errors.As(err, &broken) || broken.Op != "write" || !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("got %v, want a PipeError of EPIPE", err)
	}
	for name, again := range map[string]error{
		"Put": w.Put(context.Background(), frame(9)), "Push": w.Push(frame(9)), "Flush": w.Flush(context.Background()),
	} {
		if again != err {
			t.Errorf("%s: got %v, want the same error", name, again)
		}
	}
	w.Close()
	if all := w.Abandon(); len(all) != 2 || all[0].Seq != 1 || !all[1].Waited {
		t.Errorf("Abandon: got %v, want frames 1 and 3", all)
	}
}

func TestReaderGoneLonePut(t *testing.T) {
	w, r := link(t, WriterConfig{})
	r.Close()
	_ = w.Put(context.Background(), frame(9)) // may or may not see it
	if err := w.Put(context.Background(), frame(9)); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want EPIPE", err)
	}
}

func TestReaderProcessKilled(t *testing.T) {
	check(t)
	pr, pw := pipe(t)
	cmd := child(t, "count", pr)
	startChild(t, cmd)
	w := NewWriter(pw, WriterConfig{})
	defer w.Close()
	mustPut(t, w, frame(100))
	cmd.Process.Kill()
	cmd.Wait()
	for {
		if err := w.Put(context.Background(), frame(100)); err != nil {
			if !errors.Is(err, syscall.EPIPE) {
				t.Errorf("got %v, want EPIPE", err)
			}
			return
		}
	}
}

// Flush that writes itself reports its own failure.
func TestReaderGoneFlush(t *testing.T) {
	w, r := link(t, WriterConfig{})
	r.Close()
	w.mu.Lock()
	w.takeLocked(frame(9)) // as if the drain goroutine were late
	w.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- w.Flush(context.Background()) }()
	if err := within(t, "Flush", done); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want EPIPE", err)
	}
}
