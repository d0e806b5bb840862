//go:build unix

package actor_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// R20, R29: a supervisor stops its children in reverse order, each when the one after
// it is gone, reaped and all. Stop returns after the last.
func TestC06_StopInReverse(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Name: "web", Children: s.specs("a", "b", "c")})
	m := s.sys.Monitor(web)
	s.check("start a#1", "start b#1", "start c#1")
	goC, goB, goA := s.hold("stop c#1"), s.hold("stop b#1"), s.hold("stop a#1")
	stopped := s.stopLater(web)
	for _, step := range []struct {
		child string
		let   func()
		left  []string
		since []string
	}{
		{"c", goC, []string{"a#1 running", "b#1 running", "c#1 stopping"}, []string{"stop c#1"}},
		{"b", goB, []string{"a#1 running", "b#1 stopping", "c#1 stopped"}, []string{"gone c#1", "stop b#1"}},
		{"a", goA, []string{"a#1 stopping", "b#1 stopped", "c#1 stopped"}, []string{"gone b#1", "stop a#1"}},
	} {
		s.await("stop " + step.child + "#1")
		s.checkChildren(web, step.left...)
		s.check(step.since...)
		select {
		case err := <-stopped:
			t.Errorf("Stop has returned (%v) before %s is gone", err, step.child)
		default:
		}
		step.let()
	}
	if err := finally(t, "Stop", stopped); err != nil {
		t.Error(err)
	}
	s.check("gone a#1")
	s.checkGivenUp(m)
	s.checkFree("web", "a", "b", "c")
}

// R21: a child that takes no notice of being told to stop is killed after its
// StopTimeout, and the stop goes on. Here the time is a real one, 200 ms; the upper bound
// is for machines that have other things to do.
func TestC07_StopTimeout(t *testing.T) {
	const limit = 200 * time.Millisecond
	for _, test := range []struct {
		name string
		busy func(s scenario)
		log  []string
	}{
		{"spins in a handler", func(s scenario) {
			s.must(s.process("b#1").Self.Tell(s.ctx(), deed{"spin"}))
			s.await("spin b#1")
		}, []string{"start a#1", "start b#1", "spin b#1", "gone b#1", "stop a#1", "gone a#1"}},
		{"spins in Stop", func(s scenario) { s.at("stop b#1", command{Do: "spin"}) },
			[]string{"start a#1", "start b#1", "stop b#1", "spin b#1", "gone b#1", "stop a#1", "gone a#1"}},
		{"waits in Stop", func(s scenario) { s.hold("stop b#1") },
			[]string{"start a#1", "start b#1", "stop b#1", "gone b#1", "stop a#1", "gone a#1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScenario(t)
			b := s.spec("b")
			b.StopTimeout = limit
			web := s.spawn(actor.Supervisor{Name: "web", Children: []actor.Child{s.spec("a"), b}})
			m := s.sys.Monitor(s.process("b#1").Self)
			test.busy(s)
			begin := time.Now()
			s.stop(web)
			s.checkDown(s.down(m), "killed", false)
			if took := time.Since(begin); took < limit || took > patience {
				t.Errorf("it took %v, want at least %v and not much more", took, limit)
			}
			s.check(test.log...)
		})
	}
}

// R22: a child with BrutalKill gets no notice. A supervisor with it goes with its
// whole subtree.
func TestC08_BrutalKill(t *testing.T) {
	s := newScenario(t)
	c := s.spec("c")
	c.StopTimeout = actor.BrutalKill
	web := s.spawn(actor.Supervisor{Name: "web", Children: []actor.Child{
		s.spec("a"),
		actor.Supervisor{Name: "sub", StopTimeout: actor.BrutalKill, Children: s.specs("b")},
		c,
		s.spec("d"),
	}})
	downs := make(map[string]*actor.Monitor)
	for _, name := range []string{"a", "b", "c", "d"} {
		downs[name] = s.sys.Monitor(s.process(name + "#1").Self)
	}
	s.stop(web)
	s.check("start a#1", "start b#1", "start c#1", "start d#1",
		"stop d#1", "gone b#1", "gone c#1", "gone d#1", "stop a#1", "gone a#1")
	s.checkDown(s.down(downs["d"]), "shutdown", false)
	s.checkDown(s.down(downs["c"]), "killed", false)
	s.checkDown(s.down(downs["b"]), "killed", false)
	s.checkDown(s.down(downs["a"]), "shutdown", false)
}

