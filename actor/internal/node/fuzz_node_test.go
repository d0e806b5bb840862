//go:build linux

package node

import (
	"bytes"
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// fuzzPatience is how long a run may take to come to its end; without a deadlock that is
// milliseconds.
const fuzzPatience = 20 * time.Second

// FuzzNode plays two processes that do what a script says, with their pipes, their rings and their
// pages, while the program asks them. The node does not panic, does not stand still, answers each Ask, keeps
// its accounts, and takes memory in proportion to the script. The seeds are in testdata.
func FuzzNode(f *testing.F) {
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4<<10 {
			t.Skip("more of the same")
		}
		var before, after runtime.MemStats
		r := newFuzzRun(t, script)
		runtime.ReadMemStats(&before)
		for len(r.script) > 0 {
			r.step()
		}
		r.check(t)
		r.finish(t)
		runtime.ReadMemStats(&after)
		const perByte, once = 20_000, 16 << 20
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(perByte*len(script)+once) {
			t.Errorf("%d bytes made the node allocate %d", len(script), got)
		}
	})
}

// fuzzBells fill a good part of a pipe.
var fuzzBells = bytes.Repeat([]byte{0xc1, 0xc0}, 512)

func newFuzzRun(t testing.TB, script []byte) *fuzzRun {
	t.Helper()
	r := &fuzzRun{stage: newEmptyStage(t), script: script}
	r.puppets = [2]*puppet{r.puppet(t, selfID), r.puppet(t, peerID)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// check looks at the accounts of each process.
func (r *fuzzRun) check(t *testing.T) {
	for _, u := range r.puppets {
		l := u.cell.proc.link
		l.mu.Lock()
		for to, ch := range l.channels {
			ch.mu.Lock()
			if ch.messages < 0 || ch.bytes < 0 || ch.credit.Messages < 0 || ch.credit.Bytes < 0 || len(ch.waiting) > ch.messages {
				t.Errorf("to %x: %d messages and %d bytes are charged, %d wait, credit %+v", to[:1], ch.messages, ch.bytes, len(ch.waiting), ch.credit)
			}
			ch.mu.Unlock()
		}
		l.mu.Unlock()
	}
}

// finish has the processes die and the node close, and waits for all that was begun.
func (r *fuzzRun) finish(t *testing.T) {
	stuck := time.AfterFunc(fuzzPatience, func() {
		debug.SetTraceback("all")
		panic("the node stands still")
	})
	defer stuck.Stop()
	for _, u := range r.puppets {
		p := u.cell.proc
		leaves(p)
		p.link.in.Drain()
		<-p.link.done
	}
	r.strike()
	r.asks.Wait() // none was given up: the answer is the end
	r.cancel()
	if asked, ended := r.asked.Load(), r.ended.Load(); asked != ended {
		t.Errorf("%d of %d Asks have ended", ended, asked)
	}
	for _, id := range []codec.ID{selfID, peerID, rejectID, inboxID} {
		if _, ok := routes.Load(id); ok {
			t.Errorf("%x is still an address", id[:1])
		}
	}
	for _, u := range r.puppets {
		u.in.Close()
		u.out.Close()
		if err := unix.Munmap(u.memory); err != nil {
			t.Error(err)
		}
	}
}

// A process that another has left behind can neither keep the dead one's link from its end by bells, nor
// by what it says is in the ring.
func TestDrainEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		next func(u *puppet)
	}{
		{"bells", func(u *puppet) { u.out.Write(fuzzBells) }},
		{"the ring", func(u *puppet) {
			u.word(fuzzOutbox).Store(u.word(fuzzOutbox+64).Load() + fuzzRing)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spawntest.Check(t)
			drainEnds(t, test.next)
		})
	}
}

// drainEnds has a process die that uses the ring, while another one goes on with next.
func drainEnds(t *testing.T, next func(u *puppet)) {
	s := newEmptyStage(t)
	u := s.puppet(t, selfID)
	// Whatever the ring is said to hold, it is frames of an unknown kind.
	f := frame(codec.Envelope{Kind: 99}, "")
	f = frame(codec.Envelope{Kind: 99, Type: make([]byte, 63-len(f))}, "")
	if len(f) != 64 {
		t.Fatalf("a frame of %d bytes", len(f))
	}
	u.publish(bytes.Repeat(f, fuzzRing/len(f)))
	var stop atomic.Bool
	var other sync.WaitGroup
	other.Go(func() {
		for !stop.Load() {
			next(u)
		}
	})
	p := u.cell.proc
	leaves(p)
	p.link.in.Drain()
	select {
	case <-p.link.done:
	case <-time.After(fuzzPatience):
		t.Error("the link does not end")
	}
	stop.Store(true)
	p.link.in.Close() // who writes still, gets EPIPE
	other.Wait()
	<-p.link.done
	s.strike()
	if err := unix.Munmap(u.memory); err != nil {
		t.Error(err)
	}
}
