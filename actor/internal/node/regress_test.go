//go:build unix

package node

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// strangerID is the address of one of many.
func strangerID(i, kind int) codec.ID { return codec.ID{0xfe, byte(i), byte(i >> 8), byte(kind)} }

// regWait waits for what other goroutines do.
func regWait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("it never was: %s", what)
		}
	}
}

// An end is remembered until so many others have ended since, also if it is not the first
// of that actor.
func TestRegressEpitaphs(t *testing.T) {
	x := codec.ID{0xff, 1}
	for _, before := range []int{0, 1, epitaphLimit - 2, epitaphLimit - 1, epitaphLimit, epitaphLimit + 1} { // between its two ends
		for _, after := range []int{epitaphLimit - 1, epitaphLimit, epitaphLimit + 1} {
			b := newEpitaphBook()
			b.add(&wire.Down{ID: x, Incarnation: 1})
			for i := range before {
				b.add(&wire.Down{ID: strangerID(i, 1)})
			}
			b.add(&wire.Down{ID: x, Incarnation: 2})
			for i := range after {
				if d := b.find(x); i < epitaphLimit && (d == nil || d.Incarnation != 2) {
					t.Errorf("%d others, its second end: forgotten after %d, the limit is %d", before, i, epitaphLimit)
					break
				}
				b.add(&wire.Down{ID: strangerID(i, 2)})
			}
			if d := b.find(x); after >= epitaphLimit && d != nil {
				t.Errorf("%d others, its second end, %d others: still remembered", before, after)
			}
			if len(b.downs) > epitaphLimit {
				t.Errorf("%d are remembered, the limit is %d", len(b.downs), epitaphLimit)
			}
		}
	}
}

// One actor that ends again and again is one entry.
func TestRegressEpitaphsOfOne(t *testing.T) {
	b := newEpitaphBook()
	other, x := codec.ID{0xff, 2}, codec.ID{0xff, 1}
	b.add(&wire.Down{ID: other})
	for i := range uint64(3 * epitaphLimit) {
		b.add(&wire.Down{ID: x, Incarnation: i})
	}
	if d := b.find(x); d == nil || d.Incarnation != 3*epitaphLimit-1 {
		t.Errorf("got %+v, want its last end", d)
	}
	if b.find(other) == nil || len(b.downs) != 2 {
		t.Errorf("%d are remembered, want both", len(b.downs))
	}
}

