//go:build unix

package mailbox

import (
	"context"
	"encoding/binary"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// patience is after how long a test gives up; nothing waits for it to pass.
const patience = 20 * time.Second

// eventually waits until cond holds.
func eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// checked are the tests that have called check.
var checked sync.Map

// check fails the test if a goroutine of this package outlives it. It comes before all
// that the test starts; calling it again does nothing.
func check(tb testing.TB) {
	tb.Helper()
	if _, again := checked.LoadOrStore(tb, true); again {
		return
	}
	tb.Cleanup(func() {
		checked.Delete(tb)
		var stacks string
		ours := func() bool {
			buf := make([]byte, 1<<20)
			stacks = string(buf[:runtime.Stack(buf, true)])
			return strings.Contains(stacks, "mailbox.(*Writer)") || strings.Contains(stacks, "mailbox.(*Reader)")
		}
		for deadline := time.Now().Add(5 * time.Second); ours(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				tb.Errorf("a goroutine is left:\n%s", stacks)
				return
			}
		}
	})
}

// link is a Writer and a Reader at the ends of one pipe.
func link(tb testing.TB, cfg WriterConfig) (*Writer, *Reader) {
	tb.Helper()
	check(tb)
	pr, pw := pipe(tb)
	w, r := NewWriter(pw, cfg), NewReader(pr, codec.DefaultFrameLimit)
	tb.Cleanup(func() { w.Close(); r.Close() })
	return w, r
}

// numbered makes a frame of size bytes in all (at least 9) that carries n.
func numbered(n, size int) []byte {
	f := frame(max(size, 9))
	binary.BigEndian.PutUint32(f[5:], uint32(n))
	return f
}

func number(content []byte) int { return int(binary.BigEndian.Uint32(content)) }

// next returns the number in the next frame.
func next(tb testing.TB, r *Reader) int {
	tb.Helper()
	f, err := r.Next()
	if err != nil {
		tb.Fatal("Next:", err)
	}
	return number(f.Bytes)
}

// nextAre checks the numbers in the frames that come next.
func nextAre(tb testing.TB, r *Reader, want ...int) {
	tb.Helper()
	for i, n := range want {
		if got := next(tb, r); got != n {
			tb.Fatalf("frame %d of %v is number %d", i, want, got)
		}
	}
}

func mustPut(tb testing.TB, w *Writer, frames ...[]byte) {
	tb.Helper()
	for _, f := range frames {
		if err := w.Put(context.Background(), f); err != nil {
			tb.Fatal("Put:", err)
		}
	}
}

// stuff pushes a frame so large that the pipe is full and the drain goroutine waits.
// Its number is 0.
func stuff(tb testing.TB, w *Writer) {
	tb.Helper()
	if err := w.Push(numbered(0, 1<<20)); err != nil {
		tb.Fatal("Push:", err)
	}
	eventually(tb, "pipe full", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.draining || w.stream.unwritten() > 1<<20-4096 {
			return false
		}
		return w.writing
	})
}

// waiting is how many frames wait for room.
func waiting(w *Writer) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for wt := w.waiting.first; wt != nil; wt = wt.next {
		n++
	}
	return n
}

// background calls Put in a goroutine of its own and returns when it waits for room.
func background(tb testing.TB, w *Writer, ctx context.Context, f []byte) <-chan error {
	tb.Helper()
	before := waiting(w)
	done := make(chan error, 1)
	go func() { done <- w.Put(ctx, f) }()
	eventually(tb, "Put waits", func() bool { return waiting(w) == before+1 })
	return done
}

// within receives from c.
func within[T any](tb testing.TB, what string, c <-chan T) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		tb.Fatalf("%s: not within %v", what, patience)
		panic("unreachable")
	}
}
