//go:build unix

package actor_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// leaky is an actor that is to be recycled. It passes numbers on to To.
type leaky struct {
	to      actor.Ref
	handled int
	leaked  [][]byte
}

type (
	// LeakyArg is its argument. It fails to start a second time if the file Once exists.
	LeakyArg struct {
		To   actor.Ref
		Once string
	}
	// Number is passed on, with how many this process has handled before.
	Number struct{ N, Before, Pid int }
	// Leak leaks so many bytes.
	Leak struct{ Bytes int }
)

var leaker = actor.Define("leaker", newLeaky,
	actor.OnTell((*leaky).Number), actor.On((*leaky).Facts), actor.On((*leaky).Leak), actor.OnTell((*leaky).Nap), actor.OnTell((*leaky).Fault))

func newLeaky(_ *actor.Context, arg LeakyArg) (*leaky, error) {
	if arg.Once != "" {
		if _, err := os.Stat(arg.Once); err == nil {
			return nil, fmt.Errorf("not again")
		}
		if err := os.WriteFile(arg.Once, nil, 0o600); err != nil {
			return nil, err
		}
	}
	return &leaky{to: arg.To}, nil
}

func (l *leaky) Number(c *actor.Context, m Number) error {
	m.Before, m.Pid = l.handled, os.Getpid()
	l.handled++
	return l.to.Tell(c, m)
}

func (l *leaky) Facts(*actor.Context, Facts) (Facts, error) { return Facts{Pid: os.Getpid()}, nil }

func (l *leaky) Leak(_ *actor.Context, m Leak) (int, error) {
	block := make([]byte, m.Bytes)
	for i := 0; i < len(block); i += 1 << 10 {
		block[i] = 1
	}
	l.leaked = append(l.leaked, block)
	return os.Getpid(), nil
}

func (l *leaky) Nap(_ *actor.Context, m Nap) error {
	time.Sleep(m.For)
	return nil
}

func (l *leaky) Fault(*actor.Context, Fault) error { panic("on purpose") }

// A flood of messages over twenty recyclings: each process handles exactly as many as it may, all
// messages are handled once and in order, and there is nobody to blame.
func TestRecycleLosesNothing(t *testing.T) {
	const each, processes = 50, 21
	for _, restart := range []actor.Restart{actor.Transient, actor.Permanent, actor.Temporary} {
		t.Run(restart.String(), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := openInbox(t, sys, Number{})
			letters, events := sys.DeadLetters(), sys.Events()
			defer letters.Stop()
			defer events.Stop()
			spec := leaker.With(LeakyArg{To: inbox.Ref()})
			spec.Restart, spec.Intensity, spec.Backoff = restart, actor.NoRestarts, actor.Backoff{Min: time.Hour}
			spec.Recycle.Messages = each
			ref := svSpawn(t, sys, spec)
			for n := range each * processes {
				if err := ref.Tell(t.Context(), Number{N: n}); err != nil {
					t.Fatal(err)
				}
			}
			pids := make(map[int]bool)
			for n := range each * processes {
				m, err := inbox.Receive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got := m.Value.(Number)
				if got.N != n || got.Before != n%each {
					t.Fatalf("message %d came as %d, after %d others in its process", n, got.N, got.Before)
				}
				pids[got.Pid] = true
			}
			if len(pids) != processes {
				t.Errorf("%d processes, want %d", len(pids), processes)
			}
			// That which follows is in the next process: the last recycling is over.
			if pid := ask[Facts](t, ref, Facts{}).Pid; pids[pid] {
				t.Errorf("process %d has handled %d messages and lives", pid, each)
			}
			if len(letters.C) > 0 {
				t.Errorf("a dead letter: %v", <-letters.C)
			}
			recycled := 0
			for len(events.C) > 0 {
				e := <-events.C
				if e.Kind != actor.EventExited {
					continue
				}
				if recycled++; !e.Down.Restarting || e.Reason != (actor.Recycled{Why: "it has handled 50 messages"}) || e.Down.InProgress != nil {
					t.Errorf("the Down of %d: %+v", e.Incarnation, e.Down)
				}
			}
			if recycled != processes {
				t.Errorf("%d events tell of a recycling, want %d", recycled, processes)
			}
		})
	}
}

