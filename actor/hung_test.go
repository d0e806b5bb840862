//go:build unix

package actor_test

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// hangs is an actor whose handler may not return.
type hangs struct{}

// Hang has the actor hang in that way.
type Hang struct{ How string }

// Reply answers at once.
type Reply struct{ N int }

var hanger = actor.Define("hanger", actor.Zero[hangs], actor.On((*hangs).Hang), actor.On((*hangs).Reply), actor.OnTell((*hangs).Nap), actor.On((*hangs).Facts))

// Nap takes its time.
type Nap struct{ For time.Duration }

func (h *hangs) Nap(_ *actor.Context, m Nap) error {
	time.Sleep(m.For)
	return nil
}

func (h *hangs) Facts(*actor.Context, Facts) (Facts, error) { return Facts{Pid: os.Getpid()}, nil }

func (h *hangs) Reply(_ *actor.Context, m Reply) (int, error) { return m.N, nil }

func (h *hangs) Hang(_ *actor.Context, m Hang) (int, error) {
	switch m.How {
	case "spin":
		h.spinForEver()
	case "deaf":
		signal.Ignore(syscall.SIGQUIT)
		h.spinForEver()
	case "system call":
		var fds [2]int
		syscall.Pipe(fds[:])
		syscall.Read(fds[0], make([]byte, 1))
	case "stop":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	h.waitForEver()
	return 0, nil
}

// spinForEver uses no memory: the race detector looks at each use, and of a goroutine that is in its code
// the Go runtime does not know the stack.
//
//go:noinline
func (h *hangs) spinForEver() {
	for i := 0; ; i++ {
	}
}

//go:noinline
func (h *hangs) waitForEver() { select {} }

// downOf waits for the Down of m.
func downOf(t *testing.T, m *actor.Monitor, within time.Duration) actor.Down {
	t.Helper()
	select {
	case d := <-m.C:
		return d
	case <-time.After(within):
		t.Fatal("no Down")
		return actor.Down{}
	}
}

// asksGoOn asks ref all the time until stop is called, which fails the test if an Ask failed or there was none.
func asksGoOn(t *testing.T, ref actor.Ref) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	first := make(chan struct{})
	asking.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			got, err := actor.Ask[int](ctx, ref, Reply{n})
			if err != nil && ctx.Err() == nil || err == nil && got != n {
				t.Errorf("another actor's Ask %d: %d, %v", n, got, err)
				break
			}
			if n == 1 {
				close(first)
			}
			time.Sleep(time.Millisecond) // to leave others the machine, not to wait for anything
		}
	})
	<-first
	return func() { cancel(); asking.Wait() }
}

// A handler that takes too long is ended, whatever it does, and the Down says where it was. The message is
// the suspect; those behind it reach the next process; nobody else notices.
func TestHandlerTimeout(t *testing.T) {
	for _, how := range []struct{ how, in string }{
		{"spin", "spinForEver"},
		{"wait", "waitForEver"},
		{"system call", "syscall.Read"},
		{"stop", "Hang("}, // it is continued for its last words, so it may have gone on
		{"deaf", ""},
	} {
		t.Run(how.how, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			const limit = 200 * time.Millisecond
			spec := hanger.With(actor.None{})
			spec.HandlerTimeout = limit
			ref := svSpawn(t, sys, spec)
			other := svSpawn(t, sys, hanger.With(actor.None{}))
			defer asksGoOn(t, other)()
			m := sys.Monitor(ref)
			letters := sys.DeadLetters()
			defer letters.Stop()
			begun := time.Now()
			if err := ref.Tell(t.Context(), Hang{how.how}); err != nil {
				t.Fatal(err)
			}
			if n, err := actor.Ask[int](t.Context(), ref, Reply{7}); n != 7 || err != nil {
				t.Errorf("the message behind it: %d, %v", n, err)
			}
			d := downOf(t, m, 10*time.Second)
			hung, ok := d.Reason.(actor.Hung)
			if !ok || hung.What != "handler" || hung.Timeout != limit {
				t.Fatalf("the reason is %#v", d.Reason)
			}
			if how.in == "" {
				if hung.Stacks != "" {
					t.Errorf("stacks of one that does not answer:\n%s", hung.Stacks)
				}
			} else if !strings.Contains(hung.Stacks, how.in) || !strings.Contains(hung.Stacks, "Hang(") {
				t.Errorf("the stacks do not say where it was:\n%s", hung.Stacks)
			}
			if d.InProgress == nil || !strings.HasSuffix(d.InProgress.Type, "Hang") || d.NotBegun != 1 {
				t.Errorf("in progress %v, not begun %d", d.InProgress, d.NotBegun)
			}
			if l := <-letters.C; !l.Suspect || !strings.HasSuffix(l.Message.Type, "Hang") {
				t.Errorf("dead letter: %v", l)
			}
			if took := time.Since(begun); took < limit {
				t.Errorf("down after %v, the limit is %v", took, limit)
			}
			t.Logf("down %v after the message, uptime %v", time.Since(begun), d.Uptime)
		})
	}
}

