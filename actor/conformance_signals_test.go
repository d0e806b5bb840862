//go:build unix

package actor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// svTie is an actor that links and monitors others, and reports what it hears.
type svTie struct{ arg svTieArg }

type svTieArg struct{ Report actor.Ref }

type (
	// svLink links to another actor so many times, or unlinks from it.
	svLink struct {
		To    actor.Ref
		Times int
		Un    bool
	}
	// svWatch monitors another actor's process or, with Final, its end.
	svWatch struct {
		To    actor.Ref
		Final bool
	}
	// svUnwatch ends a monitor.
	svUnwatch struct{ ID actor.MonitorID }
	// svSend tells To the numbers from 0 to N-1, and then ends so.
	svSend struct {
		To  actor.Ref
		N   int
		End string
	}
	// svTellAsk tells To N numbers and then asks for the last.
	svTellAsk struct {
		To actor.Ref
		N  int
	}
	// svSignal sends an exit signal, a reason by name.
	svSignal struct {
		To   actor.Ref
		Kind string
	}
	// svNews is what one has heard. Kind is count, exit or down.
	svNews struct {
		Kind        string
		N           int
		From        actor.Ref
		Reason      string // its type
		Text        string
		Restarting  bool
		Incarnation uint64
		Monitor     actor.MonitorID
	}
)

// A tie dies of exit signals, a trapper does not.
var (
	ties     = actor.Define("tie", newSvTie, svTieHandlers()...)
	trappers = actor.Define("trapper", newSvTie, append(svTieHandlers(), actor.OnTell((*svTie).Exit))...)
)

func newSvTie(_ *actor.Context, arg svTieArg) (*svTie, error) { return &svTie{arg}, nil }

func svTieHandlers() []actor.Handler[svTie] {
	return []actor.Handler[svTie]{
		actor.On((*svTie).Link), actor.On((*svTie).Watch), actor.On((*svTie).Unwatch), actor.OnTell((*svTie).Send),
		actor.OnTell((*svTie).Count), actor.On((*svTie).Echo), actor.On((*svTie).Facts), actor.On((*svTie).Hold),
		actor.On((*svTie).End), actor.OnTell((*svTie).Down), actor.On((*svTie).Signal),
		actor.On((*svTie).TellAsk),
	}
}

func (s *svTie) Link(c *actor.Context, m svLink) (string, error) {
	if m.Un {
		return "unlinked", c.Unlink(c, m.To)
	}
	for range max(1, m.Times) {
		if err := c.Link(c, m.To); err != nil {
			return "", err
		}
	}
	return "linked", nil
}

func (s *svTie) Watch(c *actor.Context, m svWatch) (actor.MonitorID, error) {
	if m.Final {
		return c.Watch(c, m.To)
	}
	return c.Monitor(c, m.To)
}

func (s *svTie) Unwatch(c *actor.Context, m svUnwatch) (string, error) {
	return "forgotten", c.Demonitor(c, m.ID)
}

func (s *svTie) Send(c *actor.Context, m svSend) error {
	for i := range m.N {
		if err := m.To.Tell(c, Count{i}); err != nil {
			return err
		}
	}
	_, err := svEndBy(c, m.End)
	return err
}

func (s *svTie) TellAsk(c *actor.Context, m svTellAsk) (int, error) {
	for i := range m.N {
		if err := m.To.Tell(c, Count{i}); err != nil {
			return 0, err
		}
	}
	return actor.Ask[int](c, m.To, Seen{})
}

func (s *svTie) Signal(c *actor.Context, m svSignal) (string, error) {
	return "sent", m.To.Exit(c, svReason(m.Kind))
}

// svReason makes a reason to send.
func svReason(kind string) error {
	switch kind {
	case "kill":
		return actor.Killed{Detail: "by signal"}
	case "normal":
		return actor.Normal{}
	case "nil":
		return nil
	case "shutdown":
		return actor.Shutdown{Detail: "enough"}
	}
	return fmt.Errorf("%s: %w", kind, errProbe)
}

func (s *svTie) report(n svNews) error { return s.arg.Report.Tell(context.Background(), n) }

func (s *svTie) Count(c *actor.Context, m Count) error {
	return s.report(svNews{Kind: "count", N: m.N, From: c.Sender()})
}

func (s *svTie) Exit(c *actor.Context, e actor.Exit) error {
	return s.report(svNews{Kind: "exit", From: e.From, Reason: fmt.Sprintf("%T", e.Reason), Text: e.Reason.Error()})
}

