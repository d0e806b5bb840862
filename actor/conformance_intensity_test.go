//go:build unix

package actor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// R44, R47, R49: three restarts are made, whoever of the children needs them; at the
// next crash the supervisor stops the rest in reverse and ends with reason shutdown.
func TestC19_IntensityExceeded(t *testing.T) {
	s := newScenario(t)
	events := s.events()
	web := s.spawn(actor.Supervisor{Name: "web", Intensity: 3, Period: time.Hour, Children: s.specs("a", "b", "c")})
	m := s.sys.Monitor(web)
	s.checkDown(s.crash("b#1"), "SIGKILL", true)
	s.up("b#2")
	s.checkDown(s.crash("c#1"), "SIGKILL", true)
	s.up("c#2")
	s.checkDown(s.crash("b#2"), "SIGKILL", true)
	s.up("b#3")
	top := info(t, s, "web")
	if top.Recent != 3 || top.Limit != 3 {
		t.Errorf("the budget is %d of %d, want 3 of 3", top.Recent, top.Limit)
	}
	s.check("start a#1", "start b#1", "start c#1",
		"gone b#1", "start b#2", "gone c#1", "start c#2", "gone b#2", "start b#3")
	s.checkDown(s.crash("b#3"), "SIGKILL", false)
	s.checkGivenUp(m)
	s.check("gone b#3", "stop c#2", "gone c#2", "stop a#1", "gone a#1")
	s.checkFree("web", "a", "b", "c")
	gaveUp := 0
	for _, e := range s.happened(events) {
		if e.Kind == actor.EventGaveUp {
			if gaveUp++; e.Ref != web {
				t.Errorf("%v gave up, want web", e)
			}
		}
	}
	if gaveUp != 1 {
		t.Errorf("%d have given up, want one", gaveUp)
	}
}

// info returns what the system says of what has no parent and that name.
func info(t testing.TB, s scenario, name string) actor.ChildInfo {
	t.Helper()
	for c := range s.sys.Children() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("nothing is called %q", name)
	panic("unreachable")
}

// R44: what counts is the restarts within the period. The vectors, exact to the
// nanosecond (OTP: whole seconds), are in the transcript c20_intensity_window of
// package tree, with a clock of its own. Here one period is longer than the test and
// another shorter than any restart.
func TestC20_IntensityWindow(t *testing.T) {
	t.Run("an hour", func(t *testing.T) {
		s := newScenario(t)
		web := s.spawn(actor.Supervisor{Intensity: 2, Period: time.Hour, Children: s.specs("a")})
		m := s.sys.Monitor(web)
		s.checkDown(s.crash("a#1"), "SIGKILL", true)
		s.checkDown(s.crash("a#2"), "SIGKILL", true)
		s.checkDown(s.crash("a#3"), "SIGKILL", false)
		s.checkGivenUp(m)
	})
	t.Run("a nanosecond", func(t *testing.T) {
		s := newScenario(t)
		web := s.spawn(actor.Supervisor{Intensity: 1, Period: 1, Children: s.specs("a")})
		const n = 10
		for i := range n {
			s.checkDown(s.crash(fmt.Sprint("a#", i+1)), "SIGKILL", true)
		}
		s.up(fmt.Sprint("a#", n+1))
		if got := s.child(web, "a").Restarts; got != n {
			t.Errorf("%d restarts, want %d", got, n)
		}
	})
	// An actor on its own has its own budget, by default three in five seconds; over it, it
	// alone ends. OTP has no such thing.
	t.Run("without a supervisor", func(t *testing.T) {
		s := newScenario(t)
		a, b := s.spec("a"), s.spec("b")
		a.Intensity, a.Period = 2, time.Hour
		b.Intensity, b.Period = actor.NoRestarts, time.Hour
		ref, other := s.spawn(a), s.spawn(b)
		w := s.sys.Watch(ref)
		s.checkDown(s.crash("a#1"), "SIGKILL", true)
		s.checkDown(s.crash("a#2"), "SIGKILL", true)
		s.checkDown(s.crash("a#3"), "SIGKILL", false)
		s.checkDown(s.down(w), "SIGKILL", false)
		s.checkFree("a")
		s.up("b#1")
		w = s.sys.Watch(other)
		s.checkDown(s.crash("b#1"), "SIGKILL", false)
		s.checkDown(s.down(w), "SIGKILL", false)
	})
}

// R45: with no restarts allowed, the first crash that calls for one ends the
// supervisor.
func TestC21_NoRestarts(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Intensity: actor.NoRestarts, Children: []actor.Child{
		s.spec("a"), s.restart("b", actor.Temporary), s.spec("c")}})
	m := s.sys.Monitor(web)
	s.checkDown(s.crash("b#1"), "SIGKILL", false)
	s.up("c#1")
	s.check("start a#1", "start b#1", "start c#1", "gone b#1")
	s.checkDown(s.crash("a#1"), "SIGKILL", false)
	s.checkGivenUp(m)
	s.check("gone a#1", "stop c#1", "gone c#1")
}