// The number of messages is exact.
func TestRecycleAfterMessages(t *testing.T) {
	const limit = 3
	for _, n := range []int{limit - 1, limit, limit + 1} {
		t.Run(fmt.Sprint(n, " messages"), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := openInbox(t, sys, Number{})
			spec := leaker.With(LeakyArg{To: inbox.Ref()})
			spec.Recycle.Messages = limit
			ref := svSpawn(t, sys, spec)
			pids := make(map[int]bool)
			for i := range n {
				tell(t, ref, Number{N: i})
				m, err := inbox.Receive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				pids[m.Value.(Number).Pid] = true
			}
			if want := 1 + (n-1)/limit; len(pids) != want {
				t.Errorf("%d messages were handled by %d processes, want %d", n, len(pids), want)
			}
		})
	}
}

// An old process gives way, when it has finished what it is at.
func TestRecycleAfterAge(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	letters := sys.DeadLetters()
	defer letters.Stop()
	spec := leaker.With(LeakyArg{})
	spec.Restart = actor.Temporary
	spec.Recycle.After = 100 * time.Millisecond
	ref := svSpawn(t, sys, spec)
	for range 2 { // idle
		m := sys.Monitor(ref)
		d := ended(t, m)
		if d.Reason != (actor.Recycled{Why: "it is 100ms old"}) || !d.Restarting || d.Uptime < spec.Recycle.After {
			t.Fatalf("the Down is %+v", d)
		}
	}
	m := sys.Monitor(ref)
	tell(t, ref, Nap{300 * time.Millisecond})
	before := ask[Facts](t, ref, Facts{}).Pid // behind it; in the next process, as this one is too old by then
	d := ended(t, m)
	if d.Reason != (actor.Recycled{Why: "it is 100ms old"}) || d.InProgress != nil || d.Pid == before {
		t.Errorf("the Down is %+v, the message behind was handled by %d", d, before)
	}
	if len(letters.C) > 0 {
		t.Errorf("a dead letter: %v", <-letters.C)
	}
}

// What leaks gives way, and what does not stays.
func TestRecycleForMemory(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	if s := sys.Capabilities().RecycleMemory; s.By == "" {
		t.Skipf("the resident memory of a process is not known here: %s", s.Reason)
	}
	spec := leaker.With(LeakyArg{})
	spec.Recycle.Memory = 200 << 20
	ref := svSpawn(t, sys, spec)
	m := sys.Monitor(ref)
	first := ask[int](t, ref, Leak{20 << 20})
	tell(t, ref, Nap{600 * time.Millisecond}) // somebody has looked meanwhile
	if pid := ask[Facts](t, ref, Facts{}).Pid; pid != first || len(m.C) > 0 {
		t.Fatalf("process %d has given way to %d", first, pid)
	}
	ask[int](t, ref, Leak{220 << 20}) // and nothing else: the mailbox is empty
	d := ended(t, m)
	if r, ok := d.Reason.(actor.Recycled); !ok || !strings.Contains(r.Why, "bytes of memory") || !d.Restarting || d.Pid != first {
		t.Errorf("the Down is %+v", d)
	}
	if pid := ask[Facts](t, ref, Facts{}).Pid; pid == first {
		t.Error("the same process")
	}
}

// Siblings and links have no part in it, and what fails to start again has failed.
func TestRecycleIsNobodyElsesBusiness(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := leaker.With(LeakyArg{Once: t.TempDir() + "/once"}).Named("leaker")
	spec.Recycle.Messages = 1
	spec.Restart = actor.Temporary
	tree := actor.Supervisor{Strategy: actor.OneForAll, Intensity: actor.NoRestarts, Children: []actor.Child{
		spec, leaker.With(LeakyArg{}).Named("sibling"),
	}}
	svSpawn(t, sys, tree)
	ref, err := sys.Lookup("leaker")
	if err != nil {
		t.Fatal(err)
	}
	sibling, err := sys.Lookup("sibling")
	if err != nil {
		t.Fatal(err)
	}
	pid := ask[Facts](t, sibling, Facts{}).Pid
	watch := sys.Watch(ref)
	ask[Facts](t, ref, Facts{})
	if d := ended(t, watch); !isInitFailed(d.Reason) {
		t.Errorf("its end: %v", d)
	}
	if again := ask[Facts](t, sibling, Facts{}).Pid; again != pid {
		t.Errorf("the sibling is in process %d, and was in %d", again, pid)
	}
}