func (s *svTie) Down(c *actor.Context, d actor.Down) error {
	return s.report(svNews{Kind: "down", From: d.Ref, Reason: fmt.Sprintf("%T", d.Reason), Text: d.Reason.Error(),
		Restarting: d.Restarting, Incarnation: d.Incarnation, Monitor: d.Monitor})
}

func (s *svTie) Echo(c *actor.Context, m Echo) (string, error) { return m.Text, nil }

func (s *svTie) Facts(*actor.Context, Facts) (Facts, error) { return Facts{Pid: os.Getpid()}, nil }

func (s *svTie) Hold(c *actor.Context, m Hold) (string, error) {
	return actor.Ask[string](context.Background(), m.Gate, Held{})
}

func (s *svTie) End(c *actor.Context, m svEnd) (string, error) { return svEndBy(c, m.How) }

// svTied is a system with an inbox to which ties report.
type svTied struct {
	*testing.T
	sys   *actor.System
	inbox *actor.Inbox
}

func newSvTied(t *testing.T) svTied {
	t.Helper()
	sys := actortest.New(t, actor.Options{})
	return svTied{t, sys, svInbox(t, sys)}
}

// run is a subtest in the same system.
func (s svTied) run(name string, test func(svTied)) {
	s.Run(name, func(t *testing.T) { test(svTied{t, s.sys, s.inbox}) })
}

// tie starts a temporary tie or trapper.
func (s svTied) tie(which actor.Type[svTieArg]) actor.Ref {
	s.Helper()
	spec := which.With(svTieArg{s.inbox.Ref()})
	spec.Restart = actor.Temporary
	return svSpawn(s, s.sys, spec)
}

// link links two.
func (s svTied) link(a, b actor.Ref) {
	s.Helper()
	ask[string](s, a, svLink{To: b})
}

// news takes what was heard next.
func (s svTied) news() svNews {
	s.Helper()
	_, n := receive[svNews](s, s.inbox)
	return n
}

// exits checks that the next news is an exit signal of that kind.
func (s svTied) exits(from actor.Ref, reason string) svNews {
	s.Helper()
	n := s.news()
	if n.Kind != "exit" || n.From != from || n.Reason != reason {
		s.Errorf("got %+v, want an exit of %v with %s", n, from, reason)
	}
	return n
}

// lives checks that an actor answers, in the incarnation it was in.
func (s svTied) lives(ref actor.Ref) {
	s.Helper()
	if got := ask[string](s, ref, Echo{"alive"}); got != "alive" {
		s.Errorf("got %q", got)
	}
}

