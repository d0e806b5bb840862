//go:build unix

package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// isRefused checks that err is a refusal that names the limit.
func isRefused(t *testing.T, err error, limit int) {
	t.Helper()
	f, ok := errors.AsType[*wire.Failure](err)
	if !ok || f.Code != wire.Refused || f.Fate != wire.FateNotSent || !strings.Contains(f.Text, fmt.Sprint(limit)) {
		t.Errorf("got %v, want a refusal that names %d", err, limit)
	}
}

func TestRoomUnderAnActor(t *testing.T) {
	actor := &member{post: &post{actor: &wire.Spec{}}}
	child := &member{parent: actor, post: &post{supervisor: &wire.Supervisor{}, weight: 10}, spec: &tree.Child{Supervisor: &tree.Supervisor{}}}
	child.enter()
	if actor.under != 1 || actor.weight != 10 || child.under != 0 {
		t.Fatalf("%d under it, of %d bytes", actor.under, actor.weight)
	}
	for n := range 3 { // limit-1, limit, limit+1, the child included
		err := child.hasRoom(wire.MaxUnder-2+n, 0)
		heavy := child.hasRoom(1, wire.MaxUnderBytes-11+n)
		if n < 2 {
			if err != nil || heavy != nil {
				t.Errorf("refused: %v, %v", err, heavy)
			}
			continue
		}
		isRefused(t, err, wire.MaxUnder)
		isRefused(t, heavy, wire.MaxUnderBytes)
	}
	child.leave()
	if actor.under != 0 || actor.weight != 0 {
		t.Errorf("%d are left under it, of %d bytes", actor.under, actor.weight)
	}
	if err := (*member)(nil).hasRoom(wire.MaxUnder+1, wire.MaxUnderBytes+1); err != nil {
		t.Errorf("the program itself has no such limit: %v", err)
	}
}

func TestTimerRate(t *testing.T) {
	timed(t, func(c *timerClock) {
		most := wire.MaxTimerRate * int(wire.MinTimer) / int(time.Second) // of the quickest
		for id := range uint64(most - 1) {
			c.start(wire.TimerRequest{ID: id + 1, After: time.Hour, Every: wire.MinTimer})
		}
		c.start(wire.TimerRequest{ID: 1 << 20, After: time.Hour, Every: wire.MinTimer, Key: "k"}) // the last that has room
		fire := func(*wire.TimerRequest, func()) { t.Error("fired") }
		_, err := c.ts.start(&wire.TimerRequest{ID: 1<<20 + 1, Every: time.Second}, fire)
		isRefused(t, err, wire.MaxTimerRate)
		c.start(wire.TimerRequest{ID: 1<<20 + 2, After: time.Hour})                                 // due once
		c.start(wire.TimerRequest{ID: 1<<20 + 3, After: time.Hour, Every: wire.MinTimer, Key: "k"}) // in place of another
		c.ts.close()
		if c.ts.rate != 0 {
			t.Errorf("a rate of %d is left", c.ts.rate)
		}
	})
}

func TestServicesUnderWay(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	l := s.self.proc.link
	for n, want := range []bool{false, false, true} {
		l.services.Store(int32(wire.MaxServices - 2 + n)) // this one would be limit-1, limit, limit+1
		if got := l.isOverworked(1); got != want {
			t.Errorf("with %d under way: refused %t", wire.MaxServices-2+n, got)
		}
	}
	l.services.Store(0)
}

func TestRecordSize(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	record := func(n int) []byte {
		payload, err := codec.Append(nil, &wire.Record{Time: time.Unix(0, 0), Message: strings.Repeat("x", n)})
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	extra := len(record(wire.MaxRecord/2)) - wire.MaxRecord/2
	for n := -1; n <= 1; n++ {
		payload := record(wire.MaxRecord - extra + n)
		if len(payload) != wire.MaxRecord+n {
			t.Fatalf("%d bytes", len(payload))
		}
		before := s.node.logs.dropped.Load()
		f, err := codec.AppendFrame(nil, &codec.Envelope{Kind: wire.KindLog, Payload: payload}, 1<<30)
		if err == nil {
			err = s.self.proc.link.handle(f[5:])
		}
		if got := s.node.logs.dropped.Load() > before; err != nil || got != (n > 0) {
			t.Errorf("a record of %d bytes: dropped %t, %v", len(payload), got, err)
		}
	}
}
