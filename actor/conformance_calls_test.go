//go:build unix

package actor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// manage makes one of a supervisor's calls. A child to be started has only a name,
// and so its Spec stays where it is made.
type manage struct {
	Call      string // "start", "terminate", "restart", "delete", "stop", "kill"
	Under     actor.Ref
	Child     actor.Ref
	Name      string
	Temporary bool
}

// managed is what came of it: "ok", or the name of the error.
type managed struct {
	Ref    actor.Ref
	Result string
}

// manage does it in an actor.
func (s *subject) manage(c *actor.Context, m manage) (managed, error) {
	return m.run(c, s.arg.Scenario), nil
}

func (m manage) run(ctx context.Context, scenario actor.Ref) managed {
	var ref actor.Ref
	var err error
	switch m.Call {
	case "start":
		spec := subjects.With(subjectArg{m.Name, scenario}).Named(m.Name)
		if m.Temporary {
			spec.Restart = actor.Temporary
		}
		ref, err = m.Under.StartChild(ctx, spec)
	case "terminate":
		err = m.Under.TerminateChild(ctx, m.Child)
	case "restart":
		err = m.Under.RestartChild(ctx, m.Child)
	case "delete":
		err = m.Under.DeleteChild(ctx, m.Child)
	case "stop":
		err = m.Under.Stop(ctx)
	case "kill":
		err = m.Under.Kill(ctx)
	}
	return managed{ref, resultOf(err)}
}

func resultOf(err error) string {
	if err == nil {
		return "ok"
	}
	for name, known := range map[string]error{
		"restarting": actor.ErrRestarting, "running": actor.ErrRunning, "not found": actor.ErrNotFound,
		"not running": actor.ErrNotRunning, "already started": actor.ErrAlreadyStarted, "already present": actor.ErrAlreadyPresent,
		"dynamic": actor.ErrDynamic, "not a supervisor": actor.ErrNotSupervisor, "aborted": actor.ErrAborted,
		"ancestor": actor.ErrAncestor, "ignored": actor.ErrIgnore, "name taken": actor.ErrNameTaken,
	} {
		if errors.Is(err, known) {
			return name
		}
	}
	if e, ok := errors.AsType[*actor.DownError](err); ok {
		return "down, " + reasonOf(e.Down.Reason)
	}
	if e, ok := errors.AsType[*actor.SpawnError](err); ok {
		if _, failed := errors.AsType[actor.InitFailed](e); failed {
			return "start failed"
		}
	}
	return err.Error()
}

// calls makes calls from the program, or from an actor if there is one.
type calls struct {
	scenario
	from actor.Ref
}

func (c calls) do(m manage) managed {
	c.Helper()
	if c.from.IsZero() {
		return m.run(c.ctx(), c.inbox.Ref())
	}
	got, err := actor.Ask[managed](c.ctx(), c.from, m)
	if err != nil {
		c.Fatal(err)
	}
	return got
}

// expect checks the result, and whom a start has found or made.
func (c calls) expect(want string, m manage) managed {
	c.Helper()
	got := c.do(m)
	if got.Result != want {
		c.Errorf("%s %s: got %q, want %q", m.Call, m.Name, got.Result, want)
	}
	return got
}

// R55 to R59, R62, R63: what each call says of a child that runs, is stopped, or is
// unknown. OTP addresses children by their ids, except dynamic ones; here it is by
// their Refs, and StartChild knows them by their names.
func TestC26_Calls(t *testing.T) {
	for _, from := range []string{"program", "actor"} {
		t.Run(from, func(t *testing.T) {
			s := newScenario(t)
			c := calls{scenario: s}
			if from == "actor" {
				c.from = s.spawn(s.spec("manager"))
			}
			c.testCalls()
			c.testOrder()
			c.testFailures()
			c.testTemporary()
			c.testDynamic()
			c.testWrongOnes()
		})
	}
}