// R71–R77. A link makes two actors die of each other's ends, unless they trap.
// Exit signals do the same without a link.
func TestC29_LinksAndExitSignals(t *testing.T) {
	s := newSvTied(t)

	s.run("the same reason, transitively", func(s svTied) {
		for _, how := range []string{"panic", "kill", "exit", "fail"} {
			a, b, c, other := s.tie(ties), s.tie(ties), s.tie(ties), s.tie(ties)
			s.link(b, a)
			s.link(b, c) // links have no direction
			ma, mb, mc := s.sys.Monitor(a), s.sys.Monitor(b), s.sys.Monitor(c)
			tell(s, a, svEnd{How: how})
			first := ended(s, ma)
			if !first.Via.IsZero() {
				s.Errorf("%s: the first one's Via is %v", how, first.Via)
			}
			for _, partner := range []struct {
				down actor.Down
				via  actor.Ref
			}{{ended(s, mb), a}, {ended(s, mc), b}} {
				if d := partner.down; fmt.Sprintf("%T", d.Reason) != fmt.Sprintf("%T", first.Reason) || d.Reason.Error() != first.Reason.Error() {
					s.Errorf("%s: the partner's reason is %v, want %v", how, d.Reason, first.Reason)
				} else if d.Via != partner.via {
					s.Errorf("%s: via %v, want %v", how, d.Via, partner.via)
				}
			}
			s.lives(other)
		}
	})
	s.run("a normal end", func(s svTied) {
		for how, reason := range map[string]string{"stop": "actor.Normal", "shutdown": "actor.Shutdown"} {
			a, b, c := s.tie(ties), s.tie(ties), s.tie(trappers)
			s.link(a, b)
			s.link(a, c)
			mb := s.sys.Monitor(b)
			tell(s, a, svEnd{How: how})
			s.exits(a, reason)
			if how == "stop" {
				s.lives(b)
				continue
			}
			// Every other reason ends the partner, Shutdown too.
			if d := ended(s, mb); d.Reason != (actor.Shutdown{Detail: "had enough"}) || d.Via != a {
				s.Errorf("got %v via %v", d.Reason, d.Via)
			}
		}
	})
	s.run("a trapping partner", func(s svTied) {
		a, b, c := s.tie(ties), s.tie(trappers), s.tie(ties)
		s.link(a, b)
		s.link(b, c)
		tell(s, a, svEnd{How: "panic"})
		if n := s.exits(a, "actor.Panic"); !strings.Contains(n.Text, "the end") {
			s.Errorf("got %+v", n)
		}
		s.lives(b)
		s.lives(c)
	})
	s.run("at most one per pair", func(s svTied) {
		a, b, z := s.tie(ties), s.tie(trappers), s.tie(ties)
		ask[string](s, b, svLink{To: a, Times: 3})
		s.link(a, b)
		s.link(b, z)
		tell(s, a, svEnd{How: "panic"})
		s.exits(a, "actor.Panic")
		tell(s, z, svEnd{How: "exit"})
		s.exits(z, "actor.ExitCode")
	})
	s.run("unlink", func(s svTied) {
		a, b, z := s.tie(ties), s.tie(trappers), s.tie(ties)
		ask[string](s, b, svLink{To: a, Times: 2})
		s.link(b, z)
		ask[string](s, a, svLink{To: b, Un: true}) // from the other side
		m := s.sys.Monitor(a)
		tell(s, a, svEnd{How: "panic"})
		ended(s, m)
		tell(s, z, svEnd{How: "exit"})
		s.exits(z, "actor.ExitCode")
		ask[string](s, b, svLink{To: a, Un: true}) // of nothing is nothing
	})
	s.run("to the dead", func(s svTied) {
		dead, a, b := s.tie(ties), s.tie(ties), s.tie(trappers)
		if err := dead.Kill(s.Context()); err != nil {
			s.Fatal(err)
		}
		s.link(b, dead)
		s.exits(dead, "actor.NoSuchActor")
		s.lives(b)
		m := s.sys.Monitor(a)
		tell(s, a, svLink{To: dead})
		if d := ended(s, m); d.Reason != (actor.NoSuchActor{}) || d.Via != dead {
			s.Errorf("got %v via %v, want NoSuchActor", d.Reason, d.Via)
		}
	})
	s.run("kill cannot be trapped", func(s svTied) {
		a, b := s.tie(trappers), s.tie(trappers)
		s.link(a, b)
		m := s.sys.Monitor(a)
		if err := a.Exit(s.Context(), svReason("kill")); err != nil {
			s.Fatal(err)
		}
		if _, ok := ended(s, m).Reason.(actor.Killed); !ok {
			s.Error("the reason is not Killed")
		}
		s.exits(a, "actor.Killed")
		s.lives(b)
	})
	s.run("normal is ignored", func(s svTied) {
		for _, kind := range []string{"normal", "nil"} {
			a, b := s.tie(ties), s.tie(trappers)
			for _, ref := range []actor.Ref{a, b} {
				if err := ref.Exit(s.Context(), svReason(kind)); err != nil {
					s.Fatal(err)
				}
			}
			s.exits(actor.Ref{}, "actor.Normal")
			s.lives(a)
			s.lives(b)
			// From an actor, who is named.
			ask[string](s, a, svSignal{To: b, Kind: kind})
			s.exits(a, "actor.Normal")
		}
	})
	s.run("errors and shutdown", func(s svTied) {
		sender, b := s.tie(ties), s.tie(trappers)
		for _, kind := range []string{"alas", "shutdown"} {
			a := s.tie(ties)
			m := s.sys.Monitor(a)
			ask[string](s, sender, svSignal{To: a, Kind: kind})
			d := ended(s, m)
			if kind == "shutdown" && d.Reason != (actor.Shutdown{Detail: "enough"}) {
				s.Errorf("got %v", d.Reason)
			}
			if f, ok := d.Reason.(actor.Failed); kind == "alas" && (!ok || !errors.Is(f.Err, errProbe)) {
				s.Errorf("got %v, want Failed with the error", d.Reason)
			}
			ask[string](s, sender, svSignal{To: b, Kind: kind})
			if n := s.news(); n.Kind != "exit" || n.From != sender || n.Text != d.Reason.Error() {
				s.Errorf("got %+v, want the exit signal with %v", n, d.Reason)
			}
			s.lives(b)
		}
	})
	s.run("messages come before the signal", func(s svTied) {
		for _, end := range []string{"stop", "panic", "kill"} {
			a, b := s.tie(ties), s.tie(trappers)
			s.link(a, b)
			const n = 300
			tell(s, a, svSend{To: b, N: n, End: end})
			next, news := 0, s.news()
			for ; news.Kind == "count" && news.N == next; news = s.news() {
				next++
			}
			if news.Kind != "exit" || news.From != a || end == "stop" && next != n {
				s.Fatalf("%s: got %+v after %d numbers", end, news, next)
			}
			s.lives(b)
		}
	})
	s.run("not after a restart", func(s svTied) {
		a := s.tie(ties)
		b := svSpawn(s, s.sys, ties.With(svTieArg{s.inbox.Ref()})) // transient
		s.link(b, a)
		m := s.sys.Monitor(b)
		tell(s, a, svEnd{How: "exit"})
		if d := ended(s, m); d.Reason != (actor.ExitCode{Code: 3}) || !d.Restarting || d.Via != a {
			s.Errorf("got %+v", d)
		}
		s.lives(b)
		// Two that are up, and are not linked again.
		x := svSpawn(s, s.sys, trappers.With(svTieArg{s.inbox.Ref()}))
		z := s.tie(ties)
		s.link(b, x)
		s.link(x, z)
		tell(s, b, svEnd{How: "exit"})
		s.exits(b, "actor.ExitCode")
		pid := pidOf(s, b)
		tell(s, b, svEnd{How: "panic"})
		eventually(s, "another process", func() bool { return pidOf(s, b) != pid })
		tell(s, z, svEnd{How: "panic"})
		s.exits(z, "actor.Panic")
	})
}

