package mailbox

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func mustOnHangup(t testing.TB, c *Collector, f *os.File) (*Hangup, <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{})
	h, err := c.OnHangup(f, func() { close(gone) }) // a second time it would panic
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Stop)
	return h, gone
}

// It is told once when the reader closes, nothing is asked of the pipe that has ended any more, and a write has
// nothing to do with it.
func TestHangup(t *testing.T) {
	c := newCollector(t)
	r, pw := pipe(t)
	h, gone := mustOnHangup(t, c, pw)
	other, otherEnd := pipe(t)
	mustWatch(t, c, other, newTaker(t))
	r.Close()
	within(t, "the hangup", gone)
	if c.readers.find(h.fd) != nil {
		t.Error("the pipe is watched after its end")
	}
	h.Stop()
	h.Stop()
	write(t, otherEnd, "x")
}

func TestHangupBefore(t *testing.T) {
	c := newCollector(t)
	r, pw := pipe(t)
	r.Close()
	_, gone := mustOnHangup(t, c, pw)
	within(t, "the hangup", gone)
}

// A pipe that is full, emptied and full again is none that has ended, and wakes nobody.
func TestHangupOfOnesThatAreUsed(t *testing.T) {
	c := newCollector(t)
	r, pw := pipe(t)
	h, gone := mustOnHangup(t, c, pw)
	looks := 0
	c.readers.mu.Lock()
	h.ready = func(buf []byte) { looks++; h.look(buf) }
	c.readers.mu.Unlock()
	big := strings.Repeat("x", 64<<10)
	buf := make([]byte, len(big))
	for range 10 {
		write(t, pw, big)
		for n := 0; n < len(big); {
			m, err := r.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
	}
	select {
	case <-gone:
		t.Error("gone, and the reader is there")
	default:
	}
	r.Close()
	within(t, "the hangup", gone)
	if looks != 1 {
		t.Errorf("looked %d times, want 1", looks)
	}
}

// A copy of the read end keeps the pipe: it is the last reader that counts.
func TestHangupOfTheLast(t *testing.T) {
	c := newCollector(t)
	r, pw := pipe(t)
	copied := second(t, r)
	h, gone := mustOnHangup(t, c, pw)
	r.Close()
	if h.hasHungUp() {
		t.Error("gone, and there is another reader")
	}
	copied.Close()
	within(t, "the hangup", gone)
}

// After Stop nothing is told, not even of an event that has come already.
func TestHangupStopped(t *testing.T) {
	c := newCollector(t)
	for range 100 {
		r, pw := pipe(t)
		stopped := false
		h, err := c.OnHangup(pw, func() {
			if stopped {
				t.Error("told after Stop")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		h.Stop()
		stopped = true
		h.look(nil) // as late as can be
		pw.Close()
	}
}

// An event of a pipe whose number another one has by now is none of that.
func TestHangupOfAnother(t *testing.T) {
	c := newCollector(t)
	_, pw := pipe(t)
	h, gone := mustOnHangup(t, c, pw)
	h.look(nil)
	select {
	case <-gone:
		t.Error("gone, and the reader is there")
	default:
	}
}

func TestHangupRefused(t *testing.T) {
	c := newCollector(t)
	_, pw := pipe(t)
	_, closed := pipe(t)
	closed.Close()
	if _, err := c.OnHangup(closed, func() {}); err == nil {
		t.Error("of a closed file: no error")
	}
	c.Close()
	if _, err := c.OnHangup(pw, func() {}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A thousand of them have the one goroutine that there is.
func TestHangupGoroutine(t *testing.T) {
	c := newCollector(t)
	before := runtime.NumGoroutine()
	var ends []*os.File
	var all []<-chan struct{}
	for range 1000 {
		r, pw := pipe(t)
		_, gone := mustOnHangup(t, c, pw)
		ends, all = append(ends, r), append(all, gone)
	}
	if got := runtime.NumGoroutine(); got > before+1 {
		t.Errorf("%d goroutines, %d before", got, before)
	}
	for i := range ends {
		ends[i].Close()
		within(t, "the hangup", all[i])
	}
}

// second is a second descriptor of an open file.
func second(t testing.TB, f *os.File) *os.File {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var dup int
	conn.Control(func(fd uintptr) { dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(dup), f.Name())
}
