package mailbox

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// A thousand pipes have one goroutine, which nothing but what they say concerns: of a pipe
// that has ended it is told no more.
func TestCollectorGoroutine(t *testing.T) {
	c := newCollector(t)
	n := 1000
	if testing.Short() {
		n = 100
	}
	before := runtime.NumGoroutine()
	ends := make([]*os.File, n)
	takers := make([]*taker, n)
	watches := make([]*Watch, n)
	for i := range n {
		r, pw := pipe(t)
		ends[i], takers[i] = pw, newTaker(t)
		watches[i] = mustWatch(t, c, r, takers[i])
	}
	if got := runtime.NumGoroutine(); got != before+1 {
		t.Errorf("%d goroutines, %d before", got, before)
	}
	for i, pw := range ends {
		write(t, pw, strings.Repeat("y", i))
		pw.Close()
	}
	for i, k := range takers {
		within(t, "the end", k.ended)
		if len(k.all) != i {
			t.Errorf("pipe %d: got %.60q", i, k.all)
		}
	}
	for _, w := range watches {
		w.Drain() // so the goroutine is done with it
		if c.readers.find(w.fd) != nil {
			t.Error("a pipe is watched after its end")
		}
	}
}

// What a pipe gets after Hush, its end included, wakes nobody, and Drain has it.
func TestCollectorHush(t *testing.T) {
	c := newCollector(t)
	r, pw := pipe(t)
	k := newTaker(t)
	w := mustWatch(t, c, r, k)
	w.Hush()
	w.Hush()
	write(t, pw, "after")
	pw.Close()

	// The goroutine takes another pipe's end, so it would have been told of this one's.
	other, otherW := pipe(t)
	otherK := newTaker(t)
	mustWatch(t, c, other, otherK)
	otherW.Close()
	within(t, "the other's end", otherK.ended)
	if k.all != nil || k.done {
		t.Errorf("before Drain it got %q, ended: %t", k.all, k.done)
	}
	w.Drain()
	if got := string(k.all); got != "after" || !k.done {
		t.Errorf("Drain gave %q, ended: %t", got, k.done)
	}
	w.Close()
	w.Hush() // nothing is left to hush
}

// Drain reads drainLimit bytes and no more, whatever comes meanwhile.
func TestCollectorDrainLimit(t *testing.T) {
	c := newCollector(t)
	for _, size := range []int{drainLimit - 1, drainLimit, drainLimit + 1, 2 * drainLimit} {
		r, pw := pipe(t)
		k := newTaker(t)
		left := bytes.Repeat([]byte("x"), size)
		refill := func() { // as much as fits, without waiting
			conn, err := pw.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			conn.Control(func(fd uintptr) {
				for len(left) > 0 {
					n, err := unix.Write(int(fd), left)
					if err != nil {
						return
					}
					left = left[n:]
				}
			})
		}
		w, err := c.Watch(r, func(data []byte) { k.take(data); refill() })
		if err != nil {
			t.Fatal(err)
		}
		c.readers.remove(&w.tap) // only Drain is to read
		refill()
		w.Drain()
		if want := min(size, drainLimit); len(k.all) != want {
			t.Errorf("of %d bytes %d were read, want %d", size, len(k.all), want)
		}
		w.Close()
		pw.Close()
	}
}

// Where there is no descriptor left there is an error, no leak, and another try.
func TestCollectorWithoutDescriptors(t *testing.T) {
	c := newCollector(t)
	r, _ := pipe(t)
	r2, pw := pipe(t)
	k := newTaker(t)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Watch(r, k.take)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if want := "mailbox: watch |0: epoll_create1: too many open files"; err == nil || err.Error() != want || !errors.Is(err, unix.EMFILE) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := r.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing the file: got %v, want %v", err, os.ErrClosed)
	}
	w := mustWatch(t, c, r2, k)
	write(t, pw, "again")
	w.Drain()
	if got := string(k.all); got != "again" {
		t.Errorf("got %q", got)
	}
}

// What cannot be waited for is refused, with its name, and closed.
func TestCollectorRefuses(t *testing.T) {
	spawntest.Check(t)
	var c Collector
	defer c.Close()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Watch(f, func([]byte) { t.Error("it was read") })
	if want := "mailbox: watch /dev/null: epoll_ctl: operation not permitted"; err == nil || err.Error() != want || !errors.Is(err, unix.EPERM) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing the file: got %v, want %v", err, os.ErrClosed)
	}
}