// R81–R84: every monitor has one Down, at once if there is nothing to monitor;
// one that was taken back has none, even if it was in the mailbox.
func TestC30_Monitors(t *testing.T) {
	s := newSvTied(t)
	target, watcher, z := s.tie(ties), s.tie(ties), s.tie(ties)
	var own []*actor.Monitor
	for range 3 {
		own = append(own, s.sys.Monitor(target))
	}
	back := s.sys.Monitor(target)
	if !back.Stop() {
		t.Error("Stop: got false")
	}
	var ids []actor.MonitorID
	for range 3 {
		ids = append(ids, ask[actor.MonitorID](t, watcher, svWatch{To: target}))
	}
	gone := ask[actor.MonitorID](t, watcher, svWatch{To: target})
	ask[string](t, watcher, svUnwatch{gone})
	tell(t, target, svEnd{How: "kill"})
	for _, m := range own {
		if d := ended(t, m); d.Ref != target || !isSignal9(d.Reason) || d.Restarting {
			t.Errorf("got %+v", d)
		}
	}
	var got []actor.MonitorID
	for range ids {
		n := s.news()
		if n.Kind != "down" || n.From != target || n.Reason != "actor.Signal" {
			t.Errorf("got %+v", n)
		}
		got = append(got, n.Monitor)
	}
	slices.Sort(ids)
	if slices.Sort(got); !slices.Equal(got, ids) {
		t.Errorf("got the Downs of %v, want of %v", got, ids)
	}

	// A dead target, and nobody.
	for _, ref := range []actor.Ref{target, {}} {
		m, w := s.sys.Monitor(ref), s.sys.Watch(ref)
		for _, m := range []*actor.Monitor{m, w} {
			select {
			case d := <-m.C:
				if d.Reason != (actor.NoSuchActor{}) || d.Restarting {
					t.Errorf("got %+v, want NoSuchActor", d)
				}
			default:
				t.Error("no Down at once")
			}
		}
		for _, final := range []bool{false, true} {
			id := ask[actor.MonitorID](t, watcher, svWatch{To: ref, Final: final})
			if n := s.news(); n.Kind != "down" || n.Reason != "actor.NoSuchActor" || n.Monitor != id {
				t.Errorf("got %+v", n)
			}
		}
	}

	// Demonitor when the Down is in the mailbox: TestDemonitor. Here the simple
	// case, and that nothing has come too often.
	late := ask[actor.MonitorID](t, watcher, svWatch{To: z})
	ask[string](t, watcher, svUnwatch{late})
	m := s.sys.Monitor(z)
	tell(t, z, svEnd{How: "kill"})
	ended(t, m)
	tell(t, watcher, Count{7})
	if n := s.news(); n.Kind != "count" || n.N != 7 {
		t.Errorf("got %+v, want nothing before the number", n)
	}
	for _, m := range append(own, back) {
		svQuiet(t, "Down", m.C)
	}
}

