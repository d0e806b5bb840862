//go:build unix

package actor_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// svAbsent is a survivor that is just restarting: the start function of its second
// process waits at the gate.
type svAbsent struct {
	sys   *actor.System
	inbox *actor.Inbox
	ref   actor.Ref
	gate  *actor.Message
}

func newSvAbsent(t *testing.T, change func(*actor.Spec)) svAbsent {
	t.Helper()
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	spec := svSpec(svArg{Proof: inbox.Ref(), Gate: inbox.Ref()}).Named("absent")
	change(&spec)
	ref := svSpawn(t, sys, spec)
	return svAbsent{sys, inbox, ref, svCrash(t, ref, inbox)}
}

// handled checks that the actor has handled these numbers in its second process,
// and no others.
func (a svAbsent) handled(t *testing.T, want ...int) {
	t.Helper()
	for i, p := range svNumbers(t, a.inbox, len(want)) {
		if p.N != want[i] || p.Incarnation != 2 {
			t.Errorf("it handled %+v, want %d", p, want[i])
		}
	}
	if got := ask[[]int](t, a.ref, svSeen{}); !slices.Equal(got, want) {
		t.Errorf("it handled %v, want %v", got, want)
	}
}

// With AsksFail nobody waits for an actor that is just restarting. Tells are kept.
func TestAsksFail(t *testing.T) {
	a := newSvAbsent(t, func(s *actor.Spec) { s.Asks = actor.AsksFail })
	_, err := actor.Ask[svProof](t.Context(), a.ref, svNumber{N: -1})
	if svFate(t, err, actor.NotSent); !errors.Is(err, actor.ErrRestarting) {
		t.Errorf("got %v, want ErrRestarting", err)
	}
	tell(t, a.ref, svNumber{N: 1})
	// By name, and from an actor.
	ref, err := a.sys.Lookup("absent")
	if err != nil || ref != a.ref {
		t.Fatalf("got %v, %v", ref, err)
	}
	rig := spawnRig(t, a.sys, rigArg{})
	if _, err := actor.Ask[int](t.Context(), rig, Relay{To: ref}); !errors.Is(err, actor.ErrRestarting) {
		t.Errorf("from an actor: got %v, want ErrRestarting", err)
	}
	if p := ask[Poured](t, rig, Pour{To: ref, N: 1}); p.N != 1 { // the number 0
		t.Errorf("from an actor: %+v", p)
	}
	svPass(t, a.gate)
	eventually(t, "it is back", func() bool {
		_, err := actor.Ask[string](t.Context(), ref, Echo{"?"})
		if err != nil && !errors.Is(err, actor.ErrRestarting) {
			t.Fatal(err)
		}
		return err == nil
	})
	a.handled(t, 1, 0)
}

// The same while there is not even a process.
func TestAsksFailBetweenProcesses(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := svSpec(svArg{})
	spec.Asks, spec.Backoff = actor.AsksFail, actor.Backoff{Min: time.Hour}
	ref := svSpawn(t, sys, spec)
	m := sys.Monitor(ref)
	sendSignal(t, pidOf(t, ref), syscall.SIGKILL)
	if d := ended(t, m); !d.Restarting {
		t.Errorf("got %+v", d)
	}
	if _, err := actor.Ask[string](t.Context(), ref, Echo{"?"}); !errors.Is(err, actor.ErrRestarting) {
		t.Errorf("got %v, want ErrRestarting", err)
	}
	if info := svInfo(t, sys, ref); info.State != actor.Restarting || info.Pid != 0 || !isSignal9(info.Last) || info.Restarts > 1 {
		t.Errorf("got %+v", info)
	}
	// It need not wait for an hour to end.
	begin := time.Now()
	if err := ref.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > patience {
		t.Errorf("it took %v", took)
	}
	if _, err := actor.Ask[string](t.Context(), ref, Echo{"?"}); err == nil || errors.Is(err, actor.ErrRestarting) {
		t.Errorf("got %v, want it to be dead", err)
	}
}

