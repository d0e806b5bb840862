//go:build unix

package actor_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// svBell is an actor with timers, which reports each time one is due.
type svBell struct {
	arg  svBellArg
	rung int
}

type svBellArg struct{ Report actor.Ref }

type (
	// svSet starts a timer whose message is the svRing N, and ends so, if End is not
	// empty, before anything else is handled.
	svSet struct {
		To           actor.Ref
		After, Every time.Duration
		N            int
		Key          string
		Durable      bool
		End          string
	}
	// svRing is reported as svRung.
	svRing struct{ N int }
	svRung struct {
		N           int
		Incarnation uint64
		Sender, By  actor.Ref
		Asked       bool
	}
	// svShort is SendAfter or SendEvery.
	svShort struct {
		D     time.Duration
		Every bool
		N     int
	}
	// svCancel cancels a timer.
	svCancel struct{ ID actor.TimerID }
	// svRungSoFar is answered with how often it has rung, in this process.
	svRungSoFar struct{}
	// svOdd starts a timer that cannot be.
	svOdd struct{ How string }
)

var bells = actor.Define("bell", func(_ *actor.Context, arg svBellArg) (*svBell, error) { return &svBell{arg: arg}, nil },
	actor.On((*svBell).Set), actor.On((*svBell).Short), actor.OnTell((*svBell).Ring), actor.On((*svBell).Cancel),
	actor.On((*svBell).SoFar), actor.On((*svBell).Odd), actor.On((*svBell).Facts), actor.On((*svBell).Hold))

func (b *svBell) Set(c *actor.Context, m svSet) (actor.TimerID, error) {
	id, err := c.StartTimer(c, actor.Timer{To: m.To, After: m.After, Every: m.Every, Message: svRing{m.N}, Key: m.Key, Durable: m.Durable})
	if err == nil && m.End != "" {
		_, err = svEndBy(c, m.End)
	}
	return id, err
}

func (b *svBell) Short(c *actor.Context, m svShort) (actor.TimerID, error) {
	if m.Every {
		return c.SendEvery(c, m.D, svRing{m.N})
	}
	return c.SendAfter(c, m.D, svRing{m.N})
}

func (b *svBell) Ring(c *actor.Context, m svRing) error {
	b.rung++
	return b.arg.Report.Tell(context.Background(), svRung{m.N, c.Incarnation(), c.Sender(), c.Self(), c.Asked()})
}

func (b *svBell) Cancel(c *actor.Context, m svCancel) (bool, error) { return c.CancelTimer(c, m.ID) }

func (b *svBell) SoFar(*actor.Context, svRungSoFar) (int, error) { return b.rung, nil }

func (b *svBell) Facts(*actor.Context, Facts) (Facts, error) {
	return Facts{Pid: syscall.Getpid()}, nil
}

func (b *svBell) Hold(c *actor.Context, m Hold) (string, error) {
	return actor.Ask[string](context.Background(), m.Gate, Held{})
}

func (b *svBell) Odd(c *actor.Context, m svOdd) (string, error) {
	t := actor.Timer{After: time.Hour, Message: svRing{}}
	switch m.How {
	case "unhandled":
		t.Message = Unknown{}
	case "unencodable":
		t.Message = struct{ F func() }{}
	case "nil":
		t.Message = nil
	case "too large":
		t.Message = Blob{make([]byte, 17<<20)}
		t.To = b.arg.Report
	case "negative period":
		t.Every = -time.Second
	case "too often":
		t.Every = time.Millisecond - 1
	case "often":
		t.Every = time.Millisecond
	}
	id, err := c.StartTimer(c, t)
	if err != nil {
		return "", err
	}
	_, err = c.CancelTimer(c, id)
	return "started", err
}

// svTower is a system with a bell.
type svTower struct {
	*testing.T
	sys   *actor.System
	inbox *actor.Inbox
	bell  actor.Ref
}

func newSvTower(t *testing.T) svTower {
	t.Helper()
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, svRung{}, svRing{}, Held{})
	spec := bells.With(svBellArg{inbox.Ref()})
	spec.Intensity = 1000
	return svTower{t, sys, inbox, svSpawn(t, sys, spec)}
}

func (s svTower) set(m svSet) actor.TimerID {
	s.Helper()
	return ask[actor.TimerID](s, s.bell, m)
}

func (s svTower) cancel(id actor.TimerID) bool {
	s.Helper()
	return ask[bool](s, s.bell, svCancel{id})
}

// rings checks which one rings next.
func (s svTower) rings(n int) svRung {
	s.Helper()
	_, r := receive[svRung](s, s.inbox)
	if r.N != n || r.By != s.bell || r.Asked {
		s.Fatalf("got %+v, want %d", r, n)
	}
	return r
}

