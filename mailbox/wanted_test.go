//go:build linux || darwin

package mailbox

import (
	"context"
	"testing"
)

// The reader is to tell what is finished when frames wait for room and nobody looks for it, and no longer when
// none waits.
func TestWanted(t *testing.T) {
	page, file, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	file.Close()
	check(t)
	ring := page.Inbox()
	w := NewWriter(nil, WriterConfig{Capacity: Capacity{Messages: 1}, Retain: true})
	defer w.Close()
	wanted := func(want bool, when string) {
		t.Helper()
		if ring.Wanted() != want {
			t.Errorf("%s: wanted: %t", when, !want)
		}
	}
	attach := func() {
		t.Helper()
		in, out := pipe(t)
		t.Cleanup(func() { in.Close() })
		if _, err := w.Attach(out, nil, func() uint64 { return 0 }, ring); err != nil {
			t.Fatal(err)
		}
	}
	attach()
	mustPut(t, w, numbered(1, 9))
	if err := w.TryPut(numbered(2, 9)); err != ErrFull {
		t.Fatal(err)
	}
	wanted(false, "nobody waits")

	if err := w.Enqueue(numbered(2, 9), nil); err != nil {
		t.Fatal(err)
	}
	wanted(true, "a frame waits")
	put := make(chan error)
	go func() { put <- w.Put(context.Background(), numbered(3, 9)) }()
	eventually(t, "Put waits", func() bool { return w.Waiting() == 2 })
	if err := w.Release(1); err != nil {
		t.Fatal(err)
	}
	wanted(true, "one still waits")
	if err := w.Release(2); err != nil {
		t.Fatal(err)
	}
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	wanted(false, "none waits any more")

	go func() { put <- w.Put(context.Background(), numbered(4, 9)) }()
	eventually(t, "Put sleeps", ring.Wanted)
	w.Detach(0, 2)
	ring.word(ringWanted).Store(0) // as on a new page
	attach()
	wanted(true, "one waits for room with the next reader")
	if err := w.Release(1); err != nil {
		t.Fatal(err)
	}
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	wanted(false, "it has got it")
}