func (c calls) testCalls() {
	web := c.spawn(actor.Supervisor{Children: c.specs("a", "b")})
	a := c.process("a#1").Self
	if got := c.expect("already started", manage{Call: "start", Under: web, Name: "a"}); got.Ref != a {
		c.Errorf("start of what runs: got %v, want %v", got.Ref, a)
	}
	c.expect("running", manage{Call: "restart", Under: web, Child: a})
	c.expect("running", manage{Call: "delete", Under: web, Child: a})
	c.checkChildren(web, "a#1 running", "b#1 running")

	w := c.sys.Watch(a)
	c.expect("ok", manage{Call: "terminate", Under: web, Child: a})
	c.checkDown(c.down(w), "shutdown", false)
	c.checkFree("a")
	c.checkChildren(web, "a#1 stopped", "b#1 running")
	c.checkCount(web, actor.ChildCount{Specs: 2, Active: 1, Workers: 2})
	if info := c.child(web, "a"); info.Pid != 0 || info.Ref != a || info.Restarts != 0 {
		c.Errorf("stopped, a is process %d of %v after %d restarts", info.Pid, info.Ref, info.Restarts)
	}

	c.expect("ok", manage{Call: "terminate", Under: web, Child: a})
	if got := c.expect("already present", manage{Call: "start", Under: web, Name: "a"}); got.Ref != a {
		c.Errorf("start of what is stopped: got %v, want %v", got.Ref, a)
	}
	c.expect("ok", manage{Call: "restart", Under: web, Child: a})
	if got := c.up("a#2"); got.Self != a {
		c.Errorf("restarted it is %v, before it was %v", got.Self, a)
	}
	c.checkFound("a", a)
	c.expect("running", manage{Call: "restart", Under: web, Child: a})

	c.expect("ok", manage{Call: "terminate", Under: web, Child: a})
	c.expect("ok", manage{Call: "delete", Under: web, Child: a})
	for _, call := range []string{"delete", "restart", "terminate"} {
		c.expect("not found", manage{Call: call, Under: web, Child: a})
	}
	c.checkChildren(web, "b#1 running")
	c.checkFree("a")
	c.stop(web)
}

// A new child goes to the end of the start order.
func (c calls) testOrder() {
	web := c.spawn(actor.Supervisor{Children: c.specs("d", "e")})
	d := c.process("d#1").Self
	c.expect("ok", manage{Call: "terminate", Under: web, Child: d})
	c.expect("ok", manage{Call: "delete", Under: web, Child: d})
	if got := c.expect("ok", manage{Call: "start", Under: web, Name: "d"}); got.Ref == d {
		c.Error("a child that is started anew has its old Ref")
	}
	c.checkChildren(web, "e#1 running", "d#1 running")
	c.stop(web)
}

// A child that does not start leaves no specification, and one that does not start
// again stays stopped.
func (c calls) testFailures() {
	web := c.spawn(actor.Supervisor{Children: c.specs("f")})
	c.at("start x#1", command{Fail: "no"})
	c.expect("start failed", manage{Call: "start", Under: web, Name: "x"})
	c.checkChildren(web, "f#1 running")
	c.checkFree("x")

	f := c.process("f#1").Self
	c.expect("ok", manage{Call: "terminate", Under: web, Child: f})
	c.at("start f#2", command{Fail: "no"})
	c.expect("start failed", manage{Call: "restart", Under: web, Child: f})
	c.checkChildren(web, "f#2 stopped")
	c.expect("ok", manage{Call: "restart", Under: web, Child: f})
	c.up("f#3")
	// A name that a stranger has is taken, and the supervisor lives on.
	c.spawn(c.spec("stranger"))
	c.expect("name taken", manage{Call: "start", Under: web, Name: "stranger"})
	c.checkChildren(web, "f#3 running")
	c.stop(web)
}

// Of a temporary child nothing is left when it is stopped.
func (c calls) testTemporary() {
	web := c.spawn(actor.Supervisor{})
	m := manage{Call: "start", Under: web, Name: "tmp", Temporary: true}
	ref := c.expect("ok", m).Ref
	c.expect("ok", manage{Call: "terminate", Under: web, Child: ref})
	for _, call := range []string{"delete", "restart", "terminate"} {
		c.expect("not found", manage{Call: call, Under: web, Child: ref})
	}
	c.checkCount(web, actor.ChildCount{})
	c.checkFree("tmp")
	c.expect("ok", m)
	c.stop(web)
}

