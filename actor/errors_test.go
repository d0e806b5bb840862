//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// stranger is a Ref that nobody has.
func stranger(t testing.TB) actor.Ref {
	t.Helper()
	ref, err := actor.ParseRef("actor:4fb58a3d-6e5b-4c1a-9d4a-3a0e4b1c7f11")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// What reaches nobody says so at once, and says why.
func TestAskNobody(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	dead, other := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	if err := dead.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, to := range []actor.Ref{{}, stranger(t), dead} {
		_, askErr := actor.Ask[string](t.Context(), to, Echo{"?"})
		for _, err := range []error{askErr, to.Tell(t.Context(), Echo{"?"})} {
			d, ok := errors.AsType[*actor.DeliveryError](err)
			if !ok || d.Fate != actor.NotSent || d.To != to {
				t.Errorf("%v: got %v, want one that was not sent", to, err)
			}
			down, isDown := errors.AsType[*actor.DownError](err)
			if to == dead && (!isDown || down.Down.Ref != dead || down.Down.Type != "rig") {
				t.Errorf("a dead actor: got %v, want its Down", err)
			}
			if to != dead && !errors.Is(err, actor.ErrNoActor) {
				t.Errorf("%v: got %v, want ErrNoActor", to, err)
			}
		}
		// From an actor the same. What comes back has passed through two processes.
		if _, err := actor.Ask[int](t.Context(), other, Relay{To: to}); err == nil || to != dead && !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("an actor asks %v: got %v", to, err)
		}
		if p := ask[Poured](t, other, Pour{To: to, N: 5}); p.N != 0 || p.Err == "" {
			t.Errorf("an actor tells %v: got %+v", to, p)
		}
	}
}

// When an actor dies, everybody who asked it is told, each with what is known
// of the own message.
func TestAskedActorDies(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref, relay := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	const n = 10
	errs := make(chan error, n+1)
	go func() {
		_, err := actor.Ask[string](t.Context(), ref, Hold{inbox.Ref()})
		errs <- err
	}()
	receive[Held](t, inbox)
	for range n {
		go func() {
			_, err := actor.Ask[string](t.Context(), ref, Echo{"?"})
			errs <- err
		}()
	}
	relayed := make(chan error, 1)
	go func() {
		_, err := actor.Ask[int](t.Context(), relay, Relay{To: ref})
		relayed <- err
	}()
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	fates := map[actor.Fate]int{}
	for range n + 1 {
		err := within(t, errs)
		d, ok := errors.AsType[*actor.DeliveryError](err)
		if _, killed := errors.AsType[actor.Killed](err); !ok || !killed {
			t.Fatalf("got %v, want a DeliveryError with Killed", err)
		}
		fates[d.Fate]++
	}
	// Those who had not sent when it died count as well.
	if fates[actor.InProgress] != 1 || fates[actor.NotBegun]+fates[actor.NotSent] != n {
		t.Errorf("got fates %v", fates)
	}
	if err := within(t, relayed); err == nil {
		t.Error("the relay got an answer")
	}
}