// R85: all that an actor has sent comes before its Down.
func TestC31_MessagesComeBeforeDown(t *testing.T) {
	s := newSvTied(t)
	const n = 1000
	for _, end := range []string{"stop", "shutdown", "fail"} {
		source, watcher := s.tie(ties), s.tie(ties)
		ask[actor.MonitorID](t, watcher, svWatch{To: source})
		tell(t, source, svSend{To: watcher, N: n, End: end})
		for i := range n {
			if news := s.news(); news.Kind != "count" || news.N != i || news.From != source {
				t.Fatalf("%s: got %+v, want %d", end, news, i)
			}
		}
		if news := s.news(); news.Kind != "down" || news.From != source {
			t.Fatalf("%s: got %+v, want the Down", end, news)
		}
	}
}

// R85, P5: of what a crash cut off, a prefix comes, without a gap and without half a
// message, and then the Down.
func TestC32_PrefixBeforeDown(t *testing.T) {
	s := newSvTied(t)
	const n = 1000
	for _, end := range []string{"panic", "kill", "exit"} {
		for range 5 {
			source, watcher := s.tie(ties), s.tie(ties)
			ask[actor.MonitorID](t, watcher, svWatch{To: source})
			m := s.sys.Monitor(source)
			tell(t, source, svSend{To: watcher, N: n, End: end})
			next := 0
			for news := s.news(); news.Kind != "down"; news = s.news() {
				if news.Kind != "count" || news.N != next || next == n {
					t.Fatalf("%s: got %+v, want %d", end, news, next)
				}
				next++
			}
			d := ended(t, m)
			if next < n {
				t.Logf("%s: %d of %d messages, and %d bytes of one", end, next, n, d.Truncated)
			}
			if _, broken := d.Reason.(actor.Protocol); broken {
				t.Errorf("%s: got %v", end, d)
			}
		}
	}
}

// R86: when the Down is there the name is free.
func TestC33_NameIsFreeAtDown(t *testing.T) {
	rounds := 200
	switch {
	case *long:
		rounds = 1000
	case testing.Short():
		rounds = 20
	}
	sys := actortest.New(t, actor.Options{})
	spec := survivors.With(svArg{}).Named("phoenix")
	for i := range rounds {
		// Once for an actor that ends with its process, once for one that ends for good.
		spec.Restart, spec.Intensity = actor.Temporary, 0
		if i%2 == 1 {
			spec.Restart, spec.Intensity = actor.Transient, actor.NoRestarts
		}
		ref, err := sys.Spawn(t.Context(), spec)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		m := sys.Monitor(ref)
		if i%4 > 1 {
			m = sys.Watch(ref)
		}
		sendSignal(t, pidOf(t, ref), syscall.SIGKILL)
		for begin := time.Now(); len(m.C) == 0 && time.Since(begin) < patience; {
			runtime.Gosched() // to be awake at that very moment
		}
		if _, err := sys.Lookup("phoenix"); !errors.Is(err, actor.ErrNoActor) {
			t.Fatalf("round %d: got %v, want ErrNoActor", i, err)
		}
		if d := ended(t, m); d.Restarting || d.Name != "phoenix" {
			t.Fatalf("round %d: got %+v", i, d)
		}
	}
}

