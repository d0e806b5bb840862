package spawn

import (
	"bytes"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// offering returns a Process that is nothing but its Inbox, and the other end of that.
func offering(t *testing.T) (*Process, *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	p := &Process{exact: true, Inbox: os.NewFile(uintptr(fds[1]), "inbox")}
	r := os.NewFile(uintptr(fds[0]), "reader")
	t.Cleanup(func() { p.Close(); r.Close() })
	return p, r
}

// What is offered arrives whole or not at all.
func TestOffer(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: true, offerLimit - 1: true, offerLimit: true, offerLimit + 1: false} {
		p, r := offering(t)
		b := bytes.Repeat([]byte{7}, n)
		if got := p.Offer(b); got != want {
			t.Errorf("%d bytes: %v", n, got)
		}
		p.Close()
		if got, err := io.ReadAll(r); err != nil || want != (len(got) > 0) || want && !bytes.Equal(got, b) {
			t.Errorf("%d bytes: %d have come, %v", n, len(got), err)
		}
	}
	p, r := offering(t)
	taken := 0
	for b := make([]byte, 1000); p.Offer(b); {
		taken += len(b)
	}
	p.Close()
	if got, err := io.ReadAll(r); err != nil || len(got) != taken {
		t.Errorf("of %d bytes that a full pipe took %d have come, %v", taken, len(got), err)
	}
}

// Offer is for a process that is certain to be this program, while its Inbox is there.
func TestOfferRefused(t *testing.T) {
	for name, change := range map[string]func(p *Process, r *os.File){
		"another file": func(p *Process, _ *os.File) { p.exact = false },
		"taken":        func(p *Process, _ *os.File) { p.TakeInbox().Close() },
		"closed":       func(p *Process, _ *os.File) { p.Close() },
		"no reader":    func(_ *Process, r *os.File) { r.Close() },
	} {
		p, r := offering(t)
		if change(p, r); p.Offer([]byte{1}) {
			t.Errorf("%s: it was written", name)
		}
	}
}
