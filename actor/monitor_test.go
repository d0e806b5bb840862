//go:build unix

package actor_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// Every monitor gets exactly one Down; one of an actor that is no more gets it
// at once.
func TestMonitors(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), rigger.With(rigArg{}).Named("watched"))
	if err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, ref)
	var monitors []*actor.Monitor
	for range 3 {
		monitors = append(monitors, sys.Monitor(ref))
	}
	stopped := sys.Monitor(ref)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop: want true and then false")
	}
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range monitors {
		d := ended(t, m)
		if d.Ref != ref || d.Type != "rig" || d.Name != "watched" || d.Incarnation != 1 || d.Pid != pid || d.Uptime <= 0 || d.MaxRSS <= 0 {
			t.Errorf("got %+v", d)
		}
		if m.Stop() {
			t.Error("Stop after the Down: got true")
		}
	}
	for _, late := range []*actor.Monitor{sys.Monitor(ref), sys.Monitor(actor.Ref{}), sys.Monitor(newInbox(t, sys).Ref())} {
		select {
		case d := <-late.C:
			if d.Reason != (actor.NoSuchActor{}) {
				t.Errorf("got %v, want NoSuchActor", d.Reason)
			}
		default:
			t.Error("no Down at once")
		}
		if late.Stop() {
			t.Error("Stop of a monitor that has its Down: got true")
		}
	}
	// Kill has returned: whatever was to come has come.
	for _, m := range append(monitors, stopped) {
		select {
		case d := <-m.C:
			t.Errorf("one Down too many: %v", d)
		default:
		}
	}
}

