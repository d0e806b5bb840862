//go:build unix

package mailbox

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// rawLink is a Reader and the bare write end of its pipe.
func rawLink(tb testing.TB, limit int) (*os.File, *Reader) {
	tb.Helper()
	check(tb)
	pr, pw := pipe(tb)
	r := NewReader(pr, limit)
	tb.Cleanup(func() { r.Close() })
	return pw, r
}

func TestReaderSizes(t *testing.T) {
	w, r := link(t, WriterConfig{})
	sizes := []int{9, 4095, 4096, 4097, smallSegment + 1, AdoptSize - 1, AdoptSize, AdoptSize + 1,
		bufferSize - 1, bufferSize, bufferSize + 1, 2*bufferSize - 1, 2 * bufferSize, 2*bufferSize + 1, 1 << 20, 5 << 20,
		codec.DefaultFrameLimit + 5}
	go func() {
		for i, size := range sizes {
			f := numbered(i, size)
			f[size-1] = byte(i)
			if size == 9 {
				f = numbered(i, 9)
			}
			mustPut(t, w, f, numbered(1000+i, 30))
		}
	}()
	for i, size := range sizes {
		f, err := r.Next()
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if len(f.Bytes) != size-5 || number(f.Bytes) != i || size > 9 && f.Bytes[size-6] != byte(i) {
			t.Fatalf("size %d: got %d bytes, number %d", size, len(f.Bytes), number(f.Bytes))
		}
		if f.Owned() != (size > bufferSize) {
			t.Errorf("size %d: Owned is %t", size, f.Owned())
		}
		nextAre(t, r, 1000+i)
	}
}

// Every place at which a read may end within two frames.
func TestReaderPieces(t *testing.T) {
	both := append(numbered(1, 11), numbered(2, 12)...)
	for cut := 1; cut < len(both); cut++ {
		pw, r := rawLink(t, 100)
		got := make(chan int, 2)
		go func() {
			for range 2 {
				got <- next(t, r)
			}
		}()
		pw.Write(both[:cut])
		if cut >= 11 {
			if n := within(t, "first", got); n != 1 {
				t.Fatalf("cut at %d: got %d, want 1", cut, n)
			}
		}
		pw.Write(both[cut:])
		if cut < 11 {
			within(t, "first", got)
		}
		if n := within(t, "second", got); n != 2 {
			t.Fatalf("cut at %d: got %d, want 2", cut, n)
		}
	}
}

func TestReaderLimit(t *testing.T) {
	for _, c := range []struct {
		size int
		ok   bool
	}{{99, true}, {100, true}, {101, false}} {
		pw, r := rawLink(t, 100)
		pw.Write(raw(make([]byte, c.size)))
		_, err := r.Next()
		var over *codec.LimitError
		if c.ok && err != nil || !c.ok && !errors.As(err, &over) {
			t.Errorf("%d bytes of 100: got %v", c.size, err)
		}
		if !c.ok {
			if _, again := r.Next(); again != err {
				t.Errorf("again: got %v, want the same", again)
			}
		}
	}
}

func TestReaderMalformed(t *testing.T) {
	pw, r := rawLink(t, 100)
	pw.Write(append(numbered(1, 9), "garbage"...))
	nextAre(t, r, 1)
	if !r.Ready() {
		t.Error("Ready is false before an error that needs no system call")
	}
	_, err := r.Next()
	var malformed *codec.MalformedError
	if !errors.As(err, &malformed) {
		t.Errorf("got %v, want a MalformedError", err)
	}
}

func TestReaderEnds(t *testing.T) {
	whole := numbered(1, 20)
	for cut := 0; cut <= len(whole); cut++ {
		pw, r := rawLink(t, 100)
		pw.Write(whole[:cut])
		pw.Close()
		_, err := r.Next()
		switch {
		case cut == len(whole):
			if err == nil {
				_, err = r.Next()
			}
			fallthrough
		case cut == 0:
			if err != io.EOF {
				t.Errorf("after %d of 20: got %v, want EOF", cut, err)
			}
		default:
			var truncated *TruncatedError
			if !errors.As(err, &truncated) || truncated.Bytes != cut || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("after %d of 20: got %v, want a TruncatedError", cut, err)
			}
		}
	}
}

