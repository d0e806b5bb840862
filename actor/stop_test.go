//go:build unix

package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// spawnBrief starts a rig that may take that long to stop.
func spawnBrief(t testing.TB, sys *actor.System, limit time.Duration, arg rigArg) actor.Ref {
	t.Helper()
	spec := rigger.With(arg)
	spec.StopTimeout = limit
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// pidOf asks an actor for its process.
func pidOf(t testing.TB, ref actor.Ref) int {
	t.Helper()
	return ask[Facts](t, ref, Facts{}).Pid
}

// An actor that does not take part in its stop ends all the same, and others
// do not notice.
func TestStopOfUnwilling(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	other := spawnRig(t, sys, rigArg{})
	for _, test := range []struct {
		name  string
		apply func(ref actor.Ref)
	}{
		{"stopped by a signal", func(ref actor.Ref) { freeze(t, pidOf(t, ref)) }},
		{"spinning", func(ref actor.Ref) {
			tell(t, ref, Spin{inbox.Ref()})
			receive[Held](t, inbox)
		}},
		{"waiting", func(ref actor.Ref) { hold(t, inbox, ref) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref := spawnBrief(t, sys, 50*time.Millisecond, rigArg{})
			m := sys.Monitor(ref)
			test.apply(ref)
			done := make(chan error, 1)
			go func() { done <- ref.Stop(t.Context()) }()
			answers := 0
			for stopped := false; !stopped; answers++ {
				select {
				case err := <-done:
					if stopped = true; err != nil {
						t.Error(err)
					}
				default:
					ask[string](t, other, Echo{"meanwhile"})
				}
			}
			if answers < 2 {
				t.Errorf("the other actor answered %d times meanwhile", answers)
			}
			d := ended(t, m)
			if k, ok := d.Reason.(actor.Killed); !ok || !strings.Contains(k.Detail, "50ms") {
				t.Errorf("got reason %v, want Killed after 50ms", d.Reason)
			}
			if d.Uptime > patience {
				t.Errorf("it took %v", d.Uptime)
			}
		})
	}
}

// Stop lets the message in progress finish, and begins nothing further.
func TestStopFinishesTheMessage(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox, last := newInbox(t, sys), newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{Last: last.Ref(), Label: Label{"bye"}})
	m := sys.Monitor(ref)
	held := make(chan error, 1)
	go func() {
		_, err := actor.Ask[string](t.Context(), ref, Hold{inbox.Ref()})
		held <- err
	}()
	gate, _ := receive[Held](t, inbox)
	const n = 50
	for range n {
		tell(t, ref, Hold{inbox.Ref()})
	}
	for range 3 { // stopping again is nothing
		if err := ref.Stop(impatient(t)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	}
	begun := 0
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for gate.Reply("go on", nil) == nil {
			var err error
			if gate, err = inbox.Receive(t.Context()); err != nil {
				return
			}
			begun++
		}
	}()
	if err := within(t, held); err != nil {
		t.Errorf("the message in progress: %v", err)
	}
	d := ended(t, m)
	inbox.Close()
	<-answered
	// On a busy machine the request to stop may take a while, but not for ever.
	if d.Reason != (actor.Shutdown{}) || begun == n || d.NotBegun != n-begun {
		t.Errorf("got %v, %d begun and %d not, of %d", d.Reason, begun, d.NotBegun, n)
	}
	if _, s := receive[Stopped](t, last); s.Text != "bye" {
		t.Errorf("got %q", s.Text)
	}
	if got := sys.Stats().DeadLetters; got != uint64(d.NotBegun) {
		t.Errorf("%d dead letters, want %d", got, d.NotBegun)
	}
}

// Stop and Kill of what is no more, or never was, are no errors; a context
// that ends first is one, and the actor ends all the same.
func TestStopAndKill(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	m := sys.Monitor(ref)
	release := hold(t, inbox, ref)
	gone, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("no patience")
	cancel(cause)
	if err := ref.Stop(gone); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
	release()
	if d := ended(t, m); d.Reason != (actor.Shutdown{}) {
		t.Errorf("got %v", d.Reason)
	}
	if err := ref.Stop(t.Context()); err != nil {
		t.Errorf("stop of a dead actor: %v", err)
	}
	if err := ref.Kill(t.Context()); err != nil {
		t.Errorf("kill of a dead actor: %v", err)
	}
	if err := (actor.Ref{}).Stop(t.Context()); err != nil {
		t.Errorf("stop of nobody: %v", err)
	}

	ref = spawnRig(t, sys, rigArg{Last: inbox.Ref()})
	m = sys.Monitor(ref)
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, m); d.Reason != (actor.Killed{Detail: "Kill was called"}) {
		t.Errorf("got %v", d.Reason)
	}
}

// A stop in mid-boot ends the boot, at once.
func TestStopWhileStarting(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	done := make(chan error, 1)
	go func() {
		_, err := sys.Spawn(t.Context(), rigger.With(rigArg{Gate: inbox.Ref(), Hang: true}).Named("young"))
		done <- err
	}()
	receive[Held](t, inbox)
	ref, err := sys.Lookup("young")
	if err != nil {
		t.Fatal(err)
	}
	m := sys.Monitor(ref)
	if err := ref.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := within(t, done); !errors.Is(err, actor.ErrAborted) {
		t.Errorf("got %v, want ErrAborted", err)
	}
	d := ended(t, m)
	if k, ok := d.Reason.(actor.Killed); !ok || k.Detail == "" || d.Restarting {
		t.Errorf("got %v, restarting: %t; want Killed that says why", d.Reason, d.Restarting)
	}
}

// goexiter's handler ends its goroutine, as t.FailNow and the like do.
type goexiter struct{}

func (*goexiter) Goexit(*actor.Context, Spin) error {
	runtime.Goexit()
	return nil
}

var goexiters = actor.Define("goexiter", actor.Zero[goexiter], actor.OnTell((*goexiter).Goexit))

// A handler that ends its goroutine ends the actor: it must not live on, deaf.
func TestGoexit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), goexiters)
	if err != nil {
		t.Fatal(err)
	}
	_, err = actor.Ask[actor.None](t.Context(), ref, Spin{})
	if p, ok := errors.AsType[actor.Panic](err); !ok || p.Value != "the actor called runtime.Goexit" {
		t.Errorf("got %v, want a Panic that names it", err)
	}
}

// Nothing is no Spec.
func TestSpawnNil(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	if _, err := sys.Spawn(t.Context(), nil); err == nil {
		t.Error("got no error")
	}
}