// R26: a dynamic supervisor stops its children all at the same time: each of the 200
// stays in its Stop until the last has been told. One after another that would
// never end. (200 ms each, one after another, would be 40 s.)
func TestC09_DynamicChildrenStopTogether(t *testing.T) {
	const n = 200
	s := newScenario(t)
	template := subjects.With(subjectArg{"none", s.inbox.Ref()})
	template.StopTimeout = patience
	pool := s.spawn(actor.Supervisor{Name: "pool", Strategy: actor.Dynamic, Children: []actor.Child{template}})
	names := make(chan string, n)
	var stops []string
	var open []func()
	for i := range n {
		name := fmt.Sprint("x", i)
		names <- name
		stops = append(stops, "stop "+name+"#1")
		open = append(open, s.hold("stop "+name+"#1"))
	}
	close(names)
	var starters sync.WaitGroup
	ctx := s.ctx()
	for range 8 {
		starters.Go(func() {
			for name := range names {
				if _, err := pool.StartChild(ctx, s.spec(name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	starters.Wait()
	s.checkCount(pool, actor.ChildCount{Specs: n, Active: n, Workers: n})

	stopped := s.stopLater(pool)
	s.await(stops...)
	for _, c := range s.children(pool) {
		if c.State != actor.Stopping {
			t.Errorf("%s is %v, want stopping", c.Name, c.State)
		}
	}
	for _, let := range open {
		let()
	}
	if err := finally(t, "Stop", stopped); err != nil {
		t.Error(err)
	}
	gone := 0
	for _, line := range s.log() {
		if len(line) > 4 && line[:4] == "gone" {
			gone++
		}
	}
	if gone != n {
		t.Errorf("%d processes are gone when Stop returns, want %d", gone, n)
	}
}

// R25: children that die in other ways than they were told do not keep a stop from its
// end, and it is told how they died. One dies by itself before its turn.
func TestC10_OddEndsDuringStop(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Name: "web", Children: []actor.Child{
		s.spec("a"), s.restart("b", actor.Permanent), s.spec("c"), s.restart("d", actor.Permanent),
		s.restart("e", actor.Temporary), s.spec("f")}})
	s.check("start a#1", "start b#1", "start c#1", "start d#1", "start e#1", "start f#1")
	downs := make(map[string]*actor.Monitor)
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		downs[name] = s.sys.Monitor(s.process(name + "#1").Self)
	}
	events := s.events()
	m := s.sys.Monitor(web)
	s.at("stop f#1", command{Do: "panic"})
	s.at("stop e#1", command{Do: "exit 3"})
	s.at("stop d#1", command{Do: "SIGKILL"})
	goC := s.hold("stop c#1")
	stopped := s.stopLater(web)
	s.await("stop c#1")
	s.checkDown(s.crash("a#1"), "SIGKILL", false)
	s.checkDown(s.down(downs["a"]), "SIGKILL", false)
	goC()
	if err := finally(t, "Stop", stopped); err != nil {
		t.Error("stop:", err)
	}
	s.check("stop f#1", "gone f#1", "stop e#1", "gone e#1", "stop d#1", "gone d#1", "stop c#1",
		"gone a#1", "gone c#1", "stop b#1", "gone b#1")
	for name, reason := range map[string]string{"b": "shutdown", "c": "shutdown", "d": "SIGKILL", "e": "exit 3", "f": "panic"} {
		s.checkDown(s.down(downs[name]), reason, false)
	}
	s.checkGivenUp(m)
	// The observers are told the same, in order.
	var ends []string
	for _, e := range s.happened(events) {
		switch e.Kind {
		case actor.EventExited:
			ends = append(ends, e.Name+" "+reasonOf(e.Reason))
		case actor.EventRestarting, actor.EventGaveUp:
			t.Errorf("there was %v", e)
		}
	}
	want := []string{"f panic", "e exit 3", "d SIGKILL", "a SIGKILL", "c shutdown", "b shutdown", "web shutdown"}
	if !slices.Equal(ends, want) {
		t.Errorf("the ends were %q, want %q", ends, want)
	}
}

// R86: a supervisor's name is free when its Down arrives, as an actor's is.
func TestSupervisorsNameIsFreeAtDown(t *testing.T) {
	s := newScenario(t)
	var stops sync.WaitGroup
	defer stops.Wait()
	ctx := s.ctx()
	for i := range 1000 {
		web, err := s.sys.Spawn(ctx, actor.Supervisor{Name: "web"})
		if err != nil {
			t.Fatalf("supervisor %d: %v", i, err)
		}
		m := s.sys.Monitor(web)
		stops.Go(func() { web.Stop(ctx) }) // the Down may be there before it returns
		s.checkGivenUp(m)
	}
}
