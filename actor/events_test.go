//go:build unix

package actor_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// svEvents checks that the next events of these are of these kinds, and returns them.
func svEvents(t testing.TB, sub *actor.Subscription[actor.Event], of actor.Ref, kinds ...actor.EventKind) []actor.Event {
	t.Helper()
	var got []actor.Event
	for len(got) < len(kinds) {
		e := within(t, sub.C)
		if e.Ref != of || e.Kind == actor.EventDeadLetter {
			continue
		}
		got = append(got, e)
		if e.Kind != kinds[len(got)-1] {
			t.Fatalf("got the events %v, want %v", got, kinds)
		}
		if e.Time.IsZero() || e.String() == "" || !strings.Contains(e.String(), e.Kind.String()) {
			t.Errorf("got %q at %v", e, e.Time)
		}
	}
	return got
}

// An actor's life as it is told.
func TestEvents(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sub := sys.Events()
	defer sub.Stop()
	inbox := svInbox(t, sys)
	spec := survivors.With(svArg{Gate: inbox.Ref()}).Named("famous")
	spec.Intensity = 2
	ref := svSpawn(t, sys, spec)
	pid := pidOf(t, ref)
	events := svEvents(t, sub, ref, actor.EventStarted, actor.EventReady)
	for _, e := range events {
		if e.Type != "survivor" || e.Name != "famous" || e.Incarnation != 1 || e.Pid != pid || e.Down != nil || e.Reason != nil || e.Letter != nil {
			t.Errorf("got %+v", e)
		}
		if s := e.String(); !strings.Contains(s, "survivor") || !strings.Contains(s, "famous") || !strings.Contains(s, fmt.Sprint(pid)) {
			t.Errorf("got %q", s)
		}
	}

	// A crash on a message.
	tell(t, ref, svEnd{How: "exit"})
	gate, _ := receive[svBooting](t, inbox)
	events = svEvents(t, sub, ref, actor.EventExited, actor.EventRestarting, actor.EventStarted)
	exited, restarting := events[0], events[1]
	if exited.Reason != (actor.ExitCode{Code: 3}) || exited.Down == nil || !exited.Down.Restarting || exited.Down.Pid != pid || exited.Incarnation != 1 || exited.Pid != pid {
		t.Errorf("got %+v", exited)
	}
	if restarting.In != 0 {
		t.Errorf("got %+v, want it at once", restarting)
	}
	if s := exited.String(); !strings.Contains(s, "status 3") {
		t.Errorf("got %q", s)
	}
	if events[2].Incarnation != 2 || events[2].Pid == pid || events[2].Pid == 0 {
		t.Errorf("got %+v", events[2])
	}
	svPass(t, gate)
	svEvents(t, sub, ref, actor.EventReady)

	// A crash, and a restart that fails: that is all it may have.
	sendSignal(t, pidOf(t, ref), syscall.SIGKILL)
	gate, _ = receive[svBooting](t, inbox)
	gate.Reply(nil, errProbe)
	events = svEvents(t, sub, ref, actor.EventExited, actor.EventRestarting, actor.EventStarted, actor.EventExited, actor.EventGaveUp)
	if !isSignal9(events[0].Reason) || !events[0].Down.Restarting {
		t.Errorf("got %+v", events[0])
	}
	if f, ok := events[3].Reason.(actor.InitFailed); !ok || !errors.Is(f.Err, errProbe) || events[3].Down.Restarting {
		t.Errorf("got %+v", events[3])
	}
	if _, ok := events[4].Reason.(actor.InitFailed); !ok {
		t.Errorf("it gave up for %v", events[4].Reason)
	}
	if sub.Dropped() != 0 {
		t.Errorf("%d dropped", sub.Dropped())
	}
}