// A dynamic supervisor keeps no specifications.
func (c calls) testDynamic() {
	pool := c.spawn(actor.Supervisor{Strategy: actor.Dynamic,
		Children: []actor.Child{subjects.With(subjectArg{"none", c.inbox.Ref()})}})
	x := c.expect("ok", manage{Call: "start", Under: pool, Name: "dx"}).Ref
	y := c.expect("ok", manage{Call: "start", Under: pool, Name: "dy"}).Ref
	c.expect("dynamic", manage{Call: "restart", Under: pool, Child: x})
	c.expect("dynamic", manage{Call: "delete", Under: pool, Child: x})
	c.expect("ok", manage{Call: "terminate", Under: pool, Child: x})
	c.expect("not found", manage{Call: "terminate", Under: pool, Child: x})
	c.checkCount(pool, actor.ChildCount{Specs: 1, Active: 1, Workers: 1})
	c.checkFree("dx")
	c.up("dy#1")
	if all := c.children(pool); len(all) != 1 || all[0].Ref != y || all[0].Name != "dy" {
		c.Errorf("the children are %+v, want dy", all)
	}
	c.stop(pool)
}

// Calls about what is not there are answered at once, and do no harm.
func (c calls) testWrongOnes() {
	web := c.spawn(actor.Supervisor{Children: append(c.specs("g"), actor.Supervisor{Name: "sub", Children: c.specs("h")})})
	other := c.spawn(actor.Supervisor{Children: c.specs("i")})
	i := c.process("i#1").Self
	for _, call := range []string{"terminate", "restart", "delete"} {
		c.expect("not found", manage{Call: call, Under: web, Child: i})
		c.expect("not found", manage{Call: call, Under: web}) // the zero Ref
		c.expect("not found", manage{Call: call, Under: web, Child: web})
		c.expect("not found", manage{Call: call, Under: web, Child: c.process("h#1").Self}) // a grandchild
		c.expect("not a supervisor", manage{Call: call, Under: i, Child: i})
	}
	c.up("i#1")
	c.up("h#1")
	c.expect("not a supervisor", manage{Call: "start", Under: i, Name: "never"})
	// A supervisor is a child like others. While it is stopped, nothing can be asked of it.
	sub := c.child(web, "sub").Ref
	c.checkCount(web, actor.ChildCount{Specs: 2, Active: 2, Supervisors: 1, Workers: 1})
	c.expect("ok", manage{Call: "terminate", Under: web, Child: sub})
	c.checkCount(web, actor.ChildCount{Specs: 2, Active: 1, Supervisors: 1, Workers: 1})
	c.checkFree("sub", "h")
	c.expect("not running", manage{Call: "start", Under: sub, Name: "never"})
	c.expect("ok", manage{Call: "restart", Under: web, Child: sub})
	c.up("h#2")
	c.checkFound("sub", sub)
	c.stop(other)
	c.expect("down, shutdown", manage{Call: "start", Under: other, Name: "never"})
	c.expect("down, shutdown", manage{Call: "terminate", Under: other, Child: i})
	if _, err := other.Count(c.ctx()); resultOf(err) != "down, shutdown" {
		c.Errorf("count of what has ended: got %v", err)
	}
	c.checkFree("never")
	c.stop(web)
}

// R66: an actor that stops what it is part of would wait for its own end: OTP's would be
// stuck until it is killed, here it is told so.
func TestC26_StopFromBelow(t *testing.T) {
	s := newScenario(t)
	top := s.spawn(actor.Supervisor{Children: []actor.Child{actor.Supervisor{Name: "sub", Children: s.specs("a", "b")}}})
	sub, a, b := s.child(top, "sub").Ref, s.up("a#1").Self, s.up("b#1").Self
	c := calls{s, a}
	for _, m := range []manage{
		{Call: "stop", Under: top},
		{Call: "stop", Under: sub},
		{Call: "kill", Under: top},
		{Call: "terminate", Under: top, Child: sub},
	} {
		c.expect("ancestor", m)
	}
	c.expect("ok", manage{Call: "terminate", Under: sub, Child: b})
	s.checkChildren(sub, "a#1 running", "b#1 stopped")
}