// By default an Ask waits for the restart. One that is given up meanwhile is not
// handled later.
func TestAsksWait(t *testing.T) {
	for _, between := range []string{"starting", "delayed"} {
		t.Run(between, func(t *testing.T) {
			a := newSvAbsent(t, func(s *actor.Spec) {
				if between == "delayed" { // until the gate of the second is refused, and then for long
					s.Backoff = actor.Backoff{Min: time.Millisecond, Max: time.Hour, Factor: 1 << 40}
				}
			})
			if between == "delayed" {
				a.gate.Reply(nil, errProbe)
				eventually(t, "it waits", func() bool { return svInfo(t, a.sys, a.ref).State == actor.Restarting })
			}
			soon, done := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer done()
			_, err := actor.Ask[svProof](soon, a.ref, svNumber{N: -1})
			fates := []actor.Fate{actor.NotBegun, actor.NotSent}
			if between == "starting" { // the new process may have it in its hands already
				fates = append(fates, actor.Unknown)
			}
			if svFate(t, err, fates...); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want its deadline", err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			cause := errors.New("changed my mind")
			given := svAsk[svProof](ctx, a.ref, svNumber{N: -2})
			cancel(cause)
			if g := within(t, given); !errors.Is(g.Err, cause) {
				t.Errorf("got %v, want %v", g.Err, cause)
			}
			rig := spawnRig(t, a.sys, rigArg{})
			if _, err := actor.Ask[int](impatient(t), rig, Relay{To: a.ref, Text: "from an actor"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("from an actor: got %v, want its deadline", err)
			}
			if between == "delayed" {
				return
			}
			asked := svAsk[svProof](t.Context(), a.ref, svNumber{N: 1})
			relayed := svAsk[int](t.Context(), rig, Relay{To: a.ref, Text: "four"})
			svQuiet(t, "answer", asked)
			svPass(t, a.gate)
			if got := within(t, asked); got.Err != nil || got.Value.N != 1 || got.Value.Incarnation != 2 {
				t.Errorf("got %+v", got)
			}
			if got := within(t, relayed); got.Err != nil || got.Value != 4 {
				t.Errorf("from an actor: got %+v", got)
			}
			a.handled(t, 1)
		})
	}
}

// With AsksQueue it is handled even so.
func TestAsksQueue(t *testing.T) {
	a := newSvAbsent(t, func(s *actor.Spec) { s.Asks = actor.AsksQueue })
	tell(t, a.ref, svNumber{N: 0})
	_, err := actor.Ask[svProof](impatient(t), a.ref, svNumber{N: 1})
	if _, ok := errors.AsType[*actor.DeliveryError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want its deadline", err)
	}
	tell(t, a.ref, svNumber{N: 2})
	svPass(t, a.gate)
	a.handled(t, 0, 1, 2)
	if got := ask[svProof](t, a.ref, svNumber{N: 3}); got.N != 3 {
		t.Errorf("got %+v", got)
	}
}

// The same for those that are given up while there is no process at all.
func TestAsksBetweenProcesses(t *testing.T) {
	for name, asks := range map[string]actor.AsksWhileRestarting{"wait": actor.AsksWait, "queue": actor.AsksQueue} {
		t.Run(name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{Proof: inbox.Ref()})
			spec.Asks, spec.Backoff = asks, actor.Backoff{Min: 300 * time.Millisecond}
			ref := svSpawn(t, sys, spec)
			relay, other := svSpawn(t, sys, svRelays), svSpawn(t, sys, survivors)
			sub := sys.Events()
			defer sub.Stop()
			m := sys.Monitor(ref)
			sendSignal(t, pidOf(t, ref), syscall.SIGKILL)
			ended(t, m)
			tell(t, ref, svNumber{N: 0})
			if _, err := actor.Ask[svProof](impatient(t), ref, svNumber{N: 1}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want its deadline", err)
			}
			if _, err := actor.Ask[svProof](impatient(t), relay, svRelay{To: ref, Message: svNumber{N: 2}}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("from an actor: got %v, want its deadline", err)
			}
			ask[svProof](t, relay, svRelay{To: other}) // it has given up, too
			tell(t, ref, svNumber{N: 3})
			for len(sub.C) > 0 {
				if e := <-sub.C; e.Ref == ref && e.Kind == actor.EventStarted {
					t.Skip("the machine is too slow: the next process was started before all had given up")
				}
			}
			want := []int{0, 3}
			if asks == actor.AsksQueue {
				want = []int{0, 1, 2, 3}
			}
			for _, p := range svNumbers(t, inbox, len(want)) {
				if p.Incarnation != 2 {
					t.Errorf("got %+v", p)
				}
			}
			if got := ask[[]int](t, ref, svSeen{}); !slices.Equal(got, want) {
				t.Errorf("it handled %v, want %v", got, want)
			}
		})
	}
}

