//go:build unix

package actor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// R30 to R33: which ends of which children lead to a restart. Unlike OTP's, the zero
// value is transient (there it is permanent). Each case has a supervisor of its own.
func TestC11_RestartTypes(t *testing.T) {
	s := newScenario(t)
	if actor.Restart(0) != actor.Transient {
		t.Error("the zero value is not transient")
	}
	t.Run("cases", func(t *testing.T) {
		for _, r := range []actor.Restart{actor.Permanent, actor.Transient, actor.Temporary} {
			for _, kind := range []string{"normal", "shutdown", "shutdown x", "error", "panic", "SIGKILL", "exit 3"} {
				t.Run(r.String()+" "+kind, func(t *testing.T) {
					t.Parallel()
					s.in(t).testEnd(r, kind)
				})
			}
		}
	})
}

func (s scenario) testEnd(r actor.Restart, kind string) {
	name := strings.ReplaceAll(r.String()+"-"+kind, " ", "-")
	normal := kind == "normal" || strings.HasPrefix(kind, "shutdown")
	returns := r == actor.Permanent || r == actor.Transient && !normal
	sup := s.spawn(actor.Supervisor{Children: []actor.Child{s.restart(name, r)}})
	first := s.up(name + "#1")
	s.checkDown(s.order(name+"#1", kind), kind, returns)
	switch {
	case returns:
		if again := s.up(name + "#2"); again.Self != first.Self || again.Pid == first.Pid {
			s.Errorf("after process %d of %v comes %d of %v", first.Pid, first.Self, again.Pid, again.Self)
		}
		if c := s.child(sup, name); c.Restarts != 1 || c.State != actor.Running || reasonOf(c.Last) != kind {
			s.Errorf("it is %v after %d restarts, the last for %v", c.State, c.Restarts, c.Last)
		}
	case r == actor.Transient: // the specification is kept
		s.checkChildren(sup, name+"#1 stopped")
		if c := s.child(sup, name); c.Restarts != 0 || c.Pid != 0 || reasonOf(c.Last) != kind {
			s.Errorf("it has process %d after %d restarts and ended with %v", c.Pid, c.Restarts, c.Last)
		}
		s.must(sup.RestartChild(s.ctx(), first.Self))
		s.up(name + "#2")
	default: // it is not, and the name is free
		s.checkCount(sup, actor.ChildCount{})
		s.checkFree(name)
		again, err := sup.StartChild(s.ctx(), s.restart(name, r))
		if err != nil || again == first.Self {
			s.Errorf("started again it is %v (%v), the first was %v", again, err, first.Self)
		}
		s.checkChildren(sup, name+"#1 running")
	}
}

// R36: under one-for-one only the dead child is restarted. OTP's child would have a new
// pid everywhere; here the Ref stays, and so do the messages it has not begun.
func TestC12_OneForOne(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Children: s.specs("a", "b", "c")})
	s.check("start a#1", "start b#1", "start c#1")
	b := s.process("b#1")
	s.checkDown(s.crash("b#1"), "SIGKILL", true)
	if again := s.up("b#2"); again.Self != b.Self || again.Pid == b.Pid {
		t.Errorf("after process %d of %v comes %d of %v", b.Pid, b.Self, again.Pid, again.Self)
	}
	s.check("gone b#1", "start b#2")
	s.checkChildren(web, "a#1 running", "b#2 running", "c#1 running")
	for _, c := range s.children(web) {
		if got := s.process(strings.Fields(state(c))[0]); c.Pid != got.Pid || c.Ref != got.Self {
			t.Errorf("%s is process %d of %v, want %d of %v", c.ID, c.Pid, c.Ref, got.Pid, got.Self)
		}
	}
	s.up("a#1")
	s.up("c#1")
}

