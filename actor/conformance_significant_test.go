//go:build unix

package actor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// significant is a child whose own end counts.
func (s scenario) significant(name string, r actor.Restart) actor.Spec {
	spec := s.restart(name, r)
	spec.Significant = true
	return spec
}

// R67 to R69: a supervisor with AutoShutdown ends, with shutdown and after it has
// stopped the others in reverse, when a significant child (or the last of them) has
// ended by itself and is not restarted; and for nothing else.
func TestC28_AutoShutdown(t *testing.T) {
	for _, test := range []struct {
		name  string
		sup   actor.Supervisor
		lives func(s scenario, sup actor.Ref) // what it takes no notice of
		who   string                          // whose end is its end; "" for none
		kind  string
		since []string // the log since lives
	}{
		{
			name: "any, transient, normal",
			sup:  actor.Supervisor{AutoShutdown: actor.AnySignificant},
			lives: func(s scenario, sup actor.Ref) {
				s.checkDown(s.crash("t#1"), "SIGKILL", true)
				s.up("t#2")
			},
			who: "t#2", kind: "normal",
			since: []string{"stop t#2", "gone t#2", "stop c#1", "gone c#1", "stop x#1", "gone x#1", "stop u#1", "gone u#1", "stop a#1", "gone a#1"},
		},
		{
			name: "any, transient, shutdown",
			sup:  actor.Supervisor{AutoShutdown: actor.AnySignificant},
			who:  "t#1", kind: "shutdown",
			since: []string{"stop t#1", "gone t#1", "stop c#1", "gone c#1", "stop x#1", "gone x#1", "stop u#1", "gone u#1", "stop a#1", "gone a#1"},
		},
		{
			name: "any, temporary, a crash",
			sup:  actor.Supervisor{AutoShutdown: actor.AnySignificant},
			lives: func(s scenario, sup actor.Ref) {
				// One that is not significant, an end by hand, a start by hand.
				s.checkDown(s.crash("x#1"), "SIGKILL", false)
				s.checkDown(s.order("c#1", "normal"), "normal", false)
				t := s.process("t#1").Self
				s.must(sup.TerminateChild(s.ctx(), t))
				s.must(sup.RestartChild(s.ctx(), t))
				s.up("t#2")
			},
			who: "u#1", kind: "SIGKILL",
			since: []string{"gone u#1", "stop t#2", "gone t#2", "stop a#1", "gone a#1"},
		},
		{
			name: "any, temporary, by hand",
			sup:  actor.Supervisor{AutoShutdown: actor.AnySignificant},
			lives: func(s scenario, sup actor.Ref) {
				s.must(sup.TerminateChild(s.ctx(), s.process("u#1").Self))
				s.must(s.process("t#1").Self.Stop(s.ctx()))
				s.checkChildren(sup, "a#1 running", "x#1 running", "t#1 stopped", "c#1 running")
			},
		},
		{
			name: "all",
			sup:  actor.Supervisor{AutoShutdown: actor.AllSignificant},
			lives: func(s scenario, sup actor.Ref) {
				s.checkDown(s.crash("u#1"), "SIGKILL", false)
				s.checkDown(s.crash("t#1"), "SIGKILL", true)
				s.up("t#2")
			},
			who: "t#2", kind: "normal",
			since: []string{"stop t#2", "gone t#2", "stop c#1", "gone c#1", "stop x#1", "gone x#1", "stop a#1", "gone a#1"},
		},
		{
			name: "all, the last by hand",
			sup:  actor.Supervisor{AutoShutdown: actor.AllSignificant},
			lives: func(s scenario, sup actor.Ref) {
				s.checkDown(s.order("t#1", "normal"), "normal", false)
				s.must(sup.TerminateChild(s.ctx(), s.process("u#1").Self))
			},
		},
		{
			name: "any, a bystander",
			sup:  actor.Supervisor{AutoShutdown: actor.AnySignificant, Strategy: actor.OneForAll},
			lives: func(s scenario, sup actor.Ref) {
				s.checkDown(s.crash("a#1"), "SIGKILL", true)
				s.up("c#2")
				s.checkChildren(sup, "a#2 running", "t#2 running", "c#2 running") // u and x were temporary
			},
			who: "t#2", kind: "normal",
			since: []string{"stop t#2", "gone t#2", "stop c#2", "gone c#2", "stop a#2", "gone a#2"},
		},
		{
			name: "all, a bystander",
			sup:  actor.Supervisor{AutoShutdown: actor.AllSignificant, Strategy: actor.RestForOne},
			lives: func(s scenario, sup actor.Ref) {
				s.checkDown(s.crash("a#1"), "SIGKILL", true)
				s.up("c#2")
				s.checkChildren(sup, "a#2 running", "t#2 running", "c#2 running")
			},
			who: "t#2", kind: "normal",
			since: []string{"stop t#2", "gone t#2", "stop c#2", "gone c#2", "stop a#2", "gone a#2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScenario(t)
			test.sup.Children = []actor.Child{s.spec("a"), s.significant("u", actor.Temporary), s.restart("x", actor.Temporary),
				s.significant("t", actor.Transient), s.spec("c")}
			sup := s.spawn(test.sup)
			m := s.sys.Monitor(sup)
			if test.lives != nil {
				test.lives(s, sup)
			}
			select {
			case d := <-m.C:
				t.Fatalf("it has ended: %v", d.Reason)
			default:
			}
			s.up(fmt.Sprint("a#", s.child(sup, "a").Incarnation))
			s.forget()
			if test.who == "" {
				return
			}
			if test.kind == "SIGKILL" {
				s.checkDown(s.crash(test.who), test.kind, false)
			} else {
				s.checkDown(s.order(test.who, test.kind), test.kind, false)
			}
			s.checkGivenUp(m)
			s.check(test.since...)
		})
	}
}

// R70: the end escalates through significant supervisors, and stops at one that is not.
func TestC28_AutoShutdownEscalates(t *testing.T) {
	s := newScenario(t)
	top := s.spawn(actor.Supervisor{Name: "top", Intensity: actor.NoRestarts, Period: time.Hour, Children: []actor.Child{
		actor.Supervisor{Name: "mid", AutoShutdown: actor.AnySignificant, Children: []actor.Child{
			actor.Supervisor{Name: "low", AutoShutdown: actor.AnySignificant, Significant: true,
				Children: []actor.Child{s.significant("a", actor.Transient), s.spec("b")}},
			s.spec("c"),
		}},
		s.spec("d"),
	}})
	s.check("start a#1", "start b#1", "start c#1", "start d#1")
	m := s.sys.Monitor(s.child(top, "mid").Ref)
	s.checkDown(s.order("a#1", "normal"), "normal", false)
	s.checkGivenUp(m)
	s.check("stop a#1", "gone a#1", "stop b#1", "gone b#1", "stop c#1", "gone c#1")
	s.checkChildren(top, "mid#1 stopped", "d#1 running")
	s.up("d#1")
}