// Ends after which there is nothing to give up.
func TestEventsOfOrderlyEnds(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sub := sys.Events()
	for _, test := range []struct {
		name    string
		restart actor.Restart
		end     func(ref actor.Ref)
		is      func(actor.Reason) bool
	}{
		{"stop", actor.Permanent, func(ref actor.Ref) {
			if err := ref.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}, func(r actor.Reason) bool { return r == actor.Shutdown{} }},
		{"normal", actor.Transient, func(ref actor.Ref) { tell(t, ref, svEnd{How: "stop"}) },
			func(r actor.Reason) bool { return r == actor.Normal{} }},
		{"temporary", actor.Temporary, func(ref actor.Ref) { tell(t, ref, svEnd{How: "kill"}) },
			func(r actor.Reason) bool { return isSignal9(r) }},
	} {
		spec := survivors.With(svArg{})
		spec.Restart = test.restart
		ref := svSpawn(t, sys, spec)
		watch := sys.Watch(ref)
		test.end(ref)
		ended(t, watch)
		events := svEvents(t, sub, ref, actor.EventStarted, actor.EventReady, actor.EventExited)
		if e := events[2]; !test.is(e.Reason) || e.Down == nil || e.Down.Restarting {
			t.Errorf("%s: got %+v", test.name, e)
		}
	}
	// Nothing of them came later.
	other := svSpawn(t, sys, survivors)
	for e := range sub.C {
		if e.Ref == other && e.Kind == actor.EventReady {
			break
		}
		if e.Ref != other && e.Kind != actor.EventDeadLetter {
			t.Errorf("got %v", e)
		}
	}
	sub.Stop()
}

// A restart says when it is due.
func TestEventsOfBackoff(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sub := sys.Events()
	defer sub.Stop()
	spec := svSpec(svArg{})
	spec.Backoff = actor.Backoff{Min: 20 * time.Millisecond, Max: time.Hour}
	ref := svSpawn(t, sys, spec)
	for _, want := range []time.Duration{20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond} {
		sendSignal(t, pidOf(t, ref), syscall.SIGKILL)
		events := svEvents(t, sub, ref, actor.EventStarted, actor.EventReady, actor.EventExited, actor.EventRestarting)
		if got := events[3].In; got != want {
			t.Errorf("a restart is due in %v, want %v", got, want)
		}
		pidOf(t, ref) // it is back
		if i := svInfo(t, sys, ref); i.Since.Sub(events[2].Time) < want {
			t.Errorf("it was back %v after its end, want %v", i.Since.Sub(events[2].Time), want)
		}
	}
}

// A dead letter is an event, too.
func TestEventsOfDeadLetters(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sub := sys.Events()
	defer sub.Stop()
	spec := survivors.With(svArg{})
	spec.Restart = actor.Temporary
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, spec)
	gate := svAsk[string](t.Context(), ref, svEnd{How: "panic", Gate: inbox.Ref()})
	held, _ := receive[Held](t, inbox)
	tell(t, ref, svNumber{N: 1})
	svPass(t, held)
	if a := within(t, gate); a.Err == nil {
		t.Errorf("got %+v", a)
	}
	var letters []actor.DeadLetter
	for len(letters) < 2 {
		e := within(t, sub.C)
		if (e.Kind == actor.EventDeadLetter) != (e.Letter != nil) {
			t.Errorf("got %+v", e)
		}
		if e.Letter == nil {
			continue
		}
		if e.Ref != ref || e.Letter.To != ref || !e.Time.Equal(e.Letter.Time) {
			t.Errorf("got %+v", e)
		}
		letters = append(letters, *e.Letter)
		if s := e.String(); !strings.Contains(s, "dead letter") || !strings.Contains(s, e.Letter.Message.Type) || !strings.Contains(s, "panic") {
			t.Errorf("got %q", s)
		}
	}
	if !letters[0].Suspect || letters[1].Suspect || svDecode[svNumber](t, letters[1]).N != 1 {
		t.Errorf("got %+v", letters)
	}
}

