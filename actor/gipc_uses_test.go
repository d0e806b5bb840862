//go:build unix

package actor_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// 74: a child floods a channel that nobody is in a hurry to read. The first
// messages are there, and the child can be ended, by a signal or by a stop.
func TestGipcFloodingChild(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		name string
		end  func(ref actor.Ref, pid int) error
		want func(actor.Reason) bool
	}{
		{"SIGTERM", func(_ actor.Ref, pid int) error { sendSignal(t, pid, syscall.SIGTERM); return nil },
			func(r actor.Reason) bool { return r == actor.Signal{Signal: syscall.SIGTERM} }},
		{"stop", func(ref actor.Ref, _ int) error { return ref.Stop(t.Context()) },
			func(r actor.Reason) bool { _, ok := r.(actor.Killed); return ok }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inbox := openInbox(t, sys, item{})
			spec := temporary(peers.With(peerArg{}))
			spec.StopTimeout = 1 // it will not stop by itself
			ref, err := sys.Spawn(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			pid, m := ask[int](t, ref, getpid{}), sys.Monitor(ref)
			tell(t, ref, flood{inbox.Ref()})
			receiveItems(t, inbox, 1, 2, 100)
			if err := test.end(ref, pid); err != nil {
				t.Error(err)
			}
			if d := ended(t, m); !test.want(d.Reason) {
				t.Errorf("got %#v", d.Reason)
			}
			inbox.Close() // with what it holds
		})
	}
}

// stepper is one of two that synchronise. The one that is told to begin sends
// SYN; its partner answers SYNACK and CHICKEN and ends.
type stepper struct {
	step int
}

type (
	begin   struct{ Partner actor.Ref }
	syn     struct{}
	synack  struct{}
	chicken struct{}
)

var steppers = actor.Define("stepper", actor.Zero[stepper],
	actor.On((*stepper).begin), actor.OnTell((*stepper).syn), actor.OnTell((*stepper).synack),
	actor.OnTell((*stepper).chicken), actor.OnTell((*stepper).down))

func (s *stepper) begin(c *actor.Context, m begin) (actor.None, error) {
	if _, err := c.Monitor(c, m.Partner); err != nil {
		return actor.None{}, err
	}
	return actor.None{}, m.Partner.Tell(c, syn{})
}

func (s *stepper) syn(c *actor.Context, _ syn) error {
	defer c.Stop()
	if err := c.Sender().Tell(c, synack{}); err != nil {
		return err
	}
	return c.Sender().Tell(c, chicken{})
}

func (s *stepper) synack(*actor.Context, synack) error { return s.next(1) }

func (s *stepper) chicken(*actor.Context, chicken) error { return s.next(2) }

func (s *stepper) down(*actor.Context, actor.Down) error {
	if err := s.next(3); err != nil {
		return err
	}
	os.Exit(2 + s.step)
	return nil
}

// next exits with a status of its own if step is not what comes next.
func (s *stepper) next(step int) error {
	if s.step++; s.step != step {
		os.Exit(100 + 10*s.step + step)
	}
	return nil
}

// 75: two children synchronise: SYN, SYNACK, a message, the end. One exits
// with 0, the other with 5.
func TestGipcTwoInStep(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	var refs [2]actor.Ref
	var monitors [2]*actor.Monitor
	for i := range refs {
		ref, err := sys.Spawn(t.Context(), temporary(steppers.With(actor.None{})))
		if err != nil {
			t.Fatal(err)
		}
		refs[i], monitors[i] = ref, sys.Monitor(ref)
	}
	ask[actor.None](t, refs[1], begin{refs[0]})
	for i, want := range []actor.Reason{actor.Normal{}, actor.ExitCode{Code: 5}} {
		if d := ended(t, monitors[i]); d.Reason != want {
			t.Errorf("child %d: got %v, want %v", i, d.Reason, want)
		}
	}
}

// letter is one item of a list.
type letter struct{ Text string }

const stop = "STOP"

// turner sends back what it gets, from a goroutine and a queue of its own.
type turner struct{ queue chan string }