// Not before its time, and once.
func TestSendAfter(t *testing.T) {
	s := newSvTower(t)
	for _, d := range []time.Duration{-time.Hour, 0, time.Millisecond, 50 * time.Millisecond} {
		begin := time.Now()
		id := ask[actor.TimerID](t, s.bell, svShort{D: d, N: 1})
		if r := s.rings(1); r.Sender != s.bell || r.Incarnation != 1 {
			t.Errorf("got %+v, want it from itself", r)
		}
		if took := time.Since(begin); took < d {
			t.Errorf("it came after %v, want %v", took, d)
		}
		if s.cancel(id) {
			t.Error("one that was due was cancelled")
		}
	}
	// In the order of their times, not of their starts.
	var ids []actor.TimerID
	for _, d := range []int{300, 100, 200} {
		ids = append(ids, ask[actor.TimerID](t, s.bell, svShort{D: time.Duration(d) * time.Millisecond, N: d}))
	}
	for _, n := range []int{100, 200, 300} {
		s.rings(n)
	}
	if ids[0] == ids[1] || ids[1] == ids[2] || ids[0] == ids[2] {
		t.Errorf("IDs are not unique: %v", ids)
	}
	if n := ask[int](t, s.bell, svRungSoFar{}); n != 7 {
		t.Errorf("it rang %d times, want 7", n)
	}
}

// The first one comes after d, too; after CancelTimer none follows.
func TestSendEvery(t *testing.T) {
	s := newSvTower(t)
	const d = 5 * time.Millisecond
	begin := time.Now()
	id := ask[actor.TimerID](t, s.bell, svShort{D: d, Every: true, N: 1})
	for i := range 10 {
		s.rings(1)
		if took := time.Since(begin); took < time.Duration(i+1)*d {
			t.Errorf("number %d came after %v", i+1, took)
		}
	}
	if !s.cancel(id) {
		t.Error("there was nothing to cancel")
	}
	if s.cancel(id) {
		t.Error("it was cancelled twice")
	}
	// What was on its way has been handled, for this Ask comes after it.
	n := ask[int](t, s.bell, svRungSoFar{})
	for range n - 10 {
		s.rings(1)
	}
	ask[actor.TimerID](t, s.bell, svShort{D: 20 * d, N: 2})
	s.rings(2)

	// The first may have a time of its own.
	begin = time.Now()
	id = s.set(svSet{After: 60 * time.Millisecond, Every: time.Millisecond, N: 3})
	s.rings(3)
	if took := time.Since(begin); took < 60*time.Millisecond {
		t.Errorf("the first came after %v", took)
	}
	s.rings(3)
	s.rings(3)
	s.cancel(id)

	// Between two of its times it is there.
	id = s.set(svSet{After: time.Millisecond, Every: time.Hour, N: 4})
	for {
		if _, r := receive[svRung](t, s.inbox); r.N == 4 {
			break
		}
	}
	if !s.cancel(id) || s.cancel(id) {
		t.Error("cancelled twice: want true and then false")
	}
}

// CancelTimer tells whether there was one.
func TestCancelTimer(t *testing.T) {
	s := newSvTower(t)
	id := s.set(svSet{After: 100 * time.Millisecond, N: 1})
	if !s.cancel(id) {
		t.Error("one that was not due: got false")
	}
	if s.cancel(id) || s.cancel(id+1000) || s.cancel(0) {
		t.Error("one that is not there: got true")
	}
	// Another actor has no business with it.
	id = s.set(svSet{After: 100 * time.Millisecond, N: 2})
	other := svSpawn(t, s.sys, bells.With(svBellArg{s.inbox.Ref()}))
	ask[bool](t, other, svCancel{id})
	s.rings(2) // and never the first
}

// A timer may be for somebody else.
func TestTimerForAnother(t *testing.T) {
	s := newSvTower(t)
	other := svSpawn(t, s.sys, bells.With(svBellArg{s.inbox.Ref()}))
	s.set(svSet{To: other, After: time.Millisecond, N: 1})
	if _, r := receive[svRung](t, s.inbox); r.N != 1 || r.By != other || r.Sender != s.bell {
		t.Errorf("got %+v, want it from %v to %v", r, s.bell, other)
	}
	s.set(svSet{To: s.inbox.Ref(), After: time.Millisecond, N: 2})
	if m, r := receive[svRing](t, s.inbox); r.N != 2 || m.From != s.bell || m.Asked() {
		t.Errorf("got %+v from %v", r, m.From)
	}
	// Whom nobody is there to get it is a dead letter.
	letters := s.sys.DeadLetters()
	defer letters.Stop()
	if err := other.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := actor.Ask[actor.TimerID](t.Context(), s.bell, svSet{To: other, After: time.Millisecond, N: 3})
	if err == nil { // it may be refused at once
		if l := within(t, letters.C); l.To != other || l.From != s.bell || svDecode[svRing](t, l).N != 3 {
			t.Errorf("got %+v", l)
		}
	}
	s.set(svSet{After: time.Millisecond, N: 4})
	s.rings(4)
}

