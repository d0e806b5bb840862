//go:build unix

package actor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// R12, R13: children start one after another, in list order, and Spawn returns when
// the last is up. Unlike OTP's (R17), the supervisor answers meanwhile.
func TestC01_ChildrenStartInOrder(t *testing.T) {
	s := newScenario(t)
	goA, goC := s.hold("start a#1"), s.hold("start c#1")
	started := s.spawnLater(actor.Supervisor{Name: "web", Children: s.specs("a", "b", "c")})
	s.await("start a#1")
	web := s.top("web")
	s.checkChildren(web, "a#1 booting", "b stopped", "c stopped")
	s.check("start a#1")
	goA()
	s.await("start c#1")
	s.checkChildren(web, "a#1 running", "b#1 running", "c#1 booting")
	select {
	case got := <-started:
		t.Errorf("Spawn has returned %v (%v), and c is not up", got.ref, got.err)
	default:
	}
	goC()
	if got := finally(t, "Spawn", started); got.err != nil || got.ref != web {
		t.Errorf("Spawn: got %v (%v), want %v", got.ref, got.err, web)
	}
	s.check("start b#1", "start c#1")
	s.checkChildren(web, "a#1 running", "b#1 running", "c#1 running")
	s.checkCount(web, actor.ChildCount{Specs: 3, Active: 3, Workers: 3})
}

// R14, R19: a child that fails in the initial start is not tried again. Those before
// it are stopped in reverse, those after it never have a process, and Spawn's error,
// which comes when all are gone, says who it was and why.
func TestC02_InitialStartFails(t *testing.T) {
	for _, test := range []struct {
		name    string
		failure command
		reason  string // in the text of the error
	}{
		{"an error", command{Fail: "no database"}, "no database"},
		{"a panic", command{Do: "panic"}, "on purpose"},
		{"an exit", command{Do: "exit 3"}, "status 3"},
		{"SIGKILL", command{Do: "SIGKILL"}, "killed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScenario(t)
			events := s.events()
			s.at("start x#1", test.failure)
			_, err := s.sys.Spawn(s.ctx(), actor.Supervisor{Name: "web", Children: append(s.specs("a", "b"),
				s.restart("x", actor.Permanent), s.spec("d"))})
			s.check("start a#1", "start b#1", "start x#1", "gone x#1",
				"stop b#1", "gone b#1", "stop a#1", "gone a#1")
			if e, ok := errors.AsType[*actor.SpawnError](err); !ok || e.Name != "web" {
				t.Errorf("got %#v, want a SpawnError about web", err)
			}
			if err == nil || !strings.Contains(err.Error(), `"x"`) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got error %v, want one with x and %q", err, test.reason)
			}
			s.checkFree("web", "a", "b", "x", "d")
			for c := range s.sys.Children() {
				t.Errorf("%s is left, %v", c.Name, c.State)
			}
			if got := strings.Join(s.forks(events), " "); got != "a b x" {
				t.Errorf("processes were started for %q, want a, b and x", got)
			}
		})
	}
	// A nested supervisor's start fails with its child's, and so does that above it.
	t.Run("nested", func(t *testing.T) {
		s := newScenario(t)
		s.at("start x#1", command{Fail: "no database"})
		_, err := s.sys.Spawn(s.ctx(), actor.Supervisor{Name: "top", Children: []actor.Child{
			s.spec("a"),
			actor.Supervisor{Name: "pool", Strategy: actor.OneForAll, Restart: actor.Permanent, Children: s.specs("b", "x")},
			s.spec("c"),
		}})
		s.check("start a#1", "start b#1", "start x#1", "gone x#1", "stop b#1", "gone b#1", "stop a#1", "gone a#1")
		for _, part := range []string{`"pool"`, `"x"`, "no database"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("got error %v, want one with %s", err, part)
			}
		}
		s.checkFree("top", "pool", "a", "b", "x", "c")
	})
}