// svMedian takes a few measurements: on a busy machine one says little about a
// bound.
func svMedian(measure func() time.Duration) time.Duration {
	var took []time.Duration
	for range 9 {
		took = append(took, measure())
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// R92: nobody waits for the dead.
func TestC34_AskNobody(t *testing.T) {
	s := newSvTied(t)
	dead, asker := s.tie(ties), s.tie(ties)
	if err := dead.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"a dead actor": func() {
			_, err := actor.Ask[string](t.Context(), dead, Echo{"?"})
			svFate(t, err, actor.NotSent)
			if down, ok := errors.AsType[*actor.DownError](err); !ok || down.Down.Ref != dead {
				t.Errorf("got %v, want its DownError", err)
			}
		},
		"nobody": func() {
			if _, err := actor.Ask[string](t.Context(), stranger(t), Echo{"?"}); !errors.Is(err, actor.ErrNoActor) {
				t.Errorf("got %v, want ErrNoActor", err)
			}
		},
		"an unknown name": func() {
			if _, err := s.sys.Lookup("nobody"); !errors.Is(err, actor.ErrNoActor) {
				t.Errorf("got %v, want ErrNoActor", err)
			}
		},
		"from an actor": func() {
			if _, err := actor.Ask[string](t.Context(), asker, Hold{dead}); err == nil {
				t.Error("got no error")
			}
		},
	} {
		took := svMedian(func() time.Duration {
			begin := time.Now()
			f()
			return time.Since(begin)
		})
		if took > 50*time.Millisecond {
			t.Errorf("%s: it took %v, want less than 50 ms", name, took)
		}
	}
}

// R93. When an actor ends for good, everybody who asked it is told at once. (One
// that is restarted keeps those whom it had not begun with: C38.)
func TestC35_AskedActorDies(t *testing.T) {
	s := newSvTied(t)
	const n = 10
	took := svMedian(func() time.Duration {
		ref := s.tie(ties)
		pid := pidOf(t, ref)
		errs := make(chan error, n)
		for range n {
			go func() {
				_, err := actor.Ask[string](t.Context(), ref, Hold{s.inbox.Ref()})
				errs <- err
			}()
		}
		receive[Held](t, s.inbox)
		begin := time.Now()
		sendSignal(t, pid, syscall.SIGKILL)
		fates := map[actor.Fate]int{}
		for range n {
			err := within(t, errs)
			d, ok := errors.AsType[*actor.DeliveryError](err)
			if down, isDown := errors.AsType[*actor.DownError](err); !ok || !isDown || !isSignal9(down.Down.Reason) || down.Down.Restarting {
				t.Fatalf("got %v, want the Down", err)
			}
			fates[d.Fate]++
		}
		if fates[actor.InProgress] != 1 || fates[actor.NotBegun]+fates[actor.NotSent] != n-1 {
			t.Errorf("got fates %v", fates)
		}
		return time.Since(begin)
	})
	if took > 100*time.Millisecond {
		t.Errorf("it took %v, want less than 100 ms", took)
	}
}

// R91: an answer that comes too late is not taken for that to the next question.
func TestC36_LateReply(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, survivors)
	for i := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		late := svAsk[string](ctx, ref, Hold{inbox.Ref()})
		gate, _ := receive[Held](t, inbox)
		cancel()
		if a := within(t, late); !errors.Is(a.Err, context.Canceled) {
			t.Errorf("got %+v", a)
		}
		next := svAsk[string](t.Context(), ref, Echo{fmt.Sprint("mine ", i)})
		svPass(t, gate)
		if a := within(t, next); a.Err != nil || a.Value != fmt.Sprint("mine ", i) {
			t.Errorf("got %+v", a)
		}
	}
	eventually(t, "late replies are counted", func() bool { return sys.Stats().LateReplies == 5 })
}

// R96: an Ask comes after what the same sender has told before.
func TestC37_TellThenAsk(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	pairs := 10_000
	if testing.Short() {
		pairs = 1000
	}
	counter := svSpawn(t, sys, counting)
	for i := range pairs {
		tell(t, counter, Count{i})
		if got := ask[int](t, counter, Seen{}); got != i {
			t.Fatalf("the Ask overtook the Tell: got %d, want %d", got, i)
		}
	}
	// And from an actor, with more than one on the way.
	sender := svSpawn(t, sys, ties)
	for i := 1; i <= 50; i++ {
		if got := ask[int](t, sender, svTellAsk{To: counter, N: 10 * i}); got != 10*i-1 {
			t.Fatalf("the Ask overtook the Tells: got %d, want %d", got, 10*i-1)
		}
	}
}