// An Ask that waits for an actor that gives up does not wait any longer.
func TestAsksOfOneThatGivesUp(t *testing.T) {
	for name, asks := range map[string]actor.AsksWhileRestarting{"wait": actor.AsksWait, "queue": actor.AsksQueue} {
		t.Run(name, func(t *testing.T) {
			a := newSvAbsent(t, func(s *actor.Spec) { s.Asks, s.Intensity = asks, 1 })
			watch := a.sys.Watch(a.ref)
			asked := svAsk[svProof](t.Context(), a.ref, svNumber{N: 1})
			rig := spawnRig(t, a.sys, rigArg{})
			relayed := svAsk[int](t.Context(), rig, Relay{To: a.ref})
			svQuiet(t, "answer", asked)
			svQuiet(t, "Down", watch.C)
			a.gate.Reply(nil, errProbe)
			d := ended(t, watch)
			if f, ok := d.Reason.(actor.InitFailed); !ok || !errors.Is(f.Err, errProbe) || d.Restarting {
				t.Errorf("got %+v", d)
			}
			got := within(t, asked)
			svFate(t, got.Err, actor.NotBegun, actor.NotSent)
			if down, ok := errors.AsType[*actor.DownError](got.Err); !ok || down.Down.Ref != a.ref || down.Down.Restarting {
				t.Errorf("got %v, want a DownError", got.Err)
			}
			if got := within(t, relayed); got.Err == nil {
				t.Errorf("from an actor: got %+v", got)
			}
			if _, err := a.sys.Lookup("absent"); !errors.Is(err, actor.ErrNoActor) {
				t.Errorf("its name: got %v, want ErrNoActor", err)
			}
		})
	}
}

// A name belongs to the actor, not to its process: it is taken through a restart,
// and free at the final Down.
func TestNameThroughARestart(t *testing.T) {
	a := newSvAbsent(t, func(*actor.Spec) {})
	if ref, err := a.sys.Lookup("absent"); err != nil || ref != a.ref {
		t.Errorf("got %v, %v", ref, err)
	}
	other := survivors.With(svArg{}).Named("absent")
	if _, err := a.sys.Spawn(t.Context(), other); !errors.Is(err, actor.ErrNameTaken) {
		t.Errorf("got %v, want ErrNameTaken", err)
	}
	svPass(t, a.gate)
	pid := pidOf(t, a.ref)
	if ref, err := a.sys.Lookup("absent"); err != nil || ref != a.ref {
		t.Errorf("got %v, %v", ref, err)
	}
	if info := svInfo(t, a.sys, a.ref); info.Name != "absent" || info.State != actor.Running || info.Incarnation != 2 || info.Pid != pid || info.Restarts != 1 {
		t.Errorf("got %+v", info)
	}
	watch := a.sys.Watch(a.ref)
	if err := a.ref.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, watch); d.Name != "absent" || d.Reason != (actor.Shutdown{}) {
		t.Errorf("got %+v", d)
	}
	if ref := svSpawn(t, a.sys, other); ref == a.ref {
		t.Error("another actor has the same Ref")
	}
}

// A monitor is of one process, a watch is of the actor. Each has one Down.
func TestMonitorAndWatch(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	watcher := svSpawn(t, sys, ties.With(svTieArg{inbox.Ref()}))
	spec := svSpec(svArg{Gate: inbox.Ref()})
	spec.Intensity = 2
	ref := svSpawn(t, sys, spec)
	monitor, watch, stopped := sys.Monitor(ref), sys.Watch(ref), sys.Watch(ref)
	first := ask[actor.MonitorID](t, watcher, svWatch{To: ref})
	final := ask[actor.MonitorID](t, watcher, svWatch{To: ref, Final: true})
	undone := ask[actor.MonitorID](t, watcher, svWatch{To: ref, Final: true})
	if first == final || final == undone {
		t.Errorf("two monitors have the ID %d", final)
	}
	ask[string](t, watcher, svUnwatch{undone})
	heard := func(id actor.MonitorID, incarnation uint64, restarting bool) {
		t.Helper()
		if _, n := receive[svNews](t, inbox); n.Kind != "down" || n.From != ref || n.Monitor != id || n.Incarnation != incarnation || n.Restarting != restarting {
			t.Errorf("got %+v, want the Down of incarnation %d for %d", n, incarnation, id)
		}
	}
	pid := pidOf(t, ref)
	sendSignal(t, pid, syscall.SIGKILL)
	// The monitor's watcher and the gate both report here, in either order.
	var gate *actor.Message
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		m, err := inbox.Receive(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		switch v := m.Value.(type) {
		case svBooting:
			gate = m
		case svNews:
			if v.Kind != "down" || v.Monitor != first || !v.Restarting || v.Incarnation != 1 || v.Reason != "actor.Signal" {
				t.Errorf("got %+v", v)
			}
		}
	}
	if d := ended(t, monitor); !d.Restarting || d.Incarnation != 1 || d.Pid != pid || !isSignal9(d.Reason) {
		t.Errorf("got %+v", d)
	}
	if monitor.Stop() {
		t.Error("Stop of a monitor that has its Down: got true")
	}
	// While it restarts, it is not dead: these are of the next process.
	second := sys.Monitor(ref)
	late := ask[actor.MonitorID](t, watcher, svWatch{To: ref})
	for _, m := range []*actor.Monitor{second, watch, stopped} {
		svQuiet(t, "Down", m.C)
	}
	svPass(t, gate)
	pid = pidOf(t, ref)
	sendSignal(t, pid, syscall.SIGKILL)
	if d := ended(t, second); !d.Restarting || d.Incarnation != 2 || d.Pid != pid {
		t.Errorf("got %+v", d)
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		m, err := inbox.Receive(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		switch v := m.Value.(type) {
		case svBooting:
			gate = m
		case svNews:
			if v.Kind != "down" || v.Monitor != late || !v.Restarting || v.Incarnation != 2 {
				t.Errorf("got %+v", v)
			}
		}
	}
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop of a watch: want true and then false")
	}
	svQuiet(t, "Down", watch.C)
	svPass(t, gate)
	pid = pidOf(t, ref)
	last := sys.Monitor(ref)
	sendSignal(t, pid, syscall.SIGKILL) // the third crash at intensity 2
	for _, m := range []*actor.Monitor{last, watch} {
		if d := ended(t, m); d.Restarting || d.Incarnation != 3 || d.Pid != pid || !isSignal9(d.Reason) {
			t.Errorf("got %+v", d)
		}
	}
	heard(final, 3, false)
	tell(t, watcher, Count{1})
	if _, n := receive[svNews](t, inbox); n.Kind != "count" {
		t.Errorf("got %+v, want nothing more", n)
	}
	for _, m := range []*actor.Monitor{monitor, second, last, watch, stopped} {
		svQuiet(t, "Down", m.C)
	}
}

