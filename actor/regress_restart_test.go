//go:build unix

package actor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

type (
	// regWatch monitors To; with Final until its end for good.
	regWatch struct {
		To    actor.Ref
		Final bool
	}
	// regLink links with To, and regLinked is the answer.
	regLink   struct{ To actor.Ref }
	regLinked struct {
		Failed, Delivery, Unlinked bool
		Text                       string
	}
	// regTell has the actor tell To a Down or an Exit of another.
	regTell struct {
		To, About actor.Ref
		Exit      bool
	}
	// regSpread tells To so many numbers at once, each on its own. It tells Gate when all of
	// them are on their way or wait for something, and Report how many got through.
	regSpread struct {
		To           actor.Ref
		N            int
		Gate, Report actor.Ref
	}
)

func (r *regular) Watch(c *actor.Context, m regWatch) (actor.MonitorID, error) {
	if m.Final {
		return c.Watch(c, m.To)
	}
	return c.Monitor(c, m.To)
}

func (r *regular) Link(c *actor.Context, m regLink) (regLinked, error) {
	err := c.Link(c, m.To)
	if err == nil {
		return regLinked{}, nil
	}
	_, delivery := errors.AsType[*actor.DeliveryError](err)
	return regLinked{true, delivery, c.Unlink(c, m.To) == nil, err.Error()}, nil
}

func (r *regular) Tell(c *actor.Context, m regTell) (string, error) {
	if m.Exit {
		return "told", m.To.Tell(c, actor.Exit{From: m.About, Reason: actor.Normal{}})
	}
	return "told", m.To.Tell(c, actor.Down{Ref: m.About, Reason: actor.Normal{}})
}

func (r *regular) Spread(_ *actor.Context, m regSpread) (string, error) {
	var waiting, sending sync.WaitGroup
	var sent atomic.Int64
	for i := range m.N {
		waiting.Add(1)
		sending.Go(func() {
			waits := sync.OnceFunc(waiting.Done)
			defer waits()
			if m.To.Tell(regWaiting{context.Background(), waits}, Count{i}) == nil {
				sent.Add(1)
			}
		})
	}
	go func() {
		waiting.Wait()
		m.Gate.Tell(context.Background(), Count{m.N})
		sending.Wait()
		m.Report.Tell(context.Background(), svProof{N: int(sent.Load()), Size: m.N})
	}()
	return "spreading", nil
}

func (r *regular) Count(*actor.Context, Count) error {
	r.exits++
	return nil
}

func (r *regular) Seen(*actor.Context, Seen) (int, error) { return r.exits, nil }

func (r *regular) Blob(*actor.Context, Blob) error { return nil }

// A message is blamed for the processes that it has ended itself, not for those of one before it that
// was withdrawn.
func TestRegressBlame(t *testing.T) {
	for _, test := range []struct {
		name  string
		asks  actor.AsksWhileRestarting
		begun int // how often the first one is
	}{
		{"wait", actor.AsksWait, 1}, {"fail", actor.AsksFail, 1}, {"queue", actor.AsksQueue, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			letters := sys.DeadLetters()
			defer letters.Stop()
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{})
			spec.Redeliver, spec.Asks = 3, test.asks
			ref := svSpawn(t, sys, spec)
			die := svEnd{How: "kill", Gate: inbox.Ref()}
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			first := svAsk[string](ctx, ref, die)
			for i := range test.begun {
				gate, _ := receive[Held](t, inbox)
				if i == 0 {
					giveUp()
					if a := within(t, first); !errors.Is(a.Err, context.Canceled) {
						t.Errorf("got %+v", a)
					}
					tell(t, ref, die)
				}
				svPass(t, gate)
			}
			if test.begun == 3 {
				if l := within(t, letters.C); !l.Suspect || l.Attempts != 3 {
					t.Errorf("the first: got %+v", l)
				}
			}
			for range 3 {
				gate, _ := receive[Held](t, inbox)
				svQuiet(t, "letter", letters.C)
				svPass(t, gate)
			}
			if l := within(t, letters.C); !l.Suspect || l.Attempts != 3 {
				t.Errorf("got %+v, want 3 attempts", l)
			}
			eventually(t, "it is back", func() bool { // with AsksFail not at once
				got, err := actor.Ask[string](t.Context(), ref, Echo{"alive"})
				return err == nil && got == "alive"
			})
			svQuiet(t, "letter", letters.C)
		})
	}
}