// R98, as DESIGN has it: after a crash the state is fresh, what was not begun is kept
// in order, and the suspect is a dead letter.
func TestC38_StateAndMailboxAfterCrash(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	letters := sys.DeadLetters()
	defer letters.Stop()
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, survivors.With(svArg{}).Named("memory"))
	for i := range 5 {
		tell(t, ref, svNumber{N: i})
	}
	if got := ask[[]int](t, ref, svSeen{}); len(got) != 5 {
		t.Fatalf("it has seen %v", got)
	}
	suspect := svAsk[string](t.Context(), ref, svEnd{How: "panic", Gate: inbox.Ref()})
	gate, _ := receive[Held](t, inbox)
	for i := range 5 {
		tell(t, ref, svNumber{N: 10 + i})
	}
	svPass(t, gate)
	answer := within(t, suspect)
	svFate(t, answer.Err, actor.InProgress)
	if p, ok := errors.AsType[actor.Panic](answer.Err); !ok || p.Value != "the end" {
		t.Errorf("got %v, want the panic", answer.Err)
	}
	if got := ask[[]int](t, ref, svSeen{}); !slices.Equal(got, []int{10, 11, 12, 13, 14}) {
		t.Errorf("after the crash it has seen %v", got)
	}
	if l := within(t, letters.C); !l.Suspect || l.To != ref || l.Message.Type != string(typeOf("svEnd")) {
		t.Errorf("got %+v", l)
	}
	if n := sys.Stats().DeadLetters; n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
	if again, err := sys.Lookup("memory"); err != nil || again != ref {
		t.Errorf("got %v, %v; want the same Ref", again, err)
	}
}

// svVictim ends in each way there is.
type svVictim struct{}

// svDie names one of them.
type svDie struct{ How string }

var victims = actor.Define("victim", actor.Zero[svVictim], actor.On((*svVictim).Die))

func (*svVictim) Die(c *actor.Context, m svDie) (string, error) {
	raise := func(sig syscall.Signal) {
		syscall.Kill(os.Getpid(), sig)
		select {}
	}
	switch m.How {
	case "normal":
		c.Exit(nil)
	case "shutdown":
		c.Exit(actor.Shutdown{})
	case "failed":
		c.Exit(errProbe)
	case "exit 0":
		os.Exit(0)
	case "exit 256":
		os.Exit(256)
	case "exit 1":
		os.Exit(1)
	case "exit 2":
		os.Exit(2)
	case "panic":
		panic("in the handler")
	case "panic in a goroutine":
		go func() { panic("in a goroutine") }()
		select {}
	case "nil pointer":
		var p *svDie
		return p.How, nil
	case "stack overflow":
		debug.SetMaxStack(1 << 20)
		return fmt.Sprint(overflow(1)), nil
	case "map":
		m := map[int]int{}
		for range 8 {
			go func() {
				for i := 0; ; i++ {
					m[i%7] = i
				}
			}()
		}
		select {}
	case "goexit":
		runtime.Goexit()
	case "SIGSEGV":
		raise(syscall.SIGSEGV)
	case "SIGABRT":
		raise(syscall.SIGABRT)
	case "SIGQUIT":
		raise(syscall.SIGQUIT)
	case "SIGTERM":
		raise(syscall.SIGTERM)
	case "SIGINT":
		raise(syscall.SIGINT)
	case "SIGHUP":
		raise(syscall.SIGHUP)
	case "SIGKILL":
		raise(syscall.SIGKILL)
	case "EPIPE": // on a descriptor over 2 it ends nobody
		r, w, err := os.Pipe()
		if err != nil {
			return "", err
		}
		r.Close()
		_, err = w.Write([]byte("x"))
		return fmt.Sprint(errors.Is(err, syscall.EPIPE)), nil
	}
	return "after " + m.How, nil
}