// Half a header, or half a frame, and then silence: Close still ends it.
func TestReaderCloseWakes(t *testing.T) {
	for _, n := range []int{0, 3, 5, 12} {
		pw, r := rawLink(t, 100)
		pw.Write(numbered(1, 20)[:n])
		done := make(chan error, 1)
		go func() { _, err := r.Next(); done <- err }()
		eventually(t, "all read", func() bool { return r.src.pending() == 0 })
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := within(t, "Next", done); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after %d bytes: got %v, want ErrClosed", n, err)
		}
	}
}

// What is buffered is not returned any more after Close.
func TestReaderClosed(t *testing.T) {
	pw, r := rawLink(t, 100)
	pw.Write(append(numbered(1, 9), numbered(2, 9)...))
	if r.Ready() {
		t.Error("Ready before anything was read")
	}
	nextAre(t, r, 1)
	if !r.Ready() {
		t.Error("not Ready with a frame buffered")
	}
	r.Close()
	if _, err := r.Next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// A length that lies costs no memory.
func TestReaderLyingLength(t *testing.T) {
	pw, r := rawLink(t, 1<<30)
	pw.Write([]byte{0xc6, 0x3f, 0xff, 0xff, 0xff})
	pw.Write(make([]byte, 1000))
	pw.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.Next()
	runtime.ReadMemStats(&after)
	var truncated *TruncatedError
	if !errors.As(err, &truncated) || truncated.Bytes != 1005 {
		t.Errorf("got %v, want truncated after 1005 bytes", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("allocated %d bytes for 1005", got)
	}
}

// Readers that wait hold no buffer and no thread.
func TestIdleReadersAreSmall(t *testing.T) {
	check(t)
	const n = 300
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what pools kept is gone after the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var readers [n]*Reader
	done := make(chan error, n)
	for i := range readers {
		pw, r := rawLink(t, 100)
		readers[i] = r
		pw.Write(numbered(i, 9)) // used once, then idle
		go func() {
			next(t, r)
			_, err := r.Next()
			done <- err
		}()
	}
	eventually(t, "small", func() bool { return (heap()-before)/n < 8<<10 })
	for _, r := range readers {
		r.Close()
	}
	for range readers {
		within(t, "Next", done)
	}
}

func TestDrain(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes []byte
		want  []int
		end   error
	}{
		{"empty", nil, nil, io.EOF},
		{"whole frames", append(numbered(1, 9), numbered(2, 1000)...), []int{1, 2}, io.EOF},
		{"half a frame", append(numbered(1, 9), numbered(2, 1000)[:500]...), []int{1}, io.ErrUnexpectedEOF},
		{"half a header", append(numbered(1, 9), 0xc6), []int{1}, io.ErrUnexpectedEOF},
		{"full pipe", bytes.Repeat(numbered(7, 1024), 64), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			pw, r := rawLink(t, 1<<20) // and pw stays open
			pw.Write(c.bytes)
			r.Drain()
			r.Drain()
			if c.name == "full pipe" {
				for range 64 {
					nextAre(t, r, 7)
				}
				c.end = io.EOF
			}
			nextAre(t, r, c.want...)
			for range 2 {
				if _, err := r.Next(); !errors.Is(err, c.end) {
					t.Errorf("got %v, want %v", err, c.end)
				}
			}
		})
	}
}

func TestDrainWakes(t *testing.T) {
	for _, n := range []int{0, 3, 9} {
		pw, r := rawLink(t, 100)
		pw.Write(numbered(1, 20)[:n])
		done := make(chan error, 1)
		go func() { _, err := r.Next(); done <- err }()
		eventually(t, "all read", func() bool { return r.src.pending() == 0 })
		r.Drain()
		err := within(t, "Next", done)
		if n == 0 && err != io.EOF || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: got %v", n, err)
		}
	}
}