// The last Down of a supervisor does not say that it comes back, also if it was about to.
func TestRegressFinalDownOfASupervisor(t *testing.T) {
	for _, how := range []string{"stop", "kill", "stop above", "kill above", "close"} {
		t.Run(how, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inner := actor.Supervisor{Name: "inner", Restart: actor.Permanent, Intensity: actor.NoRestarts,
				Backoff: actor.Backoff{Min: time.Hour}, Children: []actor.Child{survivors.With(svArg{}).Named("worker")}}
			top := svSpawn(t, sys, regBranch("top", inner))
			in, err := sys.Lookup("inner")
			if err != nil {
				t.Fatal(err)
			}
			worker, err := sys.Lookup("worker")
			if err != nil {
				t.Fatal(err)
			}
			watcher := svSpawn(t, sys, regulars)
			ask[actor.MonitorID](t, watcher, regWatch{in, true})
			monitor, watch := sys.Monitor(in), sys.Watch(in)
			if err := worker.Exit(t.Context(), errProbe); err != nil {
				t.Fatal(err)
			}
			if d := ended(t, monitor); !d.Restarting || d.Ref != in {
				t.Errorf("got %+v, want that it comes back", d)
			}
			late := sys.Monitor(in)
			svQuiet(t, "Down", watch.C)
			switch how {
			case "stop":
				err = in.Stop(t.Context())
			case "kill":
				err = in.Kill(t.Context())
			case "stop above":
				err = top.Stop(t.Context())
			case "kill above":
				err = top.Kill(t.Context())
			case "close":
				err = sys.Close(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []*actor.Monitor{watch, late} {
				if d := ended(t, m); d.Restarting || d.Ref != in {
					t.Errorf("got %+v, want the end for good", d)
				}
				svQuiet(t, "Down", m.C)
			}
			_, err = actor.Ask[string](t.Context(), in, Echo{"?"})
			if down, ok := errors.AsType[*actor.DownError](err); err == nil || ok && down.Down.Restarting {
				t.Errorf("an Ask got %v", err)
			}
		})
	}
}

// What was on its way to a worker of a pool that is stopped is no debt of its sender.
func TestRegressPoolCredit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	worker := rigger.With(rigArg{})
	worker.Mailbox.Messages, worker.StopTimeout = 1, actor.BrutalKill
	pool := svSpawn(t, sys, actor.Pool{Of: worker, Size: 2})
	sender := spawnRig(t, sys, rigArg{})
	workers := svWorkers(t, pool)
	ask[Poured](t, sender, Pour{To: pool, N: 2}) // so that no Tell waits to be taken in
	const n = 600                                // half of them are for each worker
	for round := range 4 {
		stuck := workers[round%2].Ref
		hold(t, inbox, stuck)
		if got := ask[Poured](t, sender, Pour{To: pool, N: n, Patience: patience / 3}); got.N != n {
			t.Fatalf("round %d: %+v", round, got)
		}
		if err := pool.TerminateChild(t.Context(), stuck); err != nil {
			t.Fatal(err)
		}
		if err := pool.RestartChild(t.Context(), stuck); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask[Poured](t, sender, Pour{To: pool, N: 2 * windowMessages, Patience: patience / 3}); got.N != 2*windowMessages {
		t.Errorf("all workers are idle: %+v", got)
	}
}

// Who has much on its way to an actor that is stopped and started by hand, and has not heard of it yet,
// keeps to the window all the same.
func TestRegressRevive(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox, reports := svInbox(t, sys), svInbox(t, sys)
	spec := regulars.With(actor.None{}).Named("target")
	spec.Mailbox.Messages, spec.StopTimeout = 1, actor.BrutalKill
	sup := svSpawn(t, sys, regBranch("", spec))
	target, err := sys.Lookup("target")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		sender := svSpawn(t, sys, temporary(regulars.With(actor.None{})))
		monitor := sys.Monitor(sender)
		hold(t, inbox, target)
		// Part of the window is on its way …
		const before, after = 600, 2 * windowMessages
		ask[string](t, sender, regSpread{target, before, inbox.Ref(), reports.Ref()})
		receive[Count](t, inbox)
		// … and more follows, before the sender reads of the end, which is behind much else.
		thaw := regFreeze(t, sys, sender)
		tell(t, sender, regSpread{target, after, inbox.Ref(), reports.Ref()})
		for range 8 {
			tell(t, sender, Blob{make([]byte, 1<<20)})
		}
		if err := sup.TerminateChild(t.Context(), target); err != nil {
			t.Fatal(err)
		}
		if err := sup.RestartChild(t.Context(), target); err != nil {
			t.Fatal(err)
		}
		release := hold(t, inbox, target)
		thaw()
		if _, first := receive[svProof](t, reports); first.N > 1 || first.Size != before {
			// One had the room of the message in progress for a moment.
			t.Errorf("round %d: %d of %d got through", round, first.N, before)
		}
		receive[Count](t, inbox)
		release()
		if _, second := receive[svProof](t, reports); second.N != after {
			t.Errorf("round %d: %d of %d got through", round, second.N, after)
		}
		if got := ask[int](t, target, Seen{}); got != after {
			t.Errorf("round %d: it has %d, want %d", round, got, after)
		}
		if !monitor.Stop() {
			t.Fatalf("round %d: the sender: %v", round, ended(t, monitor))
		}
		if err := sender.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever monitors what is stopped, and can be started by hand, hears at once that it is not there.
func TestRegressWatchOfTheStopped(t *testing.T) {
	s := newSvTied(t)
	top := svSpawn(s, s.sys, regBranch("top",
		regBranch("empty"), regBranch("full", survivors.With(svArg{})), survivors.With(svArg{}).Named("actor"),
		actor.Pool{Supervisor: actor.Supervisor{Name: "pool"}, Of: survivors, Size: 1},
		actor.Supervisor{Name: "dynamic", Strategy: actor.Dynamic, Children: []actor.Child{survivors}}))
	watcher := s.tie(ties)
	for _, name := range []string{"empty", "full", "actor", "pool", "dynamic"} {
		s.run(name, func(s svTied) {
			ref, err := s.sys.Lookup(name)
			if err != nil {
				s.Fatal(err)
			}
			for range 2 {
				watch := s.sys.Watch(ref)
				ask[actor.MonitorID](s, watcher, svWatch{To: ref, Final: true})
				if err := ref.Stop(s.Context()); err != nil {
					s.Fatal(err)
				}
				if d := ended(s, watch); d.Ref != ref || d.Restarting {
					s.Errorf("got %+v", d)
				}
				if n := s.news(); n.Kind != "down" || n.From != ref || n.Reason != "actor.Shutdown" {
					s.Errorf("got %+v", n)
				}
				for _, m := range []*actor.Monitor{s.sys.Watch(ref), s.sys.Monitor(ref)} {
					if d := ended(s, m); d.Ref != ref || d.Reason != (actor.NoSuchActor{}) {
						s.Errorf("got %+v, want NoSuchActor", d)
					}
				}
				for _, final := range []bool{false, true} {
					id := ask[actor.MonitorID](s, watcher, svWatch{To: ref, Final: final})
					if n := s.news(); n.Kind != "down" || n.From != ref || n.Monitor != id || n.Reason != "actor.NoSuchActor" {
						s.Errorf("got %+v, want NoSuchActor", n)
					}
				}
				if _, err := actor.Ask[string](s.Context(), ref, Echo{"?"}); err == nil {
					s.Error("an Ask was answered")
				}
				if err := top.RestartChild(s.Context(), ref); err != nil {
					s.Fatal(err)
				}
				svQuiet(s, "Down of what is there again", s.sys.Watch(ref).C)
			}
		})
	}
}

// Supervisors and Inboxes cannot be linked with: that is an error that says so, and nobody dies of it.
func TestRegressLinkWithoutAProcess(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	stopped := actor.Supervisor{Name: "stopped"}
	top := svSpawn(t, sys, regBranch("top", stopped))
	for what, to := range map[string]actor.Ref{
		"supervisor": top,
		"dynamic":    svSpawn(t, sys, actor.Supervisor{Strategy: actor.Dynamic, Children: []actor.Child{survivors}}),
		"pool":       svSpawn(t, sys, actor.Pool{Of: survivors, Size: 1}),
		"inbox":      inbox.Ref(),
	} {
		says := "supervisor"
		if what == "inbox" {
			says = "inbox"
		}
		for _, which := range []actor.Type[actor.None]{regulars, regTraps} {
			ref := svSpawn(t, sys, temporary(which.With(actor.None{})))
			got := ask[regLinked](t, ref, regLink{to})
			if !got.Failed || !got.Delivery || !strings.Contains(strings.ToLower(got.Text), says) {
				t.Errorf("%s: got %+v, want a DeliveryError that says what it is", what, got)
			}
			if !got.Unlinked {
				t.Errorf("%s: Unlink of what is not linked is an error", what)
			}
			if got := ask[int](t, ref, regTold{}); got != 0 { // it has answered, so it lives
				t.Errorf("%s: it got %d Exits", what, got)
			}
			if err := ref.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if got, err := sys.Lookup("top"); err != nil || got != top {
		t.Errorf("got %v, %v", got, err)
	}
}

// A Down or an Exit that somebody tells is a message like any other: its sender is the teller. That of a
// real one is the actor that it is about.
func TestRegressSenderOfADown(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, teller := svSpawn(t, sys, regTraps), svSpawn(t, sys, regulars)
	victim := svSpawn(t, sys, temporary(regulars.With(actor.None{})))
	ask[actor.MonitorID](t, ref, regWatch{To: victim})
	var want []regHeard
	for _, exit := range []bool{false, true} {
		ask[string](t, teller, regTell{To: ref, About: victim, Exit: exit})
		want = append(want, regHeard{victim, teller})
	}
	tell(t, ref, actor.Down{Ref: victim, Reason: actor.Normal{}})
	tell(t, ref, actor.Exit{From: victim, Reason: actor.Normal{}})
	want = append(want, regHeard{About: victim}, regHeard{About: victim})
	if got := ask[[]regHeard](t, ref, regHearing{}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ask[regLinked](t, ref, regLink{victim}); got.Failed {
		t.Fatalf("got %+v", got)
	}
	if err := victim.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = append(want, regHeard{victim, victim}, regHeard{victim, victim})
	if got := ask[[]regHeard](t, ref, regHearing{}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