// R17, R28: the supervisor answers while a child boots, however long that takes (OTP's
// does not). A stop aborts the boot.
func TestC26_CallsDuringABoot(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Children: s.specs("a", "b")})
	a, b := s.process("a#1").Self, s.process("b#1").Self
	c := calls{scenario: s}
	s.hold("start x#1")
	starting := make(chan managed, 1)
	ctx := s.ctx()
	go func() { starting <- manage{Call: "start", Under: web, Name: "x"}.run(ctx, s.inbox.Ref()) }()
	s.await("start x#1")
	s.checkChildren(web, "a#1 running", "b#1 running", "x#1 booting")
	s.checkCount(web, actor.ChildCount{Specs: 3, Active: 2, Workers: 3})
	c.expect("already started", manage{Call: "start", Under: web, Name: "a"})
	c.expect("running", manage{Call: "restart", Under: web, Child: b})
	c.expect("running", manage{Call: "delete", Under: web, Child: b})
	c.expect("ok", manage{Call: "terminate", Under: web, Child: b})
	s.up("a#1")
	x := s.child(web, "x").Ref
	c.expect("running", manage{Call: "delete", Under: web, Child: x})
	c.expect("ok", manage{Call: "terminate", Under: web, Child: x})
	if got := finally(t, "StartChild", starting); got.Result != "aborted" {
		t.Errorf("start: got %q, want aborted", got.Result)
	}
	s.check("start a#1", "start b#1", "start x#1", "stop b#1", "gone b#1", "gone x#1")
	s.checkChildren(web, "a#1 running", "b#1 stopped")
	s.checkFree("x")
	// The same for the whole supervisor in its own start.
	s.hold("start z#1")
	started := s.spawnLater(actor.Supervisor{Name: "slow", Children: s.specs("y", "z")})
	s.await("start z#1")
	s.stop(s.top("slow"))
	if got := finally(t, "Spawn", started); !errors.Is(got.err, actor.ErrAborted) {
		t.Errorf("Spawn: got %v, want ErrAborted", got.err)
	}
	s.check("start y#1", "start z#1", "gone z#1", "stop y#1", "gone y#1")
	s.up("a#1")
	if a != s.child(web, "a").Ref {
		t.Error("a is another")
	}
}

// R33, R86: who knows of a child's end can count on it, even if the supervisor has not
// got to it: the name of a temporary one is free, one with a normal end can be restarted.
func TestC26_CallsAboutTheDeadDuringABoot(t *testing.T) {
	s := newScenario(t)
	web := s.spawn(actor.Supervisor{Children: []actor.Child{s.restart("tmp", actor.Temporary), s.spec("a")}})
	tmp, a := s.process("tmp#1").Self, s.process("a#1").Self
	goX := s.hold("start x#1")
	defer goX()
	ctx := s.ctx()
	later := func(m manage) <-chan managed {
		done := make(chan managed, 1)
		go func() { done <- m.run(ctx, s.inbox.Ref()) }()
		return done
	}
	x := later(manage{Call: "start", Under: web, Name: "x"})
	s.await("start x#1")
	s.checkDown(s.crash("tmp#1"), "SIGKILL", false)
	s.checkDown(s.order("a#1", "normal"), "normal", false)
	again := later(manage{Call: "start", Under: web, Name: "tmp", Temporary: true})
	restarted := later(manage{Call: "restart", Under: web, Child: a})
	s.checkCount(web, actor.ChildCount{Specs: 3, Workers: 3})
	goX()
	if got := finally(t, "start of x", x); got.Result != "ok" {
		t.Errorf("start of x: %s", got.Result)
	}
	if got := finally(t, "start of tmp", again); got.Result != "ok" || got.Ref == tmp {
		t.Errorf("start of tmp: %s, with %v; it was %v", got.Result, got.Ref, tmp)
	}
	if got := finally(t, "restart of a", restarted); got.Result != "ok" {
		t.Errorf("restart of a: %s", got.Result)
	}
}