// A message that takes less than the timeout is nobody's business, however many of them there are.
func TestHandlerTimeoutIsForOneMessage(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := hanger.With(actor.None{})
	spec.HandlerTimeout = time.Second
	ref := svSpawn(t, sys, spec)
	m := sys.Monitor(ref)
	for range 8 { // 1.6 s together
		if err := ref.Tell(t.Context(), Nap{200 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := actor.Ask[int](t.Context(), ref, Reply{}); err != nil {
		t.Error(err)
	}
	if m.Stop(); len(m.C) > 0 {
		t.Errorf("it is down: %v", <-m.C)
	}
}

// A process that is stopped, idle or at work, ends within its Heartbeat; one that is busy for longer
// than that does not.
func TestHeartbeat(t *testing.T) {
	const beat = 300 * time.Millisecond
	spec := hanger.With(actor.None{})
	spec.Heartbeat = beat
	t.Run("stopped", func(t *testing.T) {
		sys := actortest.New(t, actor.Options{})
		ref := svSpawn(t, sys, spec)
		other := svSpawn(t, sys, hanger.With(actor.None{}))
		defer asksGoOn(t, other)()
		m := sys.Monitor(ref)
		stopped := time.Now()
		if err := syscall.Kill(pidOf(t, ref), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		d := downOf(t, m, 10*time.Second)
		hung, ok := d.Reason.(actor.Hung)
		if !ok || hung.What != "heartbeat" || hung.Timeout != beat || !d.Restarting {
			t.Fatalf("the Down is %+v", d)
		}
		if !strings.Contains(hung.Stacks, "goroutine ") {
			t.Errorf("no stacks: %q", hung.Stacks)
		}
		t.Logf("down %v after the stop", time.Since(stopped))
		if n, err := actor.Ask[int](t.Context(), ref, Reply{7}); n != 7 || err != nil {
			t.Errorf("the next process: %d, %v", n, err)
		}
	})
	t.Run("busy", func(t *testing.T) {
		sys := actortest.New(t, actor.Options{})
		ref := svSpawn(t, sys, spec)
		m := sys.Monitor(ref)
		if err := ref.Tell(t.Context(), Nap{3 * beat}); err != nil {
			t.Fatal(err)
		}
		if _, err := actor.Ask[int](t.Context(), ref, Reply{}); err != nil {
			t.Error(err)
		}
		if m.Stop(); len(m.C) > 0 {
			t.Errorf("it is down: %v", <-m.C)
		}
	})
}

// What is too short is refused, by name.
func TestTimeoutsAreChecked(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		name string
		set  func(*actor.Spec, time.Duration)
		min  time.Duration
	}{
		{"HandlerTimeout", func(s *actor.Spec, d time.Duration) { s.HandlerTimeout = d }, time.Millisecond},
		{"Heartbeat", func(s *actor.Spec, d time.Duration) { s.Heartbeat = d }, 10 * time.Millisecond},
		{"Recycle.After", func(s *actor.Spec, d time.Duration) { s.Recycle.After = d }, 10 * time.Millisecond},
	} {
		for _, d := range []time.Duration{-1, test.min - 1} {
			spec := hanger.With(actor.None{})
			test.set(&spec, d)
			_, err := sys.Spawn(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), test.name) {
				t.Errorf("%s of %v: %v", test.name, d, err)
			}
		}
		for _, d := range []time.Duration{time.Hour, 1<<63 - 1} {
			spec := hanger.With(actor.None{})
			test.set(&spec, d)
			ref, err := sys.Spawn(t.Context(), spec)
			if err != nil {
				t.Errorf("%s of %v: %v", test.name, d, err)
				continue
			}
			if _, err := actor.Ask[int](t.Context(), ref, Reply{}); err != nil {
				t.Errorf("%s of %v: %v", test.name, d, err)
			}
		}
	}
}
