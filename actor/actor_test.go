//go:build unix

package actor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// spawnProbe starts a probe.
func spawnProbe(t testing.TB, sys *actor.System, arg probeArg) actor.Ref {
	t.Helper()
	ref, err := sys.Spawn(t.Context(), prober.With(arg))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// ask fails the test on an error.
func ask[R any](t testing.TB, ref actor.Ref, m any) R {
	t.Helper()
	r, err := actor.Ask[R](t.Context(), ref, m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tell(t testing.TB, ref actor.Ref, m any) {
	t.Helper()
	if err := ref.Tell(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the one Down of a monitor.
func ended(t testing.TB, m *actor.Monitor) actor.Down {
	t.Helper()
	return finally(t, "a Down", m.C)
}

func TestAskAndTell(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnProbe(t, sys, probeArg{})
	if got := ask[string](t, ref, Echo{"hello"}); got != "hello" {
		t.Errorf("got %q", got)
	}
	want := make([]int, 5000)
	for i := range want {
		want[i] = i
		tell(t, ref, Count{i})
	}
	if got := ask[[]int](t, ref, Seen{}); !slices.Equal(got, want) {
		t.Errorf("got %d numbers, want %d in order", len(got), len(want))
	}
}

func TestReasons(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		fault string
		want  func(actor.Reason) bool
	}{
		{"panic", func(r actor.Reason) bool {
			p, ok := r.(actor.Panic)
			return ok && p.Value == "on purpose" && p.Stack != ""
		}},
		{"goroutine", func(r actor.Reason) bool {
			p, ok := r.(actor.Panic)
			return ok && p.Value == "assignment to entry in nil map" && p.Stack != ""
		}},
		{"mapwrite", func(r actor.Reason) bool {
			p, ok := r.(actor.Panic)
			return ok && p.Value == "fatal error: concurrent map writes" && p.Stack != ""
		}},
		{"exit0", func(r actor.Reason) bool { return r == actor.ExitCode{Code: 0} }},
		{"exit2", func(r actor.Reason) bool { return r == actor.ExitCode{Code: 2} }},
		{"exit3", func(r actor.Reason) bool { return r == actor.ExitCode{Code: 3} }},
		{"kill", func(r actor.Reason) bool { s, ok := r.(actor.Signal); return ok && s.Signal == 9 }},
		{"term", func(r actor.Reason) bool { s, ok := r.(actor.Signal); return ok && s.Signal == 15 }},
		{"abort", func(r actor.Reason) bool { s, ok := r.(actor.Signal); return ok && s.Signal == 6 && s.Stack != "" }},
		{"stack", func(r actor.Reason) bool {
			p, ok := r.(actor.Panic)
			return ok && bytes.Contains([]byte(p.Value+p.Stack), []byte("stack overflow"))
		}},
	} {
		t.Run(test.fault, func(t *testing.T) {
			spec := prober.With(probeArg{})
			spec.Procs = 4 // with one, the runtime may never see two goroutines in a map
			ref, err := sys.Spawn(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			m := sys.Monitor(ref)
			_, err = actor.Ask[string](t.Context(), ref, Fault{test.fault})
			down, ok := errors.AsType[*actor.DownError](err)
			if !ok {
				t.Fatalf("got %v, want a DownError", err)
			}
			if !test.want(down.Down.Reason) {
				t.Errorf("got reason %#v", down.Down.Reason)
			}
			if d, _ := errors.AsType[*actor.DeliveryError](err); d == nil || d.Fate != actor.InProgress {
				t.Errorf("got %v, want the fate InProgress", err)
			}
			d := ended(t, m)
			if !test.want(d.Reason) || !d.Restarting {
				t.Errorf("monitor: got reason %#v, restarting: %t; every crash is", d.Reason, d.Restarting)
			}
			if d.InProgress == nil || d.InProgress.Type != "github.com/progeny-go/progeny/actor_test.Fault" {
				t.Errorf("got in progress %+v", d.InProgress)
			}
			if got := ask[string](t, ref, Echo{"next"}); got != "next" {
				t.Errorf("its next process says %q", got)
			}
		})
	}
}

func TestStop(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnProbe(t, sys, probeArg{})
	m := sys.Monitor(ref)
	if err := ref.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, m); d.Reason != (actor.Shutdown{}) {
		t.Errorf("got %v", d.Reason)
	}
	ref = spawnProbe(t, sys, probeArg{})
	m = sys.Monitor(ref)
	tell(t, ref, Quit{})
	if d := ended(t, m); d.Reason != (actor.Normal{}) {
		t.Errorf("got %v", d.Reason)
	}
}

func TestActorToActor(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	a, b := spawnProbe(t, sys, probeArg{}), spawnProbe(t, sys, probeArg{})
	if got := ask[string](t, a, Relay{To: b, How: "ask", Text: "over"}); got != "over" {
		t.Errorf("got %q", got)
	}
	const n = 20000
	tell(t, a, Flood{To: b, N: n})
	ask[string](t, a, Echo{"flood done"})
	if got := ask[[]int](t, b, Seen{}); len(got) != n || !slices.IsSorted(got) {
		t.Errorf("got %d numbers in order %v, want %d", len(got), slices.IsSorted(got), n)
	}
	child := ask[actor.Ref](t, a, Hatch{"kid"})
	if got := ask[actor.Ref](t, b, Find{"kid"}); got != child {
		t.Errorf("found %v, want %v", got, child)
	}
	m := sys.Monitor(child)
	ask[actor.MonitorID](t, b, WatchIt{child})
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, m); d.Reason != (actor.Shutdown{}) {
		t.Errorf("child: %v", d.Reason)
	}
	var downs []actor.Down
	eventually(t, "a Down", func() bool {
		downs = ask[[]actor.Down](t, b, Downs{})
		return len(downs) > 0
	})
	if len(downs) != 1 || downs[0].Reason != (actor.Shutdown{}) {
		t.Errorf("got downs %v", downs)
	}
}

// brooder spawns children, and has not much patience.
type (
	brooder struct{}
	Brood   struct{ Name string }
)

func (*brooder) Brood(c *actor.Context, m Brood) (string, error) {
	ctx, cancel := context.WithCancel(c)
	defer cancel()
	time.AfterFunc(100*time.Millisecond, cancel) // no deadline: the node has to be told
	_, err := c.Spawn(ctx, prober.With(probeArg{Hang: true}).Named(m.Name))
	if !errors.Is(err, context.Canceled) {
		return "", fmt.Errorf("spawn: got %v, want a cancellation", err)
	}
	_, err = c.Lookup(c, m.Name)
	return "", err
}

var brooders = actor.Define("brooder", actor.Zero[brooder], actor.On((*brooder).Brood))

// When an actor gives up a Spawn, nothing is left of it, as in the program itself.
func TestSpawnGivenUpByAnActor(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), brooders)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := actor.Ask[string](t.Context(), ref, Brood{"egg"}); !errors.Is(err, actor.ErrNoActor) {
		t.Errorf("got %v, want ErrNoActor of the Lookup", err)
	}
	if n := sys.Stats().Actors; n != 1 {
		t.Errorf("%d actors, want the parent alone", n)
	}
}