// A monitor that begins while an actor restarts and never comes up again gets the
// end all the same, like a watch.
func TestMonitorOfOneThatGivesUp(t *testing.T) {
	for _, how := range []string{"gives up", "stop"} {
		t.Run(how, func(t *testing.T) {
			a := newSvAbsent(t, func(s *actor.Spec) { s.Intensity = 1 })
			monitors := []*actor.Monitor{a.sys.Monitor(a.ref), a.sys.Watch(a.ref)}
			if how == "stop" {
				if err := a.ref.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				a.gate.Reply(nil, errProbe)
			}
			for _, m := range monitors {
				if d := ended(t, m); d.Restarting || d.Ref != a.ref {
					t.Errorf("got %+v", d)
				}
			}
		})
	}
}

// A supervisor can be watched, too.
func TestWatchSupervisor(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sup := svSpawn(t, sys, actor.Supervisor{Name: "top", Intensity: 1, Children: []actor.Child{
		survivors.With(svArg{}).Named("below"),
	}})
	monitor, watch := sys.Monitor(sup), sys.Watch(sup)
	below, err := sys.Lookup("below")
	if err != nil {
		t.Fatal(err)
	}
	of := sys.Watch(below)
	for range 2 {
		m := sys.Monitor(below)
		sendSignal(t, pidOf(t, below), syscall.SIGKILL)
		ended(t, m)
	}
	for _, m := range []*actor.Monitor{monitor, watch} {
		if d := ended(t, m); d.Ref != sup || d.Name != "top" || d.Restarting || d.Pid != 0 {
			t.Errorf("got %+v", d)
		} else if s, ok := d.Reason.(actor.Shutdown); !ok || s.Detail == "" {
			t.Errorf("got %v, want Shutdown that says why", d.Reason)
		}
	}
	if d := ended(t, of); !isSignal9(d.Reason) {
		t.Errorf("got %+v", d)
	}
	for _, name := range []string{"top", "below"} {
		if _, err := sys.Lookup(name); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("%s: got %v, want ErrNoActor", name, err)
		}
	}
}

// A child that has ended in order and could be restarted by hand is not between
// two processes: Asks to it fail.
func TestAskStoppedChild(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sup := svSpawn(t, sys, actor.Supervisor{Children: []actor.Child{survivors.With(svArg{}).Named("resting")}})
	ref, err := sys.Lookup("resting")
	if err != nil {
		t.Fatal(err)
	}
	if err := sup.TerminateChild(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := actor.Ask[string](t.Context(), ref, Echo{"?"}); err == nil {
		t.Error("an Ask of a stopped child was answered")
	} else {
		svFate(t, err, actor.NotSent, actor.NotBegun)
	}
	if err := sup.RestartChild(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if got := ask[string](t, ref, Echo{"back"}); got != "back" {
		t.Errorf("got %q", got)
	}
	if again, err := sys.Lookup("resting"); err != nil || again != ref {
		t.Errorf("got %v, %v", again, err)
	}
}
