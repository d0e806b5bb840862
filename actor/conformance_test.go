//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// The tests C01 to C28 are the scenarios of OTP's supervisor and of its test
// suite, on real processes. They share subjects, which are the children, and a
// scenario, to which a subject reports each step of its life and waits there for
// the command to go on. So a test decides what overlaps, and sees the order of
// events over all processes; no clock is needed for either.

// A scenario is a system and what happened to the subjects in it.
type scenario struct {
	testing.TB
	*record
}

// record is the part of a scenario that its subtests share.
type record struct {
	sys    *actor.System
	inbox  *actor.Inbox
	served chan struct{} // closed when serve has ended

	mu       sync.Mutex // protects the following
	lines    []string
	checked  int // lines before this one were compared
	starts   []report
	gone     map[string]bool
	commands map[string]command
	gates    map[string]*gate
	changed  chan struct{} // closed at the next line
}

// A gate holds one report up.
type gate struct {
	open    bool
	message *actor.Message
	command command
}

// newScenario is for tests that are not parallel to others. What is held up when
// the test ends is let go.
func newScenario(t testing.TB) scenario {
	t.Helper()
	r := &record{
		sys:      actortest.New(t, actor.Options{}),
		served:   make(chan struct{}),
		gone:     make(map[string]bool),
		commands: make(map[string]command),
		gates:    make(map[string]*gate),
		changed:  make(chan struct{}),
	}
	r.inbox = openInbox(t, r.sys, report{})
	go r.serve(t)
	t.Cleanup(func() {
		r.openAll()
		// Subjects report their end, so the inbox must be served until the last is gone.
		if err := r.sys.Close(context.Background()); err != nil {
			t.Error("close:", err)
		}
		<-r.served
	})
	return scenario{t, r}
}

// in returns the scenario for a subtest.
func (s scenario) in(t testing.TB) scenario { return scenario{t, s.record} }

// serve answers reports until the inbox is closed with the system.
func (r *record) serve(t testing.TB) {
	defer close(r.served)
	for {
		m, err := r.inbox.Receive(context.Background())
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			t.Error(err)
			continue
		}
		r.enter(m)
	}
}

func (r *record) enter(m *actor.Message) {
	said, ok := m.Value.(report)
	if !ok {
		m.Reply(nil, fmt.Errorf("%T is no report", m.Value))
		return
	}
	line := said.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	r.lines = append(r.lines, line)
	if said.Phase == "start" {
		r.starts = append(r.starts, said)
	}
	close(r.changed)
	r.changed = make(chan struct{})
	if g := r.gates[line]; g != nil && !g.open {
		g.message, g.command = m, r.commands[line]
		return
	}
	m.Reply(r.commands[line], nil) // nobody may wait any more: it was killed
}

// sweep notes which processes have gone, reaped and all, since the last line.
func (r *record) sweep() {
	for _, started := range r.starts {
		if who := started.who(); !r.gone[who] && isReaped(started.Pid) {
			r.gone[who] = true
			r.lines = append(r.lines, "gone "+who)
		}
	}
}

// at says what a subject is commanded when it reports that; otherwise to go on.
func (r *record) at(line string, c command) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commands[line] = c
}

// hold makes the subject that reports this wait for its command until release.
func (r *record) hold(line string) (release func()) {
	g := new(gate)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gates[line] = g
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		g.release()
	}
}

func (g *gate) release() {
	if g.open = true; g.message != nil {
		g.message.Reply(g.command, nil) // nobody may wait any more
		g.message = nil
	}
}

func (r *record) openAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.gates {
		g.release()
	}
}

// await waits until all of these were reported.
func (s scenario) await(lines ...string) {
	s.Helper()
	for _, line := range lines {
		for {
			s.mu.Lock()
			found, changed := slices.Contains(s.lines, line), s.changed
			s.mu.Unlock()
			if found {
				break
			}
			finally(s, line, changed)
		}
	}
}

// log returns what has happened so far; what is gone is in it.
func (s scenario) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	return slices.Clone(s.lines)
}

