package actor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// A closer closes descriptors that are not its own, as libraries do that want to start clean. 3 is its inbox, 4 its
// outbox.
type closer struct{ counted int }

type (
	// Close closes the descriptors from From to To. As the argument it is done by the start function, unless it is zero.
	Close struct{ From, To int }
	// Chatter has it log without end.
	Chatter struct{}
	// LastWords has it close its outbox, print a line and exit.
	LastWords struct{ Text string }
	// One is counted; Total answers how many were.
	One   struct{ N int }
	Total struct{}
)

var closers = actor.Define("closer", newCloser, actor.OnTell((*closer).Close), actor.OnTell((*closer).Chatter),
	actor.OnTell((*closer).LastWords), actor.OnTell((*closer).One), actor.On((*closer).Total))

func newCloser(c *actor.Context, arg Close) (*closer, error) {
	a := new(closer)
	if arg == (Close{}) {
		return a, nil
	}
	return a, a.Close(c, arg)
}

func (*closer) Close(_ *actor.Context, m Close) error {
	for fd := m.From; fd <= m.To; fd++ {
		syscall.Close(fd)
	}
	return nil
}

func (*closer) Chatter(c *actor.Context, _ Chatter) error {
	go func() {
		for {
			c.Logger().Debug("chatter")
		}
	}()
	return nil
}

func (*closer) LastWords(_ *actor.Context, m LastWords) error {
	syscall.Close(4)
	fmt.Fprintln(os.Stderr, m.Text)
	os.Exit(3)
	return nil
}

func (a *closer) One(*actor.Context, One) error            { a.counted++; return nil }
func (a *closer) Total(*actor.Context, Total) (int, error) { return a.counted, nil }

// closings are the ways to close pipes, and what the reason says then.
var closings = []struct {
	name  string
	close Close
	want  []string // one of them
}{
	{"inbox", Close{3, 3}, []string{"closed its inbox"}},
	{"outbox", Close{4, 4}, []string{"closed its outbox"}},
	{"both", Close{3, 4}, []string{"closed its inbox", "closed its outbox"}},
	// The runtime's own are among them, so it may end first.
	{"all", Close{3, 1023}, []string{"closed its inbox", "closed its outbox", "runtime: netpoll"}},
}

func isClosed(r actor.Reason, want []string) bool {
	if !errors.As(r, new(actor.Protocol)) && !errors.As(r, new(actor.Panic)) {
		return false
	}
	for _, text := range want {
		if strings.Contains(fmt.Sprint(r), text) {
			return true
		}
	}
	return false
}

func spawnCloser(t *testing.T, sys *actor.System, restart actor.Restart) actor.Ref {
	t.Helper()
	spec := closers.With(Close{})
	spec.Restart = restart
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// An actor that cannot hear, or cannot speak, any more is ended, and one is told why, though nobody sends it
// anything.
func TestClosedIdle(t *testing.T) {
	for _, c := range closings {
		t.Run(c.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			ref := spawnCloser(t, sys, actor.Temporary)
			m := sys.Monitor(ref)
			tell(t, ref, c.close)
			if d := ended(t, m); !isClosed(d.Reason, c.want) {
				t.Errorf("got %#v, want one that says %q", d.Reason, c.want)
			}
		})
	}
}

// What a process prints after it has closed its outbox is in its Down, though from then on nobody is told that it
// prints.
func TestClosedLastWords(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnCloser(t, sys, actor.Temporary)
	m := sys.Monitor(ref)
	tell(t, ref, LastWords{"that was all"})
	d := ended(t, m)
	if want := []string{"that was all"}; !slices.Equal(d.Log, want) || !strings.Contains(fmt.Sprint(d.Reason), "3") {
		t.Errorf("got %q and the reason %v, want %q and exit 3", d.Log, d.Reason, want)
	}
}

// If the start function does it, the actor has not started, or it has and is ended.
func TestClosedAtStart(t *testing.T) {
	for _, c := range closings {
		t.Run(c.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			spec := closers.With(c.close)
			spec.Restart = actor.Temporary
			var reason actor.Reason
			ref, err := sys.Spawn(t.Context(), spec)
			if failed, ok := errors.AsType[*actor.SpawnError](err); ok && failed.Down != nil {
				reason = failed.Down.Reason
			} else if err == nil {
				reason = ended(t, sys.Monitor(ref)).Reason
			} else {
				t.Fatal(err)
			}
			if !isClosed(reason, c.want) {
				t.Errorf("got %#v, want one that says %q", reason, c.want)
			}
		})
	}
}

// The same for a process that was in readiness.
func TestClosedStandby(t *testing.T) {
	sys := actortest.New(t, actor.Options{Standby: 1})
	for _, c := range closings {
		ref := spawnCloser(t, sys, actor.Temporary)
		m := sys.Monitor(ref)
		tell(t, ref, c.close)
		if d := ended(t, m); !isClosed(d.Reason, c.want) {
			t.Errorf("%s: got %#v, want one that says %q", c.name, d.Reason, c.want)
		}
	}
}

// Under load, when all goes through the rings and no pipe is written to: every Ask ends, and with AsksWait has its
// answer from the next process.
func TestClosedUnderLoad(t *testing.T) {
	for _, c := range closings {
		t.Run(c.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			ref := spawnCloser(t, sys, actor.Transient)
			m := sys.Monitor(ref)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var load sync.WaitGroup
			var answers atomic.Int64
			for range 4 {
				load.Go(func() {
					for ctx.Err() == nil {
						if _, err := actor.Ask[int](ctx, ref, Total{}); err == nil {
							answers.Add(1)
						}
					}
				})
			}
			load.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					ref.Tell(ctx, One{n})
				}
			})
			eventually(t, "answers", func() bool { return answers.Load() > 1000 })
			tell(t, ref, c.close)
			if d := ended(t, m); !isClosed(d.Reason, c.want) {
				t.Errorf("got %#v, want one that says %q", d.Reason, c.want)
			}
			before := answers.Load()
			eventually(t, "answers of the next process", func() bool { return answers.Load() > before+1000 })
			stop()
			load.Wait()
		})
	}
}

// One that speaks without end is ended as well.
func TestClosedWhileItSpeaks(t *testing.T) {
	for _, c := range closings[:3] {
		t.Run(c.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			ref := spawnCloser(t, sys, actor.Temporary)
			m := sys.Monitor(ref)
			tell(t, ref, Chatter{})
			ask[int](t, ref, Total{})
			tell(t, ref, c.close)
			if d := ended(t, m); !isClosed(d.Reason, c.want) {
				t.Errorf("got %#v, want one that says %q", d.Reason, c.want)
			}
		})
	}
}

// What was told to one that could not hear it is not lost: the next process gets it.
func TestClosedLosesNothing(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnCloser(t, sys, actor.Transient)
	m := sys.Monitor(ref)
	for n := range 100 { // so that it uses the ring
		tell(t, ref, One{n})
	}
	if got := ask[int](t, ref, Total{}); got != 100 {
		t.Fatalf("counted %d, want 100", got)
	}
	tell(t, ref, Close{3, 3})
	const n = 1000
	for i := range n {
		tell(t, ref, One{i})
	}
	if d := ended(t, m); !isClosed(d.Reason, closings[0].want) {
		t.Errorf("got %#v", d.Reason)
	} else if got := ask[int](t, ref, Total{}); got > n || got < d.NotBegun {
		t.Errorf("the next process counted %d, and %d were not begun of %d", got, d.NotBegun, n)
	}
	if got := sys.Stats().DeadLetters; got > 1 {
		t.Errorf("%d dead letters; only the one that was in progress may be one", got)
	}
}
