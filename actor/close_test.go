//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// Close stops in reverse order of start, each when the one before has ended.
func TestCloseOrder(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	const n = 5
	for i := range n {
		spawnRig(t, sys, rigArg{Last: inbox.Ref(), Label: Label{fmt.Sprint(i)}})
	}
	done := make(chan error, 1)
	go func() { done <- sys.Close(t.Context()) }()
	for i := range n {
		if _, got := receive[Stopped](t, inbox); got.Text != fmt.Sprint(n-1-i) {
			t.Errorf("number %d stopped as the %dth", n-1-i, i)
		}
	}
	if err := within(t, done); err != nil {
		t.Error(err)
	}
}

// What hangs does not make Close hang: it is killed, which Close reports.
func TestCloseIsBounded(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name  string
		limit time.Duration
		ctx   context.Context
		want  error
	}{
		{"by CloseTimeout", 100 * time.Millisecond, t.Context(), context.DeadlineExceeded},
		{"by its context", 0, cancelled, context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{CloseTimeout: test.limit})
			inbox := newInbox(t, sys)
			var monitors []*actor.Monitor
			for range 3 {
				ref := spawnRig(t, sys, rigArg{})
				monitors = append(monitors, sys.Monitor(ref))
				tell(t, ref, Spin{inbox.Ref()})
				receive[Held](t, inbox)
			}
			if err := sys.Close(test.ctx); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			for _, m := range monitors {
				select {
				case d := <-m.C:
					if d.Reason.IsNormal() {
						t.Errorf("got %v, want it killed", d.Reason)
					}
				default:
					t.Error("Close returned before a Down")
				}
			}
			if n := sys.Stats().Actors; n != 0 {
				t.Errorf("%d actors are left", n)
			}
		})
	}
}

// After Close everything says that it is over, and closing again is nothing.
func TestAfterClose(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref, err := sys.Spawn(t.Context(), rigger.With(rigArg{}).Named("last"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := sys.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if n := sys.Stats().Actors; n != 0 {
				t.Errorf("Close returned while there were %d actors", n)
			}
		})
	}
	wg.Wait()
	if err := sys.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := sys.Spawn(t.Context(), rigger); !errors.Is(err, os.ErrClosed) {
		t.Errorf("spawn: %v", err)
	}
	if _, err := sys.NewInbox(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("new inbox: %v", err)
	}
	if _, err := inbox.Receive(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("receive: %v", err)
	}
	if _, err := sys.Lookup("last"); !errors.Is(err, actor.ErrNoActor) {
		t.Errorf("lookup: %v", err)
	}
	_, err = actor.Ask[string](t.Context(), ref, Echo{"?"})
	if r, ok := errors.AsType[actor.Shutdown](err); !ok {
		t.Errorf("ask: got %v, want %v", err, r)
	}
	if d := ended(t, sys.Monitor(ref)); d.Reason != (actor.NoSuchActor{}) {
		t.Errorf("monitor: %v", d.Reason)
	}
}

// Close may come at any moment of what others do.
func TestCloseMeanwhile(t *testing.T) {
	for round := range 5 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			ref := spawnRig(t, sys, rigArg{})
			inbox := newInbox(t, sys)
			var wg sync.WaitGroup
			worked := make(chan struct{}, 1)
			until := func(what string, f func() error) {
				wg.Go(func() {
					for {
						err := f()
						select {
						case worked <- struct{}{}:
						default:
						}
						_, down := errors.AsType[*actor.DownError](err)
						_, noactor := errors.AsType[*actor.DeliveryError](err)
						if err == nil {
							continue
						}
						if !down && !noactor && !errors.Is(err, os.ErrClosed) {
							// A Spawn that was overtaken says how its actor ended.
							if _, ok := errors.AsType[*actor.SpawnError](err); !ok {
								t.Errorf("%s: %v", what, err)
							}
						}
						return
					}
				})
			}
			until("ask", func() error {
				_, err := actor.Ask[string](t.Context(), ref, Echo{"x"})
				return err
			})
			until("tell", func() error { return ref.Tell(t.Context(), Count{1}) })
			until("pour", func() error {
				_, err := actor.Ask[Poured](t.Context(), ref, Pour{To: inbox.Ref(), N: 100})
				return err
			})
			until("receive", func() error {
				_, err := inbox.Receive(t.Context())
				return err
			})
			until("inbox", func() error {
				b, err := sys.NewInbox()
				if err == nil {
					b.Close()
				}
				return err
			})
			for range 2 {
				until("spawn", func() error {
					r, err := sys.Spawn(t.Context(), rigger)
					if err == nil {
						sys.Monitor(r)
					}
					return err
				})
			}
			for range 1 + 20*round {
				within(t, worked)
			}
			if err := sys.Close(t.Context()); err != nil {
				t.Error(err)
			}
			wg.Wait()
		})
	}
}

// An actor's children end with it, and before whoever ends it is told so. They are
// asked to; only Kill gives them no notice.
func TestCloseTakesChildren(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(sys *actor.System, parent actor.Ref) error
		want actor.Reason
	}{
		{"stop", func(_ *actor.System, parent actor.Ref) error { return parent.Stop(t.Context()) }, actor.Shutdown{}},
		{"kill", func(_ *actor.System, parent actor.Ref) error { return parent.Kill(t.Context()) },
			actor.Killed{Detail: "Kill was called"}},
		{"close", func(sys *actor.System, _ actor.Ref) error { return sys.Close(t.Context()) }, actor.Shutdown{}},
		{"crash", func(sys *actor.System, parent actor.Ref) error {
			if _, err := actor.Ask[string](t.Context(), parent, Fault{"exit3"}); err == nil {
				return errors.New("it did not crash")
			}
			// The next process begins without children: their names are free.
			for _, name := range []string{"a", "b"} {
				if _, err := actor.Ask[actor.Ref](t.Context(), parent, Hatch{name}); err != nil {
					return err
				}
			}
			return nil
		}, actor.Shutdown{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			parent := spawnProbe(t, sys, probeArg{})
			var monitors []*actor.Monitor
			for _, name := range []string{"a", "b"} {
				monitors = append(monitors, sys.Monitor(ask[actor.Ref](t, parent, Hatch{name})))
			}
			if err := test.end(sys, parent); err != nil {
				t.Fatal(err)
			}
			for _, m := range monitors {
				select {
				case d := <-m.C:
					if d.Reason != test.want || d.Restarting {
						t.Errorf("got %v, restarting: %t; want %v", d.Reason, d.Restarting, test.want)
					}
				default:
					t.Error("a child outlived it")
				}
			}
		})
	}
}