// check compares what has happened since the last check, exactly.
func (s scenario) check(want ...string) {
	s.Helper()
	all := s.log()
	s.mu.Lock()
	got := all[s.checked:]
	s.checked = len(all)
	s.mu.Unlock()
	if !slices.Equal(got, want) {
		s.Errorf("this happened:\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// forget has the next check begin here.
func (s scenario) forget() {
	all := s.log()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = len(all)
}

// process returns the report with which an incarnation like "a#2" has started.
func (s scenario) process(who string) report {
	s.Helper()
	s.await("start " + who)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.starts, func(r report) bool { return r.who() == who })
	return s.starts[i]
}

// up waits until an incarnation has started and handles messages.
func (s scenario) up(who string) report {
	s.Helper()
	started := s.process(who)
	got, err := actor.Ask[report](s.ctx(), started.Self, identify{})
	if err != nil {
		s.Fatalf("%s: %v", who, err)
	}
	if got.who() != who || got.Pid != started.Pid {
		s.Fatalf("%s in process %d answers, want %s in process %d", got.who(), got.Pid, who, started.Pid)
	}
	return got
}

// crash ends an incarnation, once it is up, from outside.
func (s scenario) crash(who string) actor.Down {
	s.Helper()
	p := s.up(who)
	m := s.sys.Monitor(p.Self)
	sendSignal(s, p.Pid, syscall.SIGKILL)
	return s.down(m)
}

// order makes an incarnation, once it is up, do a deed by which it ends.
func (s scenario) order(who, kind string) actor.Down {
	s.Helper()
	p := s.up(who)
	m := s.sys.Monitor(p.Self)
	if err := p.Self.Tell(s.ctx(), deed{kind}); err != nil {
		s.Fatal(err)
	}
	return s.down(m)
}

func (s scenario) down(m *actor.Monitor) actor.Down {
	s.Helper()
	return finally(s, "Down", m.C)
}

// checkDown checks why something ended, and whether it comes back.
func (s scenario) checkDown(d actor.Down, reason string, restarting bool) {
	s.Helper()
	if got := reasonOf(d.Reason); got != reason || d.Restarting != restarting {
		s.Errorf("%v is down: %s (%v), restarting %t; want %s, restarting %t", d.Ref, got, d.Reason, d.Restarting, reason, restarting)
	}
}

// reasonOf says as a deed how something has ended. Supervisors that end by
// themselves say more after the word shutdown; OTP's do not.
func reasonOf(r actor.Reason) string {
	switch r := r.(type) {
	case actor.Normal:
		return "normal"
	case actor.Shutdown:
		if r.Detail == "x" {
			return "shutdown x"
		}
		return "shutdown"
	case actor.Failed:
		if errors.Is(r.Err, errProbe) {
			return "error"
		}
	case actor.InitFailed:
		if errors.Is(r.Err, errProbe) {
			return "init failed"
		}
	case actor.Panic:
		return "panic"
	case actor.ExitCode:
		return fmt.Sprint("exit ", r.Code)
	case actor.Signal:
		if r.Signal == syscall.SIGKILL {
			return "SIGKILL"
		}
	case actor.Killed:
		return "killed"
	}
	return fmt.Sprint("another: ", r)
}

// checkGivenUp checks that a supervisor comes to its own end, for good.
func (s scenario) checkGivenUp(m *actor.Monitor) {
	s.Helper()
	s.checkDown(s.down(m), "shutdown", false)
}

func (s scenario) ctx() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	s.Cleanup(cancel)
	return ctx
}

// spec is a subject of that name.
func (s scenario) spec(name string) actor.Spec {
	return subjects.With(subjectArg{name, s.inbox.Ref()}).Named(name)
}

// restart is a subject that is restarted after such ends.
func (s scenario) restart(name string, r actor.Restart) actor.Spec {
	spec := s.spec(name)
	spec.Restart = r
	return spec
}

// specs are subjects of these names.
func (s scenario) specs(names ...string) []actor.Child {
	var all []actor.Child
	for _, name := range names {
		all = append(all, s.spec(name))
	}
	return all
}

func (s scenario) spawn(what actor.Child) actor.Ref {
	s.Helper()
	ref, err := s.sys.Spawn(s.ctx(), what)
	if err != nil {
		s.Fatal(err)
	}
	return ref
}

// spawned is what Spawn has returned.
type spawned struct {
	ref actor.Ref
	err error
}

// spawnLater spawns on a goroutine of its own.
func (s scenario) spawnLater(what actor.Child) <-chan spawned {
	done := make(chan spawned, 1)
	ctx := s.ctx()
	go func() {
		ref, err := s.sys.Spawn(ctx, what)
		done <- spawned{ref, err}
	}()
	return done
}

func (s scenario) stop(ref actor.Ref) {
	s.Helper()
	if err := ref.Stop(s.ctx()); err != nil {
		s.Error("stop:", err)
	}
}

// stopLater stops on a goroutine of its own.
func (s scenario) stopLater(ref actor.Ref) <-chan error {
	done := make(chan error, 1)
	ctx := s.ctx()
	go func() { done <- ref.Stop(ctx) }()
	return done
}

// must fails the test on an error.
func (s scenario) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// children returns what a supervisor says of its children, in start order.
func (s scenario) children(sup actor.Ref) []actor.ChildInfo {
	s.Helper()
	all, err := sup.Children(s.ctx())
	if err != nil {
		s.Fatal("children:", err)
	}
	return slices.Collect(all)
}

// child returns what a supervisor says of the child of that name.
func (s scenario) child(sup actor.Ref, name string) actor.ChildInfo {
	s.Helper()
	for _, c := range s.children(sup) {
		if c.ID == name {
			return c
		}
	}
	s.Fatalf("no child %q", name)
	panic("unreachable")
}

// state is one line of checkChildren.
func state(c actor.ChildInfo) string {
	if c.Incarnation == 0 {
		return fmt.Sprintf("%s %v", c.ID, c.State)
	}
	return fmt.Sprintf("%s#%d %v", c.ID, c.Incarnation, c.State)
}

// checkChildren compares a supervisor's children with lines like "a#2 running".
func (s scenario) checkChildren(sup actor.Ref, want ...string) {
	s.Helper()
	var got []string
	for _, c := range s.children(sup) {
		got = append(got, state(c))
	}
	if !slices.Equal(got, want) {
		s.Errorf("the children are %q, want %q", got, want)
	}
}

func (s scenario) checkCount(sup actor.Ref, want actor.ChildCount) {
	s.Helper()
	got, err := sup.Count(s.ctx())
	if err != nil || got != want {
		s.Errorf("the count is %+v (%v), want %+v", got, err, want)
	}
}

// checkFree checks that nobody has these names.
func (s scenario) checkFree(names ...string) {
	s.Helper()
	for _, name := range names {
		if _, err := s.sys.Lookup(name); !errors.Is(err, actor.ErrNoActor) {
			s.Errorf("lookup %q: got %v, want ErrNoActor", name, err)
		}
	}
}

// checkFound checks that this one has the name.
func (s scenario) checkFound(name string, want actor.Ref) {
	s.Helper()
	if got, err := s.sys.Lookup(name); err != nil || got != want {
		s.Errorf("lookup %q: got %v (%v), want %v", name, got, err, want)
	}
}

// top returns what has no parent and that name. Lookup finds only what has come up.
func (s scenario) top(name string) actor.Ref {
	s.Helper()
	for c := range s.sys.Children() {
		if c.Name == name {
			return c.Ref
		}
	}
	s.Fatalf("nothing is called %q", name)
	panic("unreachable")
}

// events subscribes to them.
func (s scenario) events() *actor.Subscription[actor.Event] {
	sub := s.sys.Events()
	s.Cleanup(sub.Stop)
	return sub
}

// happened returns all events until now: until those of a bystander that is
// started for it.
func (s scenario) happened(sub *actor.Subscription[actor.Event]) []actor.Event {
	s.Helper()
	fence := s.spawn(prober)
	var all []actor.Event
	for {
		e := finally(s, "event", sub.C)
		if e.Ref != fence {
			all = append(all, e)
		} else if e.Kind == actor.EventReady {
			return all
		}
	}
}

// forks returns who has got a process since sub was made, in order.
func (s scenario) forks(sub *actor.Subscription[actor.Event]) (names []string) {
	s.Helper()
	for _, e := range s.happened(sub) {
		if e.Kind == actor.EventStarted {
			names = append(names, e.Name)
		}
	}
	return names
}