// R37: under one-for-all, when b dies: d, c and a are stopped, each after the one
// before is gone; then a, b, c and d are started, each when the one before is up.
func TestC13_OneForAll(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Strategy: actor.OneForAll, Children: s.specs("a", "b", "c", "d")})
	s.check("start a#1", "start b#1", "start c#1", "start d#1")
	s.checkDown(s.order("b#1", "panic"), "panic", true)
	s.up("d#2")
	s.check("gone b#1", "stop d#1", "gone d#1", "stop c#1", "gone c#1", "stop a#1", "gone a#1",
		"start a#2", "start b#2", "start c#2", "start d#2")
	s.checkChildren(web, "a#2 running", "b#2 running", "c#2 running", "d#2 running")
}

// R38: under rest-for-one, when b dies: d and c are stopped; then b, c and d are
// started. a is left alone.
func TestC14_RestForOne(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Strategy: actor.RestForOne, Children: s.specs("a", "b", "c", "d")})
	s.check("start a#1", "start b#1", "start c#1", "start d#1")
	a := s.process("a#1")
	s.checkDown(s.order("b#1", "panic"), "panic", true)
	s.up("d#2")
	s.check("gone b#1", "stop d#1", "gone d#1", "stop c#1", "gone c#1", "start b#2", "start c#2", "start d#2")
	s.checkChildren(web, "a#1 running", "b#2 running", "c#2 running", "d#2 running")
	if got := s.up("a#1"); got.Pid != a.Pid {
		t.Errorf("a was process %d and is %d", a.Pid, got.Pid)
	}
}

// R39: a group is restarted only if the child is: a normal end of a transient one
// leaves its siblings alone.
func TestC15_NormalEndUnderOneForAll(t *testing.T) {
	for _, strategy := range []actor.Strategy{actor.OneForAll, actor.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			s := newScenario(t)
			web := s.spawn(actor.Supervisor{Strategy: strategy, Children: s.specs("a", "b", "c")})
			s.check("start a#1", "start b#1", "start c#1")
			s.checkDown(s.order("b#1", "normal"), "normal", false)
			s.up("a#1")
			s.up("c#1")
			s.check("stop b#1", "gone b#1")
			s.checkChildren(web, "a#1 running", "b#1 stopped", "c#1 running")
			// R40: the next restart of the group starts it too.
			s.checkDown(s.order("a#1", "panic"), "panic", true)
			s.up("c#2")
			s.check("gone a#1", "stop c#1", "gone c#1", "start a#2", "start b#2", "start c#2")
		})
	}
}

// R34, R39: the crash of a temporary child leaves its siblings alone, and its
// specification is gone. Stopped with its siblings, it does not come back.
func TestC16_TemporaryUnderOneForAll(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Strategy: actor.OneForAll, Children: []actor.Child{
		s.spec("a"), s.restart("b", actor.Temporary), s.restart("c", actor.Temporary)}})
	b := s.process("b#1")
	s.check("start a#1", "start b#1", "start c#1")
	s.checkDown(s.order("b#1", "panic"), "panic", false)
	s.up("a#1")
	s.up("c#1")
	s.check("gone b#1")
	s.checkChildren(web, "a#1 running", "c#1 running")
	s.checkFree("b")
	// Its name is free for something else.
	d := s.restart("d", actor.Temporary)
	d.Name = "b"
	ref, err := web.StartChild(s.ctx(), d)
	if err != nil || ref == b.Self {
		t.Fatalf("StartChild: got %v (%v), another than %v is wanted", ref, err, b.Self)
	}
	watches := []*actor.Monitor{s.sys.Watch(ref), s.sys.Watch(s.process("c#1").Self)}
	s.checkDown(s.crash("a#1"), "SIGKILL", true)
	for _, w := range watches {
		s.checkDown(s.down(w), "shutdown", false)
	}
	s.up("a#2")
	s.check("start d#1", "gone a#1", "stop d#1", "gone d#1", "stop c#1", "gone c#1", "start a#2")
	s.checkChildren(web, "a#2 running")
	s.checkFree("b", "c")
}