// Somebody else who goes on writing cannot keep Next busy for ever.
func TestDrainEndsInFlood(t *testing.T) {
	w, r := link(t, WriterConfig{})
	stop := make(chan bool)
	go func() {
		defer close(stop)
		for w.Force(numbered(1, 100)) == nil {
			w.Flush(t.Context())
		}
	}()
	for range 1000 {
		next(t, r)
	}
	r.Drain()
	for frames := 0; ; frames++ {
		if _, err := r.Next(); err != nil {
			break
		}
		if most := (1<<20 + 2*bufferSize) / 100; frames > most {
			t.Fatalf("%d frames after Drain", frames)
		}
	}
	r.Close()
	within(t, "flood", stop)
}

// The process is gone, what it wrote is delivered, and a grandchild that holds the write end
// open does not matter.
func TestDrainWithGrandchild(t *testing.T) {
	check(t)
	pr, pw := pipe(t)
	stdinR, stdinW := pipe(t)
	cmd := child(t, "fill", pw)
	cmd.Stdin = stdinR // the grandchild's, it ends with it
	startChild(t, cmd)
	r := NewReader(pr, 100)
	defer r.Close()
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Fatalf("child: %v", cmd.ProcessState)
	}
	r.Drain()
	f, err := r.Next()
	if err != nil || string(f.Bytes) != "last words" {
		t.Fatalf("got %q, %v", f.Bytes, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	stdinW.Close()
}

func TestNextDoesNotAllocate(t *testing.T) {
	w, r := link(t, WriterConfig{})
	f := numbered(1, 100)
	got := testing.AllocsPerRun(1000, func() {
		mustPut(t, w, f)
		next(t, r)
	})
	if got >= 1 {
		t.Errorf("Put and Next allocate %v times", got)
	}
}

// The poller may tell of the last bytes and of the end at once, and does not tell twice.
func TestServeSeesTheEnd(t *testing.T) {
	check(t)
	w, r := link(t, WriterConfig{})
	mustPut(t, w, numbered(1, 10))
	w.Close()
	time.Sleep(20 * time.Millisecond) // until the poller knows
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(func(Frame) error { return nil }) }()
	if err := within(t, "the end", ended); err != io.EOF {
		t.Errorf("Serve returned %v", err)
	}
}

// Whoever polls comes back, although for each frame that is handled another comes.
func TestPollReadsOnce(t *testing.T) {
	check(t)
	pr, pw := pipe(t)
	defer pw.Close()
	r := NewReader(pr, codec.DefaultFrameLimit)
	handled, again := 0, numbered(1, 16)
	serving, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- r.Serve(func(Frame) error {
			switch handled++; {
			case handled == 1:
				serving <- nil
			case handled < 1<<20:
				pw.Write(again)
			}
			return nil
		})
	}()
	pw.Write(again)
	within(t, "the first frame", serving)
	r.turn.Lock()
	pw.Write(bytes.Repeat(again, bufferSize/len(again)))
	handled = 1
	r.polling.done = func() bool { return true }
	_ = r.src.conn.Control(r.look) // what Poll does
	if handled > 1+bufferSize/len(again) {
		t.Errorf("Poll handled %d frames", handled)
	}
	handled = 1 << 20
	r.turn.Unlock()
	r.Close()
	within(t, "Serve's end", ended)
}

// Look finds what is there, by and by, keeps it for Next, and gives up in time; the pipe's end is Next's to tell.
func TestReaderLook(t *testing.T) {
	w, r := rawLink(t, codec.DefaultFrameLimit)
	look := func() bool { r.Look(time.Millisecond); return r.Ready() }
	if look() {
		t.Error("something was found in an empty pipe")
	}
	frame := numbered(1, 100)
	for i, piece := range [][]byte{frame[:3], frame[3:99], frame[99:]} {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
		if got := look(); got != (i == 2) {
			t.Errorf("after piece %d: %v", i, got)
		}
	}
	nextAre(t, r, 1)
	w.Close()
	r.Look(patience) // returns at once
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v at the end", err)
	}
}