// A Down comes after everything that the actor had written, wherever to.
func TestDownComesLast(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	const n = 1000
	for range 5 {
		watcher, source := spawnProbe(t, sys, probeArg{}), spawnRig(t, sys, rigArg{})
		m := sys.Monitor(source)
		ask[actor.MonitorID](t, watcher, WatchIt{source})
		tell(t, source, Pour{To: watcher, N: n})
		tell(t, source, Pour{To: inbox.Ref(), N: n})
		tell(t, source, Write{Die: true})
		ended(t, m)
		for i := range n { // they are there already
			if _, c := receive[Count](t, inbox); c.N != i {
				t.Fatalf("got %d, want %d", c.N, i)
			}
		}
		eventually(t, "the watcher has its Down", func() bool { return len(ask[[]actor.Down](t, watcher, Downs{})) == 1 })
		if got := ask[[]int](t, watcher, Seen{}); len(got) != n {
			t.Errorf("the watcher had %d numbers before the Down, want %d", len(got), n)
		}
		d := ask[[]actor.Down](t, watcher, Downs{})[0]
		if d.Ref != source || d.Monitor == 0 || d.InProgress == nil {
			t.Errorf("got %+v", d)
		}
		if err := watcher.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// When its Down is there, a name is free.
func TestNameIsFreeAtDown(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := temporary(rigger.With(rigArg{})).Named("phoenix")
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	for i := range rounds {
		ref, err := sys.Spawn(t.Context(), spec)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		m := sys.Monitor(ref)
		tell(t, ref, Write{Die: true})
		ended(t, m)
	}
}

// Demonitor takes back one monitor, even if its Down is in the mailbox.
func TestDemonitor(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	watcher, target := spawnWatcher(t, sys), spawnRig(t, sys, rigArg{})
	inbox := newInbox(t, sys)
	keep := ask[actor.MonitorID](t, watcher, WatchIt{target})
	early := ask[actor.MonitorID](t, watcher, WatchIt{target})
	late := ask[actor.MonitorID](t, watcher, WatchIt{target})
	ask[string](t, watcher, Forget{early})
	ask[string](t, watcher, Forget{early}) // nothing happens
	release := hold(t, inbox, watcher)
	m := sys.Monitor(target)
	dropped := make(chan error, 1)
	go func() {
		_, err := actor.Ask[string](t.Context(), watcher, Forget{late})
		dropped <- err
	}()
	release()
	if err := within(t, dropped); err != nil {
		t.Fatal(err)
	}
	if err := target.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended(t, m)
	eventually(t, "the one Down", func() bool { return len(ask[[]actor.MonitorID](t, watcher, Downs{})) > 0 })
	if got := ask[[]actor.MonitorID](t, watcher, Downs{}); len(got) != 1 || got[0] != keep {
		t.Errorf("got Downs of %v, want of %v", got, keep)
	}

	// The handler that demonitors holds the Down up that is behind it.
	target = spawnRig(t, sys, rigArg{})
	id := ask[actor.MonitorID](t, watcher, WatchIt{target})
	if got := ask[string](t, watcher, KillAndForget{target, id}); got != "forgotten" {
		t.Errorf("got %q", got)
	}
	if got := ask[[]actor.MonitorID](t, watcher, Downs{}); len(got) != 1 {
		t.Errorf("got Downs of %v, want no second", got)
	}
}

// A monitor of what is no more is answered with a message, too; an actor that
// could not take it is told so.
func TestMonitorFromActor(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	watcher, target := spawnProbe(t, sys, probeArg{}), spawnRig(t, sys, rigArg{})
	if err := target.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask[actor.MonitorID](t, watcher, WatchIt{target})
	ask[actor.MonitorID](t, watcher, WatchIt{actor.Ref{}})
	eventually(t, "both Downs", func() bool { return len(ask[[]actor.Down](t, watcher, Downs{})) == 2 })
	for _, d := range ask[[]actor.Down](t, watcher, Downs{}) {
		if d.Reason != (actor.NoSuchActor{}) {
			t.Errorf("got %v, want NoSuchActor", d.Reason)
		}
	}
	rig := spawnRig(t, sys, rigArg{}) // has no handler for a Down
	if _, err := actor.Ask[string](t.Context(), rig, Poke{"monitor"}); !errors.Is(err, actor.ErrUnhandled) {
		t.Errorf("got %v, want ErrUnhandled", err)
	}
	if err := rig.Tell(t.Context(), actor.Down{}); !errors.Is(err, actor.ErrUnhandled) {
		t.Errorf("tell of a Down: got %v, want ErrUnhandled", err)
	}
}

// Monitors may come while the actor goes.
func TestMonitorWhileDying(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for range 10 {
		ref := spawnRig(t, sys, rigArg{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					m := sys.Monitor(ref)
					if !m.Stop() {
						within(t, m.C)
						return
					}
				}
			})
			wg.Go(func() { within(t, sys.Monitor(ref).C) })
		}
		if err := ref.Kill(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

// watcher remembers whose Downs it got.
type watcher struct{ downs []actor.MonitorID }

type (
	// Forget ends a monitor.
	Forget struct{ ID actor.MonitorID }
	// KillAndForget does so when the Down is on its way.
	KillAndForget struct {
		Ref actor.Ref
		ID  actor.MonitorID
	}
)

var watching = actor.Define("watcher", actor.Zero[watcher],
	actor.On((*watcher).WatchIt), actor.On((*watcher).Forget), actor.On((*watcher).KillAndForget),
	actor.On((*watcher).Downs), actor.OnTell((*watcher).Down), actor.On((*watcher).Hold))

func spawnWatcher(t testing.TB, sys *actor.System) actor.Ref {
	t.Helper()
	ref, err := sys.Spawn(t.Context(), watching)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (w *watcher) WatchIt(c *actor.Context, m WatchIt) (actor.MonitorID, error) {
	return c.Monitor(c, m.To)
}

func (w *watcher) Forget(c *actor.Context, m Forget) (string, error) {
	return "forgotten", c.Demonitor(c, m.ID)
}

func (w *watcher) KillAndForget(c *actor.Context, m KillAndForget) (string, error) {
	if err := m.Ref.Kill(c); err != nil {
		return "", err
	}
	// Kill has returned, so the Down is in this actor's mailbox.
	return "forgotten", c.Demonitor(c, m.ID)
}

func (w *watcher) Downs(*actor.Context, Downs) ([]actor.MonitorID, error) { return w.downs, nil }

func (w *watcher) Down(c *actor.Context, d actor.Down) error {
	w.downs = append(w.downs, d.Monitor)
	if d.Pid == 0 {
		return fmt.Errorf("no pid in %v", d)
	}
	return nil
}

func (w *watcher) Hold(c *actor.Context, m Hold) (string, error) {
	return actor.Ask[string](c, m.Gate, Held{})
}