// R1, R3, R5, R7, R8: nothing of a tree with anything wrong in it is started.
func TestC03_SpecificationsAreChecked(t *testing.T) {
	s := newScenario(t)
	events := s.events()
	with := func(change func(*actor.Spec)) actor.Child {
		spec := s.spec("b")
		change(&spec)
		return spec
	}
	a, b := s.spec("a"), s.spec("b")
	for _, test := range []struct {
		name string
		what actor.Child
	}{
		{"two children of one name", actor.Supervisor{Name: "web", Children: s.specs("a", "b", "a")}},
		{"two supervisors of one name", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			actor.Supervisor{Name: "sub"}, actor.Supervisor{Name: "sub"}}}},
		{"an actor and a supervisor of one name", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			actor.Supervisor{Name: "a"}}}},
		{"no child at all", actor.Supervisor{Name: "web", Children: []actor.Child{a, nil}}},
		{"a Spec without a type", actor.Supervisor{Name: "web", Children: []actor.Child{a, actor.Spec{Name: "b"}}}},
		{"an argument that does not travel", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			unfitter.With(unfit{C: make(chan int)}).Named("b")}}},
		{"a negative StopTimeout", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.StopTimeout = -7 * time.Second })}}},
		{"an actor with Infinity", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.StopTimeout = actor.Infinity })}}},
		{"an unknown Restart", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.Restart = 7 })}}},
		{"an unknown Strategy", actor.Supervisor{Name: "web", Strategy: 7, Children: []actor.Child{a, b}}},
		{"an unknown AutoShutdown", actor.Supervisor{Name: "web", AutoShutdown: 7, Children: []actor.Child{a, b}}},
		{"significant and permanent", actor.Supervisor{Name: "web", AutoShutdown: actor.AnySignificant, Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.Significant, s.Restart = true, actor.Permanent })}}},
		{"significant without AutoShutdown", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.Significant = true })}}},
		{"significant without a supervisor", with(func(s *actor.Spec) { s.Significant = true })},
		{"a negative Intensity", actor.Supervisor{Name: "web", Intensity: -7, Children: []actor.Child{a, b}}},
		{"a negative Period", actor.Supervisor{Name: "web", Period: -time.Second, Children: []actor.Child{a, b}}},
		{"an Intensity of a child's own", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.Intensity = 7 })}}},
		{"a Backoff with Max below Min", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.Backoff = actor.Backoff{Min: 2, Max: 1} })}}},
		{"a Backoff with a Factor below one", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			with(func(s *actor.Spec) { s.Backoff = actor.Backoff{Min: 1, Factor: 0.5} })}}},
		{"a dynamic one without a template", actor.Supervisor{Name: "web", Strategy: actor.Dynamic}},
		{"a dynamic one with two", actor.Supervisor{Name: "web", Strategy: actor.Dynamic, Children: []actor.Child{prober, prober}}},
		{"dynamic with AutoShutdown", actor.Supervisor{Name: "web", Strategy: actor.Dynamic,
			AutoShutdown: actor.AnySignificant, Children: []actor.Child{prober}}},
		{"anything of that further down", actor.Supervisor{Name: "web", Children: []actor.Child{a,
			actor.Supervisor{Children: []actor.Child{b, actor.Supervisor{Intensity: -7}}}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			ref, err := s.sys.Spawn(s.ctx(), test.what)
			if e, ok := errors.AsType[*actor.SpawnError](err); !ok || e.Down != nil || !ref.IsZero() {
				t.Errorf("got %v (%v), want a SpawnError without a process", ref, err)
			}
			s.checkFree("web", "a", "b", "sub")
			s.check()
		})
	}
	if forked := s.forks(events); len(forked) > 0 {
		t.Errorf("processes were started for %q", forked)
	}
	for c := range s.sys.Children() {
		if c.Name != "" { // else it is the bystander of forks
			t.Errorf("%s is left, %v", c.Name, c.State)
		}
	}
	// The names are free indeed: the right tree starts. What it has is unusual, but not wrong.
	web := s.spawn(actor.Supervisor{Name: "web", Children: []actor.Child{a,
		with(func(s *actor.Spec) { s.StopTimeout = actor.BrutalKill }),
		actor.Supervisor{Name: "sub", Strategy: actor.Dynamic, Children: []actor.Child{prober}, StopTimeout: time.Minute}}})
	s.checkChildren(web, "a#1 running", "b#1 running", "sub#1 running")
}