var turners = actor.Define("turner", func(c *actor.Context, to actor.Ref) (*turner, error) {
	s := &turner{make(chan string, 1)}
	go func() {
		for text := range s.queue {
			if err := to.Tell(c, letter{text}); err != nil {
				c.Logger().Error("turner", "err", err)
			}
		}
		c.Stop()
	}()
	return s, nil
}, actor.OnTell(func(s *turner, _ *actor.Context, m letter) error {
	if s.queue <- m.Text; m.Text == stop {
		close(s.queue)
	}
	return nil
}))

// 76: list → queue → pipe → queue → pipe → list, 101 items in order.
func TestGipcHundredAndOne(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, letter{})
	ref, err := sys.Spawn(t.Context(), turners.With(inbox.Ref()))
	if err != nil {
		t.Fatal(err)
	}
	m := sys.Monitor(ref)
	var sent []string
	for range 100 {
		sent = append(sent, string("UFTATA"[rand.IntN(6)]))
	}
	sent = append(sent, stop)
	queue := make(chan string, 1)
	go func() {
		defer close(queue)
		for _, text := range sent {
			queue <- text
		}
	}()
	go func() {
		for text := range queue {
			if err := ref.Tell(t.Context(), letter{text}); err != nil {
				t.Error(err)
			}
		}
	}()
	var got []string
	for len(got) == 0 || got[len(got)-1] != stop {
		_, l := receive[letter](t, inbox)
		got = append(got, l.Text)
	}
	if !slices.Equal(got, sent) {
		t.Errorf("got %v, want %v", got, sent)
	}
	if d := ended(t, m); d.Reason != (actor.Normal{}) {
		t.Errorf("got %v, want Normal", d.Reason)
	}
}

// resolve is answered when a name was looked up, with the number of goroutines.
type resolve struct{ Host string }

type client struct{}

var clients = actor.Define("client", actor.Zero[client],
	actor.On(func(_ *client, c *actor.Context, m resolve) (int, error) {
		net.DefaultResolver.LookupHost(c, m.Host) // what it finds is the machine's affair
		return runtime.NumGoroutine(), nil
	}))

// 77, 78: the resolver was used and a pool of threads is busy in the parent
// when a child starts. The child has nothing of either, uses its own, and the
// pool goes on.
func TestGipcResolverAndPool(t *testing.T) {
	const workers = 16
	sys := actortest.New(t, actor.Options{})
	net.DefaultResolver.LookupHost(t.Context(), "localhost")
	var pool sync.WaitGroup
	jobs, done := make(chan int), make(chan int, 2*workers)
	for range workers {
		pool.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for j := range jobs {
				done <- j
			}
		})
	}
	defer pool.Wait()
	defer close(jobs)

	ref, err := sys.Spawn(t.Context(), clients)
	if err != nil {
		t.Fatal(err)
	}
	if n := ask[int](t, ref, resolve{"localhost"}); n >= workers {
		t.Errorf("the child has %d goroutines", n)
	}
	for j := range cap(done) {
		jobs <- j
	}
	for range cap(done) {
		finally(t, "the parent's pool", done)
	}
	if err := ref.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// 80: ten goroutines each start a child, exchange a message with it and see it end.
func TestGipcTenAtOnce(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	results := make(chan error, 10)
	for i := range cap(results) {
		go func() { results <- oneOfTen(t, sys, fmt.Sprint("msg ", i)) }()
	}
	for range cap(results) {
		if err := finally(t, "child", results); err != nil {
			t.Error(err)
		}
	}
	if n := sys.Stats().Actors; n != 0 {
		t.Errorf("%d actors are left", n)
	}
}

func oneOfTen(t *testing.T, sys *actor.System, text string) error {
	ref, err := sys.Spawn(t.Context(), peers)
	if err != nil {
		return err
	}
	m := sys.Monitor(ref)
	got, err := actor.Ask[parcel](t.Context(), ref, parcel{Text: text})
	if err != nil || got.Text != text {
		return fmt.Errorf("got %q, %v, want %q", got.Text, err, text)
	}
	if err := ref.Tell(t.Context(), retire{}); err != nil {
		return err
	}
	if d := <-m.C; d.Reason != (actor.Normal{}) {
		return fmt.Errorf("got %v, want Normal", d.Reason)
	}
	return nil
}