// However small messages have to be, a death is told whole.
func TestDownIsNoMessage(t *testing.T) {
	sys := actortest.New(t, actor.Options{MaxMessage: 1 << 10})
	relay, watcher := spawnProbe(t, sys, probeArg{}), spawnWatcher(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	ask[actor.MonitorID](t, watcher, WatchIt{ref})
	done := make(chan error, 1)
	go func() {
		_, err := actor.Ask[string](t.Context(), relay, Relay{To: ref, Text: "panic"})
		done <- err
	}()
	if err := within(t, done); err == nil {
		t.Error("the relay got an answer")
	}
	eventually(t, "the watcher has its Down", func() bool { return len(ask[[]actor.MonitorID](t, watcher, Downs{})) == 1 })
}

// deadlined tells what a handler knows of its asker's patience.
type deadlined struct{}

type (
	// Until answers with the deadline.
	Until struct{}
	// Await waits for the end of the asker's patience, and reports it.
	Await struct{ To actor.Ref }
)

func (r *rig) Until(c *actor.Context, m Until) (time.Time, error) {
	at, ok := c.Deadline()
	if !ok {
		return time.Time{}, nil
	}
	return at, nil
}

func (d *deadlined) Await(c *actor.Context, m Await) (string, error) {
	if err := m.To.Tell(context.Background(), Held{}); err != nil {
		return "", err
	}
	<-c.Done()
	return actor.Ask[string](context.Background(), m.To, Echo{fmt.Sprint(c.Err())})
}

func (d *deadlined) Echo(c *actor.Context, m Echo) (string, error) { return m.Text, nil }

var deadliner = actor.Define("deadlined", actor.Zero[deadlined], actor.On((*deadlined).Await), actor.On((*deadlined).Echo))

// The asker's deadline and cancellation are the handler's. The reply that comes
// too late is dropped and counted, and the next Ask gets its own.
func TestDeadlinesTravel(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	at := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), at)
	defer cancel()
	ref := spawnRig(t, sys, rigArg{})
	if got, err := actor.Ask[time.Time](ctx, ref, Until{}); err != nil || !got.Equal(at) {
		t.Errorf("got deadline %v, %v; want %v", got, err, at)
	}
	if got := ask[time.Time](t, ref, Until{}); !got.IsZero() {
		t.Errorf("got deadline %v, want none", got)
	}

	slow, err := sys.Spawn(t.Context(), deadliner)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("changed my mind")
	for i, test := range []struct {
		want error
		text string // what the handler's context says
	}{
		{cause, "context canceled"},
		{context.DeadlineExceeded, "context deadline exceeded"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := context.CancelFunc(func() {})
		if test.want == context.DeadlineExceeded {
			ctx, stop = context.WithTimeout(ctx, 200*time.Millisecond)
		}
		errs := make(chan error, 1)
		go func() {
			_, err := actor.Ask[string](ctx, slow, Await{inbox.Ref()})
			errs <- err
		}()
		if test.want == cause {
			receive[Held](t, inbox)
			cancel(cause)
		}
		err := within(t, errs)
		if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || !errors.Is(err, test.want) || d.Fate != actor.Unknown {
			t.Errorf("got %v, want %v and the fate unknown", err, test.want)
		}
		if test.want != cause {
			receive[Held](t, inbox)
		}
		m, e := receive[Echo](t, inbox)
		if e.Text != test.text {
			t.Errorf("the handler saw %q, want %q", e.Text, test.text)
		}
		if err := m.Reply("late", nil); err != nil {
			t.Error(err)
		}
		if got := ask[string](t, slow, Echo{"next"}); got != "next" {
			t.Errorf("the next Ask got %q", got)
		}
		if got := sys.Stats().LateReplies; got != uint64(i+1) {
			t.Errorf("%d late replies, want %d", got, i+1)
		}
		stop()
		cancel(nil)
	}
}