// regFill puts so many messages into self, which does not read: the first of them fill its mailbox, the
// others wait.
func (s *stage) regFill(t *testing.T, n int) {
	t.Helper()
	f, err := codec.AppendFrame(nil, &codec.Envelope{Kind: wire.KindTell, To: selfID, Type: []byte("T"), Payload: []byte{0xc0}}, stageLimit)
	for range n {
		if err == nil {
			err = s.self.mailbox.Enqueue(f, nil)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What the node itself has to say to a process that does not read is bounded, also if it has
// to stand behind messages that wait for room.
func TestRegressUnreadIsBounded(t *testing.T) {
	for _, test := range []struct {
		name string
		ask  func(i uint64) []byte
	}{
		{"Downs", func(i uint64) []byte {
			return service(wire.ServiceMonitor, i, wire.MonitorRequest{ID: i, Target: nobodyID})
		}},
		{"final Downs", func(i uint64) []byte {
			return service(wire.ServiceMonitor, i, wire.MonitorRequest{ID: i, Target: nobodyID, Final: true})
		}},
		{"Exits of links", func(i uint64) []byte { return service(wire.ServiceLink, i, nobodyID) }},
	} {
		for waiting, n := range map[string]int{"": 0, ", behind a waiter": 20} {
			t.Run(test.name+waiting, func(t *testing.T) {
				spawntest.Check(t)
				s := newStage(t)
				defer s.strike()
				s.regFill(t, n)
				var script []byte
				for i := range uint64(2 * wire.MaxMonitors) {
					script = append(script, test.ask(i+10)...)
				}
				err := s.play(script)
				messages, _ := s.self.mailbox.Depth()
				unread := messages + s.self.mailbox.Waiting()
				if _, ok := errors.AsType[breach](err); !ok || !strings.Contains(err.Error(), "does not read") {
					t.Errorf("got %v, want a breach; %d are kept", err, unread)
				}
				if most := s.self.spec.Messages + wire.MaxMonitors + 2; unread < wire.MaxMonitors || unread > most {
					t.Errorf("%d are kept, want between %d and %d", unread, wire.MaxMonitors, most)
				}
			})
		}
	}
}

// Exit signals that others send are refused then, and the process is not blamed for it.
func TestRegressUnreadExitsAreRefused(t *testing.T) {
	for waiting, n := range map[string]int{"empty": 0, "behind a waiter": 20} {
		t.Run(waiting, func(t *testing.T) {
			spawntest.Check(t)
			s := newStage(t)
			defer s.strike()
			s.regFill(t, n)
			sent := 0
			var err error
			for ; err == nil && sent < 2*wire.MaxMonitors; sent++ {
				err = exit(peerID, selfID, wire.Reason{Cause: wire.Normal})
			}
			if f, ok := errors.AsType[*wire.Failure](err); !ok || f.Code != wire.Full || f.Fate != wire.FateNotSent {
				t.Errorf("after %d: got %v, want that it is full", sent, err)
			}
			if sent < wire.MaxMonitors-n {
				t.Errorf("the number %d was refused, the limit is %d", sent, wire.MaxMonitors)
			}
			if v := s.self.proc.verdict; v.Cause != "" {
				t.Errorf("it is to end: %+v", v)
			}
			if err := exit(peerID, selfID, wire.Reason{Cause: wire.Killed}); err != nil {
				t.Errorf("Killed, which takes no room: %v", err)
			}
		})
	}
}

// The limit on the bytes of timers counts all of them: messages, types and keys.
func TestRegressTimerBytes(t *testing.T) {
	long := strings.Repeat("x", wire.MaxTimerBytes+1)
	for part, request := range map[string]func(id uint64, n int) *wire.TimerRequest{
		"key":  func(id uint64, n int) *wire.TimerRequest { return &wire.TimerRequest{ID: id, Key: long[:n]} },
		"type": func(id uint64, n int) *wire.TimerRequest { return &wire.TimerRequest{ID: id, Type: long[:n]} },
		"message": func(id uint64, n int) *wire.TimerRequest {
			return &wire.TimerRequest{ID: id, Payload: []byte(long[:n])}
		},
	} {
		start := func(c *Cell, id uint64, n int) error {
			r := request(id, n)
			r.After = math.MaxInt64
			_, err := c.timer(r)
			return err
		}
		for _, n := range []int{wire.MaxTimerBytes - 1, wire.MaxTimerBytes, wire.MaxTimerBytes + 1} {
			c := new(Cell)
			// One of a third of the size and one of the rest: of the same size they had the same key.
			if err := start(c, 1, n/3); err != nil {
				t.Fatal(err)
			}
			if err := start(c, 2, n-n/3); err != nil {
				t.Errorf("%s: %d bytes and %d more: %v", part, n/3, n-n/3, err)
			}
			for id := uint64(3); id < 5; id++ {
				err := start(c, id, 2+int(id))
				if f, ok := errors.AsType[*wire.Failure](err); ok != (n >= wire.MaxTimerBytes || id == 4) || ok && f.Code != wire.Refused {
					t.Errorf("%s: behind %d bytes: got %v", part, n, err)
				}
			}
			// What has ended does not count.
			if ok, err := c.timer(&wire.TimerRequest{ID: 1, Cancel: true}); !ok || err != nil {
				t.Errorf("%s: cancel: got %t, %v", part, ok, err)
			}
			if err := start(c, 5, 1); err != nil {
				t.Errorf("%s: behind two thirds of %d bytes: %v", part, n, err)
			}
			c.timers.close()
		}
	}
}

// A timer that was due counts until its message is taken in, or never will be: so
// nobody is sent more than that.
func TestRegressTimersOfAFullMailbox(t *testing.T) {
	for what, to := range map[string]codec.ID{"actor": peerID, "inbox": inboxID} {
		t.Run(what, func(t *testing.T) {
			spawntest.Check(t)
			s := newStage(t)
			defer s.strike()
			// Full of what somebody else has sent.
			target, _ := routes.Load(to)
			for err := error(nil); err == nil; {
				err = regPut(target, to)
			}
			id := uint64(0)
			start := func(after time.Duration) error {
				id++
				_, err := s.self.timer(&wire.TimerRequest{ID: id, To: to, Type: "T", Payload: []byte{0xc0}, After: after})
				return err
			}
			for i := range wire.MaxTimers {
				// Half of them are due already.
				if err := start(time.Duration(i%2) * time.Hour); err != nil {
					t.Fatalf("number %d: %v", i+1, err)
				}
			}
			if f, ok := errors.AsType[*wire.Failure](start(0)); !ok || f.Code != wire.Refused {
				t.Errorf("number %d: got %v, want that it is refused", wire.MaxTimers+1, f)
			}
			regWait(t, "all that are due wait for room", func() bool { return regQueued(target) == wire.MaxTimers/2 })
			if err := start(0); err == nil {
				t.Error("those that are due do not count any more")
			}
			// One place is free again for each that is taken in.
			switch target := target.(type) {
			case *Cell:
				if err := target.mailbox.Release(1); err != nil {
					t.Fatal(err)
				}
			case *Inbox:
				if _, err := target.Receive(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := start(time.Hour); err != nil {
				t.Errorf("one was taken in: %v", err)
			}
			if err := start(time.Hour); err == nil {
				t.Error("one was taken in, and two were started")
			}
			// And for each that never will be.
			if inbox, ok := target.(*Inbox); ok {
				inbox.Close()
				for range wire.MaxTimers/2 - 1 {
					if err := start(time.Hour); err != nil {
						t.Fatalf("the inbox is closed: %v", err)
					}
				}
				if err := start(time.Hour); err == nil {
					t.Error("more than there were")
				}
			}
		})
	}
}

// regPut gives a target a message, unless it is full.
func regPut(t any, to codec.ID) error {
	env := codec.Envelope{Kind: wire.KindTell, To: to, Type: []byte("T"), Payload: []byte{0xc0}}
	return t.(target).deliver(&env, true, func() {})
}

// regQueued is how many messages wait for room.
func regQueued(t any) int {
	switch t := t.(type) {
	case *Cell:
		return t.mailbox.Waiting()
	case *Inbox:
		t.mu.Lock()
		defer t.mu.Unlock()
		return len(t.waiting)
	}
	return -1
}

// When Unlink has returned, no exit signal of that link comes any more, whatever happens to the other
// one at the same time.
func TestRegressUnlinkIsFinal(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	peer, l := find(peerID), s.self.proc.link
	// Some others are told as well, so that it takes a while.
	others := func() {
		for i := range uint64(50) {
			peer.add(monitor{id: 1<<40 + i}, watch{notify: func(*wire.Down) { runtime.Gosched() }})
		}
	}
	unread := func() int {
		messages, _ := s.self.mailbox.Depth()
		return messages + s.self.mailbox.Waiting()
	}
	for round := range 3000 {
		others()
		before := unread()
		l.bind(peerID)
		var dying sync.WaitGroup
		begun := make(chan struct{})
		dying.Go(func() {
			close(begun)
			peer.inform(&wire.Down{ID: peerID, Reason: wire.Reason{Cause: wire.Normal}}, false)
		})
		<-begun
		for range round % 40 {
			runtime.Gosched()
		}
		l.unbind(peerID)
		unlinked := unread()
		dying.Wait()
		if after := unread(); after != unlinked {
			t.Fatalf("round %d: a signal came after Unlink", round)
		}
		if unlinked > before+1 {
			t.Fatalf("round %d: %d signals of one link", round, unlinked-before)
		}
		peer.proc.link.untie(selfID)
	}
}