// R41: when a child fails to start in a restart of one-for-all, those just restarted
// are stopped again, in reverse, and the whole group is tried again.
func TestC17_OneForAllRestartFails(t *testing.T) {
	for _, test := range []struct {
		fails string
		want  []string // after the group was stopped
	}{
		{"a", []string{"start a#2", "gone a#2", "start a#3", "start b#2", "start c#2"}},
		{"b", []string{"start a#2", "start b#2", "gone b#2", "stop a#2", "gone a#2", "start a#3", "start b#3", "start c#2"}},
		{"c", []string{"start a#2", "start b#2", "start c#2", "gone c#2", "stop b#2", "gone b#2", "stop a#2", "gone a#2",
			"start a#3", "start b#3", "start c#3"}},
	} {
		t.Run(test.fails, func(t *testing.T) {
			s := newScenario(t)
			web := s.spawn(actor.Supervisor{Strategy: actor.OneForAll, Intensity: 2, Period: time.Hour, Children: s.specs("a", "b", "c")})
			s.check("start a#1", "start b#1", "start c#1")
			s.at("start "+test.fails+"#2", command{Fail: "no port"})
			s.checkDown(s.order("b#1", "panic"), "panic", true)
			last := test.want[len(test.want)-1]
			s.up(strings.TrimPrefix(last, "start "))
			s.check(append([]string{"gone b#1", "stop c#1", "gone c#1", "stop a#1", "gone a#1"}, test.want...)...)
			// Two attempts have cost two restarts, so the next crash is one too many.
			m := s.sys.Monitor(web)
			s.crash("a#3")
			s.checkGivenUp(m)
		})
	}
}

// R42: when a child fails to start in a restart of rest-for-one, it is tried again from
// that child on. Those before it keep running.
func TestC18_RestForOneRestartFails(t *testing.T) {
	for _, test := range []struct {
		fails string
		want  []string // after the group was stopped
		after []string
	}{
		{"b", []string{"start b#2", "gone b#2", "start b#3", "start c#2", "start d#2"},
			[]string{"a#1 running", "b#3 running", "c#2 running", "d#2 running"}},
		{"c", []string{"start b#2", "start c#2", "gone c#2", "start c#3", "start d#2"},
			[]string{"a#1 running", "b#2 running", "c#3 running", "d#2 running"}},
		{"d", []string{"start b#2", "start c#2", "start d#2", "gone d#2", "start d#3"},
			[]string{"a#1 running", "b#2 running", "c#2 running", "d#3 running"}},
	} {
		t.Run(test.fails, func(t *testing.T) {
			s := newScenario(t)
			web := s.spawn(actor.Supervisor{Strategy: actor.RestForOne, Children: s.specs("a", "b", "c", "d")})
			s.check("start a#1", "start b#1", "start c#1", "start d#1")
			s.at("start "+test.fails+"#2", command{Fail: "no port"})
			s.checkDown(s.order("b#1", "panic"), "panic", true)
			last := test.want[len(test.want)-1]
			s.up(strings.TrimPrefix(last, "start "))
			s.check(append([]string{"gone b#1", "stop d#1", "gone d#1", "stop c#1", "gone c#1"}, test.want...)...)
			s.checkChildren(web, test.after...)
		})
	}
}

// R43: a restart has the arguments of the first start; a dynamic child has its own.
func TestRestartHasTheSameArguments(t *testing.T) {
	s := newScenario(t)
	template := subjects.With(subjectArg{"none", s.inbox.Ref()})
	pool := s.spawn(actor.Supervisor{Strategy: actor.Dynamic, Children: []actor.Child{template}})
	for i := range 3 {
		_, err := pool.StartChild(s.ctx(), s.spec(fmt.Sprint("x", i)))
		s.must(err)
	}
	s.checkDown(s.crash("x1#1"), "SIGKILL", true)
	s.up("x1#2") // which is what it calls itself
	s.up("x0#1")
	s.up("x2#1")
	if _, err := s.sys.Lookup("x1"); err != nil {
		t.Error(err)
	}
	// What is not of the template's type has no place here.
	if ref, err := pool.StartChild(s.ctx(), prober); err == nil {
		t.Errorf("%v was started, which is not of the template's type", ref)
	}
}