// A Key is one timer.
func TestTimerKey(t *testing.T) {
	s := newSvTower(t)
	old := s.set(svSet{After: 100 * time.Millisecond, N: 1, Key: "k"})
	other := s.set(svSet{After: 200 * time.Millisecond, N: 2, Key: "other"})
	id := s.set(svSet{After: 150 * time.Millisecond, N: 3, Key: "k"})
	if old == id || other == id {
		t.Errorf("IDs are not unique: %d, %d, %d", old, other, id)
	}
	if s.cancel(old) {
		t.Error("one that was replaced was cancelled")
	}
	s.rings(3) // and never the first
	s.rings(2)
	// One that comes again, too; and the key is free when it was due.
	s.set(svSet{After: time.Millisecond, Every: time.Millisecond, N: 4, Key: "k"})
	s.rings(4)
	s.rings(4)
	last := s.set(svSet{After: time.Hour, N: 5, Key: "k"})
	rung := ask[int](t, s.bell, svRungSoFar{})
	for range rung - 4 {
		s.rings(4)
	}
	s.set(svSet{After: 20 * time.Millisecond, N: 6})
	s.rings(6)
	if !s.cancel(last) {
		t.Error("the last one is not there")
	}
}

// Timers end with the process, unless they are Durable: those go on with the next,
// and replace each other over it.
func TestTimersAndRestarts(t *testing.T) {
	s := newSvTower(t)
	const late = 500 * time.Millisecond
	s.set(svSet{After: late, N: 1})
	s.set(svSet{After: time.Millisecond, Every: 10 * time.Millisecond, N: 2})
	s.rings(2)
	durable := s.set(svSet{After: 2 * late, N: 3, Durable: true})
	s.set(svSet{After: 2 * late, N: 4, Durable: true, Key: "k"})
	replaced := s.set(svSet{After: 3 * late / 2, N: 5, Durable: true, Key: "k"})
	gone := s.set(svSet{After: time.Hour, N: 6})

	pid := pidOf(t, s.bell)
	m := s.sys.Monitor(s.bell)
	sendSignal(t, pid, syscall.SIGKILL)
	ended(t, m)
	if got := pidOf(t, s.bell); got == pid {
		t.Fatal("the same process")
	}
	if s.cancel(gone) {
		t.Error("a timer outlived its process")
	}
	if replaced == durable {
		t.Error("two timers have the same ID")
	}
	again := s.set(svSet{After: 7 * late / 4, N: 7, Durable: true, Key: "k"})
	for _, id := range []actor.TimerID{durable, replaced, gone} {
		if again == id {
			t.Errorf("the ID %d is used again", id)
		}
	}
	// Of the periodic one some may have been in the mailbox.
	var got []svRung
	for len(got) == 0 || got[len(got)-1].N != 3 {
		_, r := receive[svRung](t, s.inbox)
		if r.N == 2 && len(got) == 0 {
			continue
		}
		got = append(got, r)
	}
	if len(got) != 2 || got[0].N != 7 || got[0].Incarnation != 2 || got[1].Incarnation != 2 {
		t.Errorf("got %+v, want 7 and 3 of the second process", got)
	}
}