// What befalls supervisors and children comes in the order in which it did.
func TestEventsOfATree(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sub := sys.Events()
	defer sub.Stop()
	sup := svSpawn(t, sys, actor.Supervisor{Name: "top", Strategy: actor.OneForAll, Intensity: 1, Children: []actor.Child{
		survivors.With(svArg{}).Named("a"), survivors.With(svArg{}).Named("b"),
	}})
	watch := sys.Watch(sup)
	for round := range 2 {
		a, err := sys.Lookup("a")
		if err != nil {
			t.Fatal(err)
		}
		m := sys.Monitor(a)
		sendSignal(t, pidOf(t, a), syscall.SIGKILL)
		ended(t, m)
		if round == 0 {
			eventually(t, "both are back", func() bool {
				b := svWorkers(t, sup)[1] // the last to start
				return b.Incarnation == 2 && b.State == actor.Running
			})
		}
	}
	ended(t, watch)
	var got []string
	for done := false; !done; {
		e := within(t, sub.C)
		if e.Kind == actor.EventDeadLetter {
			continue
		}
		got = append(got, e.Name+" "+e.Kind.String())
		done = e.Ref == sup && e.Kind == actor.EventExited
		if e.Ref == sup && (e.Pid != 0 || e.Type != "supervisor") {
			t.Errorf("got %+v", e)
		}
		if s, ok := e.Reason.(actor.Shutdown); done && (!ok || s.Detail == "") {
			t.Errorf("it ended with %v", e.Reason)
		}
	}
	// When a supervisor counts as started, and what is said of siblings that
	// restart along, is left open.
	var order []string
	for _, line := range got {
		switch line {
		case "top started", "a restarting", "b restarting":
		default:
			order = append(order, line)
		}
	}
	want := []string{
		"a started", "a ready", "b started", "b ready", "top ready",
		"a exited", "b exited", "a started", "a ready", "b started", "b ready",
		"a exited", "top gave up", "b exited", "top exited",
	}
	if !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
	if !slices.Contains(got, "a restarting") {
		t.Errorf("no restart of a was told: %q", got)
	}
}

// A subscription that nobody reads holds 1024, counts the rest, and holds up
// nobody; others get everything.
func TestEventsAreBounded(t *testing.T) {
	const limit = 1024
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	lazy, busy := sys.Events(), sys.Events()
	all := 0
	count := func() {
		for len(busy.C) > 0 {
			<-busy.C
			all++
		}
	}
	for range 4 {
		svLetters(t, sys, inbox, 400)
		count()
	}
	quiet := func() bool { return len(lazy.C)+int(lazy.Dropped()) == all }
	eventually(t, "both have been told the same", func() bool { count(); return quiet() })
	if len(lazy.C) != limit || lazy.Dropped() != uint64(all-limit) || busy.Dropped() != 0 || all < 1600 {
		t.Errorf("%d kept and %d dropped of %d", len(lazy.C), lazy.Dropped(), all)
	}
	// The oldest are kept, in order.
	first, last := <-lazy.C, time.Time{}
	if first.Kind != actor.EventStarted {
		t.Errorf("the first one is %v", first)
	}
	for len(lazy.C) > 0 {
		e := <-lazy.C
		if e.Kind != actor.EventDeadLetter && e.Time.Before(last) {
			t.Errorf("%v is from before %v", e, last)
		}
		if e.Kind != actor.EventDeadLetter {
			last = e.Time
		}
	}
	// And there is room again.
	dropped := lazy.Dropped()
	ref := svSpawn(t, sys, survivors)
	svEvents(t, lazy, ref, actor.EventStarted, actor.EventReady)
	if lazy.Dropped() != dropped {
		t.Errorf("%d dropped, want %d", lazy.Dropped(), dropped)
	}
	lazy.Stop()
	lazy.Stop()
	for len(lazy.C) > 0 {
		<-lazy.C
	}
	if err := ref.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	svEvents(t, busy, ref, actor.EventStarted, actor.EventReady, actor.EventExited)
	svQuiet(t, "after Stop", lazy.C)
	busy.Stop()
}

// One that is never stopped leaks nothing when the system has ended, and does not
// keep it from ending.
func TestSubscriptionsLeftOpen(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	events, letters := sys.Events(), sys.DeadLetters()
	ref := svSpawn(t, sys, survivors)
	if err := sys.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	svEvents(t, events, ref, actor.EventStarted, actor.EventReady, actor.EventExited)
	svQuiet(t, "dead letters", letters.C)
}