// An Ask whose context is over already is not sent, or its fate is unknown, but
// it does not wait.
func TestAskWithoutTime(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	release := hold(t, inbox, ref)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := actor.Ask[string](ctx, ref, Echo{"x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	ask[string](t, ref, Echo{"x"})
}

// Actors do not wait for themselves.
func TestSelfAsk(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnRig(t, sys, rigArg{})
	for _, how := range []string{"ask", "stop", "kill"} {
		if _, err := actor.Ask[string](t.Context(), ref, Poke{how}); !errors.Is(err, actor.ErrSelfAsk) {
			t.Errorf("%s: got %v, want ErrSelfAsk", how, err)
		}
	}
	if got := ask[string](t, ref, Poke{"tell"}); got != "told" {
		t.Errorf("got %q", got)
	}
	eventually(t, "it has told itself", func() bool { return slices.Equal(ask[[]int](t, ref, Seen{}), []int{1}) })
	if _, err := actor.Ask[string](t.Context(), ref, Poke{"system"}); err == nil || errors.Is(err, actor.ErrNotBooted) {
		t.Errorf("NewSystem in an actor: got %v", err)
	}
}

// What cannot be sent is refused before it is.
func TestRefusedAtTheSender(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnRig(t, sys, rigArg{})
	type Loop struct{ Next any }
	loop := &Loop{}
	loop.Next = loop
	for _, test := range []struct {
		name    string
		message any
		is      error
	}{
		{"unhandled", Unknown{}, actor.ErrUnhandled},
		{"nil", nil, actor.ErrUnhandled},
		{"unnamed", []int{1}, actor.ErrUnhandled},
	} {
		_, askErr := actor.Ask[string](t.Context(), ref, test.message)
		for _, err := range []error{askErr, ref.Tell(t.Context(), test.message)} {
			if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent || !errors.Is(err, test.is) {
				t.Errorf("%s: got %v, want %v and not sent", test.name, err, test.is)
			}
		}
	}
	inbox := newInbox(t, sys)
	anything, err := sys.Spawn(t.Context(), machiner)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []actor.Ref{anything, inbox.Ref()} {
		for _, message := range []any{make(chan int), func() {}, struct{ F func() }{func() {}}, loop} {
			_, askErr := actor.Ask[string](t.Context(), to, message)
			for _, err := range []error{askErr, to.Tell(t.Context(), message)} {
				if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent {
					t.Errorf("%T: got %v, want a DeliveryError, not sent", message, err)
				}
			}
		}
	}
	if got := ask[[]string](t, anything, Seen{}); len(got) != 0 {
		t.Errorf("something arrived: %v", got)
	}
}

// A handler's error arrives as a RemoteError that is what it was, if that was
// registered. A Tell's is counted.
func TestRemoteErrors(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, probe := spawnRig(t, sys, rigArg{}), spawnProbe(t, sys, probeArg{})
	_, err := actor.Ask[string](t.Context(), probe, Echo{"fail:alas"})
	r, ok := errors.AsType[*actor.RemoteError](err)
	if !ok || r.Text != "alas: probe refused" || !errors.Is(err, errProbe) || errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %#v", err)
	}
	_, err = actor.Ask[string](t.Context(), ref, Poke{"multiple"})
	if !errors.Is(err, os.ErrNotExist) || !errors.Is(err, errProbe) {
		t.Errorf("got %v, want both errors", err)
	}
	_, err = actor.Ask[string](t.Context(), ref, Poke{"else"})
	if r, ok := errors.AsType[*actor.RemoteError](err); !ok || r.Text != "unregistered" || len(r.Codes) != 0 {
		t.Errorf("got %#v", err)
	}
	if n := sys.Stats().HandlerErrors; n != 0 {
		t.Errorf("%d errors of Tells, want none", n)
	}
	for range 3 {
		tell(t, probe, Count{-1})
	}
	ask[string](t, probe, Echo{"after"}) // comes after the errors
	if n := sys.Stats().HandlerErrors; n != 3 {
		t.Errorf("%d errors of Tells, want 3", n)
	}
}

// A reply of another type than the asker expects is an error, as is one that
// does not encode.
func TestReplyTypes(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnRig(t, sys, rigArg{})
	if got, err := actor.Ask[int](t.Context(), ref, Echo{"5"}); err == nil {
		t.Errorf("a string was taken for the int %d", got)
	}
	if got := ask[any](t, ref, Echo{"any"}); got != "any" {
		t.Errorf("got %v", got)
	}
	if got := ask[*Facts](t, ref, Facts{}); got == nil || got.Pid == 0 {
		t.Errorf("got %v", got)
	}
	ask[actor.None](t, ref, Count{1}) // a handler that replies nothing
	odd, err := sys.Spawn(t.Context(), oddity)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := actor.Ask[any](t.Context(), odd, Echo{}); err == nil {
		t.Error("a channel was a reply")
	}
	if got := ask[any](t, odd, Seen{}); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}

type odd struct{}

func (odd) Echo(*actor.Context, Echo) (chan int, error) { return make(chan int), nil }
func (odd) Nil(*actor.Context, Seen) (any, error)       { return nil, nil }

var oddity = actor.Define("odd", actor.Zero[odd],
	actor.On(func(o *odd, c *actor.Context, m Echo) (chan int, error) { return o.Echo(c, m) }),
	actor.On(func(o *odd, c *actor.Context, m Seen) (any, error) { return o.Nil(c, m) }))

// A sender's Tells and Asks are handled in the order in which it sent them.
func TestTellThenAsk(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnProbe(t, sys, probeArg{})
	pairs := 10_000
	if testing.Short() {
		pairs = 1000
	}
	counter, err := sys.Spawn(t.Context(), counting)
	if err != nil {
		t.Fatal(err)
	}
	for i := range pairs {
		tell(t, counter, Count{i})
		if got := ask[int](t, counter, Seen{}); got != i {
			t.Fatalf("the Ask overtook the Tell: got %d, want %d", got, i)
		}
	}
	// Many senders at once, each in its own order.
	var wg sync.WaitGroup
	for s := range 4 {
		wg.Go(func() {
			for i := range 500 {
				if err := ref.Tell(t.Context(), Count{s*1000 + i}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := map[int]int{}
	for _, n := range ask[[]int](t, ref, Seen{}) {
		if n%1000 != last[n/1000] {
			t.Fatalf("sender %d: got %d, want %d", n/1000, n%1000, last[n/1000])
		}
		last[n/1000]++
	}
	for s := range 4 {
		if last[s] != 500 {
			t.Errorf("sender %d: %d messages, want 500", s, last[s])
		}
	}
}

// counter remembers the last Count.
type counter struct{ last int }

func (s *counter) Count(c *actor.Context, m Count) error { s.last = m.N; return nil }

func (s *counter) Seen(*actor.Context, Seen) (int, error) { return s.last, nil }

var counting = actor.Define("counter", actor.Zero[counter], actor.OnTell((*counter).Count), actor.On((*counter).Seen))

// Messages that no actor ever saw are dead letters.
func TestDeadLetters(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	m := sys.Monitor(ref)
	hold(t, inbox, ref)
	for i := range 5 {
		tell(t, ref, Count{i})
	}
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := ended(t, m)
	if d.NotBegun != 5 || d.InProgress == nil || d.InProgress.Type != string(typeOf("Hold")) {
		t.Errorf("got %d not begun, in progress %v", d.NotBegun, d.InProgress)
	}
	if n := sys.Stats().DeadLetters; n != 6 {
		t.Errorf("%d dead letters, want 5 and the one in progress", n)
	}
}