// A durable timer with a period goes on, also while there is no process; it ends
// with the actor.
func TestDurableTimers(t *testing.T) {
	s := newSvTower(t)
	id := s.set(svSet{After: time.Millisecond, Every: 5 * time.Millisecond, N: 1, Durable: true})
	for round := range 5 {
		for s.rings(1).Incarnation != uint64(round+1) {
		}
		sendSignal(t, pidOf(t, s.bell), syscall.SIGKILL)
	}
	for s.rings(1).Incarnation != 6 {
	}
	if !s.cancel(id) || s.cancel(id) {
		t.Error("the next process cancels it twice: want true and then false")
	}
	far := s.set(svSet{After: time.Hour, N: 1, Durable: true})
	sendSignal(t, pidOf(t, s.bell), syscall.SIGKILL)
	if !s.cancel(far) {
		t.Error("the next process cannot cancel it")
	}
	to := s.set(svSet{To: s.inbox.Ref(), After: time.Millisecond, Every: time.Millisecond, N: 2, Durable: true})
	if to == id {
		t.Error("the ID is used again")
	}
	for {
		m, err := s.inbox.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := m.Value.(svRing); ok && r.N == 2 {
			break
		}
	}
	if err := s.bell.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// All that came before the end is before this; then comes what another bell
	// sends in twenty times the period, and nothing between them.
	tell(t, s.inbox.Ref(), svRing{3})
	other := svSpawn(t, s.sys, bells.With(svBellArg{s.inbox.Ref()}))
	ask[actor.TimerID](t, other, svSet{To: s.inbox.Ref(), After: 20 * time.Millisecond, N: 4})
	seen := 0
	for seen != 4 {
		m, err := s.inbox.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, ok := m.Value.(svRing)
		if seen == 3 && (!ok || r.N != 4) {
			t.Fatalf("got %+v after the end", m.Value)
		}
		if ok && r.N > 2 {
			seen = r.N
		}
	}
}

// The message of a timer is one like others: it survives in the mailbox.
func TestTimerMessageSurvives(t *testing.T) {
	s := newSvTower(t)
	pid := pidOf(t, s.bell)
	s.set(svSet{After: time.Millisecond, N: 1})
	s.rings(1)
	s.set(svSet{After: 30 * time.Millisecond, N: 2}) // not durable, but due while the actor is busy
	s.set(svSet{To: s.inbox.Ref(), After: 60 * time.Millisecond, N: 3})
	hold(t, s.inbox, s.bell)
	for {
		m, err := s.inbox.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := m.Value.(svRing); ok && r.N == 3 {
			break
		}
		if r, ok := m.Value.(svRung); ok {
			t.Skipf("the machine is too slow: %+v came before the actor was held", r)
		}
	}
	sendSignal(t, pid, syscall.SIGKILL)
	if r := s.rings(2); r.Incarnation != 2 {
		t.Errorf("got %+v", r)
	}
}

// What can be no timer is an error when it is started.
func TestTimerMisuse(t *testing.T) {
	s := newSvTower(t)
	for how, is := range map[string]error{
		"unhandled": actor.ErrUnhandled, "nil": actor.ErrUnhandled, "unencodable": nil, "too large": actor.ErrTooLarge,
		"negative period": nil, "too often": nil,
	} {
		got, err := actor.Ask[string](t.Context(), s.bell, svOdd{how})
		if err == nil || is != nil && !errors.Is(err, is) {
			t.Errorf("%s: got %q, %v; want %v", how, got, err, is)
		} else if !strings.Contains(err.Error(), "timer") {
			t.Errorf("%s: %q does not say what failed", how, err)
		}
	}
	if got := ask[string](t, s.bell, svOdd{"often"}); got != "started" {
		t.Errorf("every millisecond: got %q", got)
	}
}

// What is due once is not lost for want of room; what comes again is left out, so
// that an actor that cannot keep up is not flooded.
func TestTimerOfFullMailbox(t *testing.T) {
	s := newSvTower(t)
	letters := s.sys.DeadLetters()
	defer letters.Stop()
	spec := bells.With(svBellArg{s.inbox.Ref()})
	spec.Mailbox = actor.Mailbox{Messages: 3}
	small := svSpawn(t, s.sys, spec)
	release := hold(t, s.inbox, small)
	tell(t, small, svRing{1})
	tell(t, small, svRing{2})
	if err := small.Tell(impatient(t), svRing{-1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it is not full: %v", err)
	}
	s.set(svSet{To: small, After: time.Millisecond, N: 3})
	s.set(svSet{To: small, After: time.Millisecond, Every: time.Millisecond, N: -1, Key: "flood"})
	s.set(svSet{To: s.inbox.Ref(), After: 30 * time.Millisecond, N: 0})
	receive[svRing](t, s.inbox)
	s.set(svSet{After: time.Hour, Key: "flood"}) // in its place
	release()
	for n := 1; n <= 3; n++ {
		if _, r := receive[svRung](t, s.inbox); r.By != small || r.N != n {
			t.Errorf("got %+v, want %d", r, n)
		}
	}
	tell(t, small, svRing{4})
	if _, r := receive[svRung](t, s.inbox); r.N != 4 {
		t.Errorf("got %+v, want 4", r)
	}
	for len(letters.C) > 0 {
		if l := <-letters.C; l.To != small || svDecode[svRing](t, l).N != -1 || !errors.Is(l.Reason, actor.ErrMailboxFull) {
			t.Errorf("got %+v", l)
		}
	}
}