// R15: of a child that chooses not to run the specification stays, except a
// temporary one's; the others start as usual.
func TestC04_ChildChoosesNotToRun(t *testing.T) {
	s := newScenario(t)
	s.at("start a#1", command{Ignore: true})
	s.at("start b#1", command{Ignore: true})
	web := s.spawn(actor.Supervisor{Name: "web", Children: []actor.Child{
		s.restart("a", actor.Permanent), s.restart("b", actor.Temporary), s.spec("c")}})
	s.check("start a#1", "gone a#1", "start b#1", "gone b#1", "start c#1")
	s.checkChildren(web, "a#1 stopped", "c#1 running")
	s.checkCount(web, actor.ChildCount{Specs: 2, Active: 1, Workers: 2})
	s.checkFree("b")
	a := s.child(web, "a")
	if a.Pid != 0 || a.Restarts != 0 {
		t.Errorf("a has pid %d and %d restarts", a.Pid, a.Restarts)
	}

	s.must(web.RestartChild(s.ctx(), a.Ref))
	s.up("a#2")

	// OTP's start_child returns {ok, undefined}, here it is an error that says so.
	s.at("start d#1", command{Ignore: true})
	s.at("start e#1", command{Ignore: true})
	for _, spec := range []actor.Spec{s.spec("d"), s.restart("e", actor.Temporary)} {
		if _, err := web.StartChild(s.ctx(), spec); !errors.Is(err, actor.ErrIgnore) {
			t.Errorf("StartChild %s: got %v, want ErrIgnore", spec.Name, err)
		}
	}
	s.checkChildren(web, "a#2 running", "c#1 running", "d#1 stopped")

	// A dynamic supervisor, and none at all, keep nothing, whatever Restart says.
	template := subjects.With(subjectArg{"none", s.inbox.Ref()})
	template.Restart = actor.Permanent
	pool := s.spawn(actor.Supervisor{Name: "pool", Strategy: actor.Dynamic, Children: []actor.Child{template}})
	s.at("start f#1", command{Ignore: true})
	if _, err := pool.StartChild(s.ctx(), s.spec("f")); !errors.Is(err, actor.ErrIgnore) {
		t.Errorf("StartChild: got %v, want ErrIgnore", err)
	}
	s.checkCount(pool, actor.ChildCount{})
	s.at("start g#1", command{Ignore: true})
	if _, err := s.sys.Spawn(s.ctx(), s.spec("g")); !errors.Is(err, actor.ErrIgnore) {
		t.Errorf("Spawn: got %v, want ErrIgnore", err)
	}
	s.checkFree("f", "g")
	// It may choose so in a restart as well (R65: there OTP 25 keeps a bogus entry).
	h, err := pool.StartChild(s.ctx(), s.spec("h"))
	s.must(err)
	s.at("start h#2", command{Ignore: true})
	w := s.sys.Watch(h)
	s.checkDown(s.crash("h#1"), "SIGKILL", true)
	s.down(w)
	s.checkCount(pool, actor.ChildCount{})
	s.stop(pool)
}

// R16: a child that dies while a later sibling boots for the first time is restarted
// when the whole start is done, as an ordinary restart.
func TestC05_DeathDuringASiblingsBoot(t *testing.T) {
	s := newScenario(t)
	goB := s.hold("start b#1")
	started := s.spawnLater(actor.Supervisor{Name: "web", Intensity: 1, Period: time.Hour, Children: s.specs("a", "b", "c")})
	s.await("start b#1")
	web := s.top("web")
	s.checkDown(s.crash("a#1"), "SIGKILL", true)
	s.checkChildren(web, "a#1 dead", "b#1 booting", "c stopped")
	goB()
	if got := finally(t, "Spawn", started); got.err != nil {
		t.Fatal(got.err)
	}
	s.up("a#2")
	s.check("start a#1", "start b#1", "gone a#1", "start c#1", "start a#2")
	s.checkChildren(web, "a#2 running", "b#1 running", "c#1 running")
	if got := s.child(web, "a").Restarts; got != 1 {
		t.Errorf("a was restarted %d times, want once", got)
	}
	// It has cost one: the next is too many.
	m := s.sys.Monitor(web)
	s.crash("a#2")
	s.checkGivenUp(m)
}