// R46: each failed attempt to restart is one more restart, and the next follows at
// once: with intensity 4 there are exactly four.
func TestC22_RestartAlwaysFails(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Intensity: 4, Period: time.Hour, Children: s.specs("a", "b")})
	m := s.sys.Monitor(web)
	for i := 2; i < 10; i++ {
		s.at(fmt.Sprint("start b#", i), command{Fail: "no port"})
	}
	s.checkDown(s.order("b#1", "panic"), "panic", true)
	s.checkGivenUp(m)
	s.check("start a#1", "start b#1", "gone b#1",
		"start b#2", "gone b#2", "start b#3", "gone b#3", "start b#4", "gone b#4", "start b#5", "gone b#5",
		"stop a#1", "gone a#1")
}

// R48: ends that call for no restart cost none, however many, and neither do
// TerminateChild and RestartChild.
func TestC23_WhatCostsNothing(t *testing.T) {
	const n = 20
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Name: "web", Intensity: 1, Period: time.Hour, Children: s.specs("a", "t")})
	m := s.sys.Monitor(web)
	a, normal := s.process("a#1").Self, s.process("t#1").Self
	for i := range n {
		name := fmt.Sprint("x", i)
		_, err := web.StartChild(s.ctx(), s.restart(name, actor.Temporary))
		s.must(err)
		s.checkDown(s.crash(name+"#1"), "SIGKILL", false)
		s.checkDown(s.order(fmt.Sprint("t#", i+1), "normal"), "normal", false)
		s.must(web.RestartChild(s.ctx(), normal))
	}
	for range 3 {
		s.must(web.TerminateChild(s.ctx(), a))
		s.must(web.RestartChild(s.ctx(), a))
	}
	s.checkChildren(web, "a#4 running", fmt.Sprintf("t#%d running", n+1))
	if got := info(t, s, "web"); got.Recent != 0 || got.Limit != 1 {
		t.Errorf("the budget is %d of %d, want 0 of 1", got.Recent, got.Limit)
	}
	// So the one restart is still to be had.
	s.checkDown(s.crash("a#4"), "SIGKILL", true)
	s.checkDown(s.crash("a#5"), "SIGKILL", false)
	s.checkGivenUp(m)
}

// R50, R51: a supervisor that gives up ends with shutdown. If it is permanent, its
// parent starts it afresh: what its list says, without what was added later, with what was
// stopped by hand, and with a full budget. If it is transient, that was a normal
// end, and it is left stopped.
func TestC24_Escalation(t *testing.T) {
	for _, restart := range []actor.Restart{actor.Permanent, actor.Transient} {
		t.Run(restart.String(), func(t *testing.T) {
			s := newScenario(t)
			top := s.spawn(actor.Supervisor{Name: "top", Intensity: 1, Period: time.Hour, Children: []actor.Child{
				actor.Supervisor{Name: "pool", Restart: restart, Intensity: 1, Period: time.Hour, Children: s.specs("a", "b")},
				s.spec("c"),
			}})
			pool := s.child(top, "pool").Ref
			_, err := pool.StartChild(s.ctx(), s.spec("late"))
			s.must(err)
			s.must(pool.TerminateChild(s.ctx(), s.process("b#1").Self))
			s.check("start a#1", "start b#1", "start c#1", "start late#1", "stop b#1", "gone b#1")
			s.checkDown(s.crash("a#1"), "SIGKILL", true)
			s.up("a#2")
			s.check("gone a#1", "start a#2")

			m, late := s.sys.Monitor(pool), s.sys.Watch(s.process("late#1").Self)
			s.checkDown(s.crash("a#2"), "SIGKILL", restart == actor.Permanent)
			s.checkDown(s.down(m), "shutdown", restart == actor.Permanent)
			s.checkDown(s.down(late), "shutdown", false)
			s.checkFree("late")
			if restart == actor.Transient {
				s.check("gone a#2", "stop late#1", "gone late#1")
				s.checkChildren(top, "pool#1 stopped", "c#1 running")
				if _, err := pool.StartChild(s.ctx(), s.spec("later")); !errors.Is(err, actor.ErrNotRunning) {
					t.Errorf("StartChild under what is stopped: got %v, want ErrNotRunning", err)
				}
				s.must(top.RestartChild(s.ctx(), pool))
				s.check("start a#3", "start b#2")
				s.checkChildren(pool, "a#3 running", "b#2 running")
				return
			}
			s.up("b#2")
			s.check("gone a#2", "stop late#1", "gone late#1", "start a#3", "start b#2")
			s.checkChildren(pool, "a#3 running", "b#2 running")
			s.checkChildren(top, "pool#2 running", "c#1 running")
			s.checkDown(s.crash("a#3"), "SIGKILL", true)
			s.up("a#4")
		})
	}
}

// R52: with intensities of 1 and 1 the top ends at the fourth crash, (1+1)·(1+1).
func TestC25_TwoLevels(t *testing.T) {
	s := newScenario(t)
	top := s.spawn(actor.Supervisor{Intensity: 1, Period: time.Hour, Children: []actor.Child{
		actor.Supervisor{Restart: actor.Permanent, Intensity: 1, Period: time.Hour, Children: s.specs("a")},
	}})
	m := s.sys.Monitor(top)
	for i := range 3 {
		s.checkDown(s.crash(fmt.Sprint("a#", i+1)), "SIGKILL", true)
	}
	s.checkDown(s.crash("a#4"), "SIGKILL", false)
	s.checkGivenUp(m)
	s.check("start a#1", "gone a#1", "start a#2", "gone a#2", "start a#3", "gone a#3", "start a#4", "gone a#4")
}