// R60: what each call says while a child is in a restart loop: it waits for its next
// attempt, after two that failed. TerminateChild ends the loop. (OTP retries without
// end and pause; the Backoff is ours.)
func TestC27_CallsInARestartLoop(t *testing.T) {
	s := newScenario(t)
	b := s.spec("b")
	b.Backoff = actor.Backoff{Min: time.Millisecond, Factor: 1e9, Max: time.Hour, ResetAfter: time.Hour}
	web := s.spawn(actor.Supervisor{Intensity: 100, Children: []actor.Child{s.spec("a"), b}})
	c := calls{scenario: s}
	ref := s.process("b#1").Self
	events := s.events()
	s.at("start b#2", command{Fail: "no port"})
	s.checkDown(s.crash("b#1"), "SIGKILL", true)
	// The second wait, after the first attempt, is an hour.
	for e := finally(t, "a long wait", events.C); e.Kind != actor.EventRestarting || e.In < time.Hour; {
		e = finally(t, "a long wait", events.C)
	}
	s.check("start a#1", "start b#1", "gone b#1", "start b#2", "gone b#2")
	s.checkChildren(web, "a#1 running", "b#2 restarting")
	s.checkCount(web, actor.ChildCount{Specs: 2, Active: 1, Workers: 2})
	if got := c.expect("already present", manage{Call: "start", Under: web, Name: "b"}); got.Ref != ref {
		t.Errorf("start: got %v, want %v", got.Ref, ref)
	}
	c.expect("restarting", manage{Call: "restart", Under: web, Child: ref})
	c.expect("restarting", manage{Call: "delete", Under: web, Child: ref})
	s.up("a#1")

	w := s.sys.Watch(ref)
	c.expect("ok", manage{Call: "terminate", Under: web, Child: ref})
	s.down(w)
	s.checkChildren(web, "a#1 running", "b#2 stopped")
	c.expect("already present", manage{Call: "start", Under: web, Name: "b"})
	c.expect("ok", manage{Call: "restart", Under: web, Child: ref})
	s.up("b#3")
	s.check("start b#3")
}

// R28, R60: without a pause between the attempts, a stop of the child, or of all, takes
// effect within the attempt: its process is gone when the call returns, and no other
// comes.
func TestC27_StopInARestartLoop(t *testing.T) {
	for _, test := range []struct {
		name     string
		strategy actor.Strategy
		stop     func(s scenario, web, b actor.Ref) error
		since    []string
	}{
		{"the child", actor.OneForOne, func(s scenario, web, b actor.Ref) error { return web.TerminateChild(s.ctx(), b) },
			[]string{"gone b#3"}},
		{"the child, by its Ref", actor.OneForOne, func(s scenario, web, b actor.Ref) error { return b.Stop(s.ctx()) },
			[]string{"gone b#3"}},
		{"the supervisor", actor.OneForOne, func(s scenario, web, b actor.Ref) error { return web.Stop(s.ctx()) },
			[]string{"stop c#1", "gone c#1", "gone b#3", "stop a#1", "gone a#1"}},
		{"the supervisor, at once", actor.OneForOne, func(s scenario, web, b actor.Ref) error { return web.Kill(s.ctx()) },
			[]string{"gone a#1", "gone c#1", "gone b#3"}},
		{"the supervisor of a group", actor.RestForOne, func(s scenario, web, b actor.Ref) error { return web.Stop(s.ctx()) },
			[]string{"gone b#3", "stop a#1", "gone a#1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScenario(t)
			events := s.events()
			web := s.spawn(actor.Supervisor{Strategy: test.strategy, Intensity: 100, Children: s.specs("a", "b", "c")})
			b := s.process("b#1").Self
			s.at("start b#2", command{Fail: "no port"})
			s.hold("start b#3")
			s.checkDown(s.crash("b#1"), "SIGKILL", true)
			s.await("start b#3")
			before := []string{"start a#1", "start b#1", "start c#1", "gone b#1"}
			if test.strategy == actor.RestForOne {
				before = append(before, "stop c#1", "gone c#1")
			}
			s.check(append(before, "start b#2", "gone b#2", "start b#3")...)
			if test.strategy == actor.OneForOne {
				s.checkChildren(web, "a#1 running", "b#3 booting", "c#1 running")
			} else {
				s.checkChildren(web, "a#1 running", "b#3 booting", "c#1 stopped")
			}
			s.must(test.stop(s, web, b))
			s.check(test.since...)
			if got := strings.Join(s.forks(events), " "); got != "a b c b b" {
				t.Errorf("processes were started for %q, want a b c b b", got)
			}
			s.check()
		})
	}
}