func isInitFailed(r actor.Reason) bool { _, ok := r.(actor.InitFailed); return ok }

// A recycling is no restart that counts: the budget is whole when a crash needs it.
func TestRecycleCostsNoIntensity(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, Number{})
	spec := leaker.With(LeakyArg{To: inbox.Ref()})
	spec.Intensity, spec.Period = 1, time.Hour
	spec.Recycle.Messages = 2
	ref := svSpawn(t, sys, spec)
	for range 10 {
		tell(t, ref, Number{})
		if _, err := inbox.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	m := sys.Monitor(ref)
	tell(t, ref, Fault{})
	for d := ended(t, m); ; d = ended(t, m) {
		if _, crashed := d.Reason.(actor.Panic); crashed {
			if !d.Restarting {
				t.Errorf("%v", d)
			}
			break
		}
		m = sys.Monitor(ref)
	}
	w := sys.Watch(ref)
	tell(t, ref, Fault{})
	if d := ended(t, w); d.Restarting {
		t.Errorf("%v", d)
	}
}

// An actor cannot say that it was recycled to be restarted for nothing.
func TestRecycleIsNotForTheActorToSay(t *testing.T) {
	frame, err := codec.AppendMessage(nil, &codec.Envelope{Kind: wire.KindGoodbye},
		wire.Goodbye{Reason: wire.Reason{Cause: wire.Recycled}}, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []uint64{0, 2} { // it has handled one when it says so
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			spec := vandals.With(actor.None{})
			spec.Restart = actor.Temporary
			spec.Recycle.Messages = after
			ref := svSpawn(t, sys, spec)
			m := sys.Monitor(ref)
			tell(t, ref, scrawl{Bytes: frame, Exit: true})
			d := ended(t, m)
			if p, ok := d.Reason.(actor.Protocol); !ok || !strings.Contains(p.Detail, "recycled") || d.Restarting {
				t.Errorf("the Down: %v", d)
			}
		})
	}
}

// Askers notice nothing, whatever they ask for while the actor is between two processes, and whether these
// were on standby.
func TestRecycleAnswersAll(t *testing.T) {
	for _, asks := range []actor.AsksWhileRestarting{actor.AsksWait, actor.AsksFail, actor.AsksQueue} {
		for _, standby := range []int{0, 2} {
			t.Run(fmt.Sprint(asks, " ", standby, " on standby"), func(t *testing.T) {
				sys := actortest.New(t, actor.Options{Standby: standby})
				spec := leaker.With(LeakyArg{})
				spec.Asks, spec.Restart = asks, actor.Temporary
				spec.Recycle.Messages = 20
				ref := svSpawn(t, sys, spec)
				pids := make([]map[int]bool, 4)
				var asking sync.WaitGroup
				for i := range pids {
					pids[i] = make(map[int]bool)
					asking.Go(func() {
						for range 50 {
							got, err := actor.Ask[Facts](t.Context(), ref, Facts{})
							if err != nil {
								t.Error(err)
								return
							}
							pids[i][got.Pid] = true
						}
					})
				}
				asking.Wait()
				for _, more := range pids[1:] {
					maps.Copy(pids[0], more)
				}
				if len(pids[0]) != 10 {
					t.Errorf("%d processes have answered 200 Asks, want 10", len(pids[0]))
				}
			})
		}
	}
}

// Who is stopped while it is being recycled stays down.
func TestRecycleAndStop(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for i := range 20 {
		spec := leaker.With(LeakyArg{})
		spec.Recycle.Messages = 1
		ref := svSpawn(t, sys, spec)
		w := sys.Watch(ref)
		for range i % 4 {
			tell(t, ref, Nap{})
		}
		if err := ref.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := ended(t, w)
		switch d.Reason.(type) {
		case actor.Shutdown, actor.Killed, actor.Recycled: // Killed before it was ready again
		default:
			t.Errorf("the end of one that was stopped: %v", d)
		}
		if d.Restarting || d.InProgress != nil {
			t.Errorf("the Down is %+v", d)
		}
	}
}