// P7: what a process can die of, what is told, and whether a transient actor comes
// back.
func TestC39_ReasonsOfEnds(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	panicked := func(texts ...string) func(actor.Reason) bool {
		return func(r actor.Reason) bool {
			p, ok := r.(actor.Panic)
			for _, text := range texts {
				ok = ok && strings.Contains(p.Value, text)
			}
			return ok && p.Stack != ""
		}
	}
	exited := func(code int) func(actor.Reason) bool {
		return func(r actor.Reason) bool { return r == actor.ExitCode{Code: code} }
	}
	signalled := func(sig syscall.Signal, stack bool) func(actor.Reason) bool {
		return func(r actor.Reason) bool {
			s, ok := r.(actor.Signal)
			return ok && s.Signal == sig && (s.Stack != "") == stack
		}
	}
	for _, test := range []struct {
		how   string
		is    func(actor.Reason) bool
		stays bool // down: it is a normal end
	}{
		{"normal", func(r actor.Reason) bool { return r == actor.Normal{} }, true},
		{"shutdown", func(r actor.Reason) bool { return r == actor.Shutdown{} }, true},
		{"failed", func(r actor.Reason) bool { f, ok := r.(actor.Failed); return ok && errors.Is(f.Err, errProbe) }, false},
		{"exit 0", exited(0), false},
		{"exit 256", exited(0), false},
		{"exit 1", exited(1), false},
		{"exit 2", exited(2), false},
		{"panic", panicked("in the handler"), false},
		{"panic in a goroutine", panicked("in a goroutine"), false},
		{"nil pointer", panicked("nil pointer dereference"), false},
		{"stack overflow", panicked("stack overflow"), false},
		{"map", panicked("concurrent map writes"), false},
		{"goexit", func(r actor.Reason) bool { _, ok := r.(actor.Panic); return ok }, false},
		{"SIGSEGV", signalled(syscall.SIGSEGV, true), false},
		{"SIGABRT", signalled(syscall.SIGABRT, true), false},
		{"SIGQUIT", signalled(syscall.SIGQUIT, true), false},
		{"SIGTERM", signalled(syscall.SIGTERM, false), false},
		{"SIGINT", signalled(syscall.SIGINT, false), false},
		{"SIGHUP", signalled(syscall.SIGHUP, false), false},
		{"SIGKILL", signalled(syscall.SIGKILL, false), false},
	} {
		t.Run(test.how, func(t *testing.T) {
			spec := victims.With(actor.None{})
			spec.Procs = 4
			ref := svSpawn(t, sys, spec)
			m := sys.Monitor(ref)
			tell(t, ref, svDie{test.how})
			d := ended(t, m)
			if !test.is(d.Reason) {
				t.Errorf("got %#v", d.Reason)
			}
			if d.Reason.IsNormal() != test.stays || d.Restarting == test.stays {
				t.Errorf("normal: %t, restarting: %t", d.Reason.IsNormal(), d.Restarting)
			}
			got, err := actor.Ask[string](t.Context(), ref, svDie{"not"})
			if _, down := errors.AsType[*actor.DownError](err); down != test.stays || !test.stays && got != "after not" {
				t.Errorf("after it: got %q, %v", got, err)
			}
		})
	}
	ref := svSpawn(t, sys, victims)
	if got := ask[string](t, ref, svDie{"EPIPE"}); got != "true" {
		t.Errorf("a write to a closed pipe: got %q", got)
	}
}

var _ = addRole("svroot", svRootMain)

// svRootMain is a program with an idle actor, one that spins and one that sleeps.
func svRootMain() {
	actor.Boot()
	check := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	check(err)
	inbox, err := sys.NewInbox(Held{})
	check(err)
	tree := actor.Supervisor{Name: "top", Children: []actor.Child{
		rigger.With(rigArg{}).Named("idle"), rigger.With(rigArg{}).Named("busy"), rigger.With(rigArg{}).Named("sleeping"),
	}}
	_, err = sys.Spawn(ctx, tree)
	check(err)
	for _, name := range []string{"idle", "busy", "sleeping"} {
		ref, err := sys.Lookup(name)
		check(err)
		facts, err := actor.Ask[Facts](ctx, ref, Facts{})
		check(err)
		fmt.Println(facts.Pid)
		switch name {
		case "busy":
			check(ref.Tell(ctx, Spin{inbox.Ref()}))
		case "sleeping":
			check(ref.Tell(ctx, Hold{inbox.Ref()}))
		default:
			continue
		}
		_, err = inbox.Receive(ctx)
		check(err)
	}
	fmt.Println("ready")
	signal.Ignore(syscall.SIGTERM)
	select {}
}

// svGone reports whether a process has ended; whoever inherits it may not have
// waited for it yet.
func svGone(pid int) bool {
	if isReaped(pid) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return errors.Is(err, syscall.ESRCH)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// P10: when the program itself is killed, none of its actors is left. See also
// TestHostKilled, with actors that write and boot.
func TestC40_RootKilled(t *testing.T) {
	spawntest.Check(t)
	cmd := program(t, "svroot")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var pids []int
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		var pid int
		if _, err := fmt.Sscan(lines.Text(), &pid); err != nil {
			t.Fatalf("the program said %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if len(pids) != 3 {
		t.Fatalf("got the pids %v", pids)
	}
	for _, pid := range pids {
		if svGone(pid) {
			t.Errorf("%d is gone already", pid)
		}
	}
	begin := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d has ended", pid), func() bool { return svGone(pid) })
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}
