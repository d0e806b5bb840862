//go:build unix

package actor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// survivor is an actor that proves what it handles, in whichever process.
type survivor struct {
	arg  svArg
	seen []int
}

// svArg is its argument.
type svArg struct {
	Proof actor.Ref // is told a svProof of every number
	Gate  actor.Ref // the start function of every incarnation but the first asks here
}

type (
	// svNumber is proved, and answered with the proof.
	svNumber struct {
		N   int
		Key string // of a pool
		Pad []byte
	}
	// svProof says who has handled which number.
	svProof struct {
		N           int
		Incarnation uint64
		Who         actor.Ref
		Pid         int
		Key         string
		Size        int
		Sum         uint32 // of the padding
	}
	// svBooting is what the start function asks the gate.
	svBooting struct{ Incarnation uint64 }
	// svEnd ends the process after the gate, if there is one, has let it through;
	// with Before only in incarnations before that.
	svEnd struct {
		How    string
		Gate   actor.Ref
		Before uint64
	}
	// svWho has no key of its own, and is answered with the process that got it.
	svWho struct{ Text string }
	// svSeen is answered with the numbers that this process has handled.
	svSeen struct{}
)

// RoutingKey makes a number find its worker.
func (m svNumber) RoutingKey() string { return m.Key }

var survivors = actor.Define("survivor", newSurvivor,
	actor.On((*survivor).Number), actor.OnTell((*survivor).Count), actor.On((*survivor).End), actor.On((*survivor).Seen),
	actor.On((*survivor).Hold), actor.On((*survivor).Echo), actor.On((*survivor).Facts),
	actor.On((*survivor).Who))

func newSurvivor(c *actor.Context, arg svArg) (*survivor, error) {
	if !arg.Gate.IsZero() && c.Incarnation() > 1 {
		if _, err := actor.Ask[string](c, arg.Gate, svBooting{c.Incarnation()}); err != nil {
			return nil, err
		}
	}
	return &survivor{arg: arg}, nil
}

func (s *survivor) Number(c *actor.Context, m svNumber) (svProof, error) {
	proof := svProof{
		N: m.N, Incarnation: c.Incarnation(), Who: c.Self(), Pid: os.Getpid(),
		Key: m.Key, Size: len(m.Pad), Sum: crc32.ChecksumIEEE(m.Pad),
	}
	s.seen = append(s.seen, m.N)
	if s.arg.Proof.IsZero() {
		return proof, nil
	}
	// Proved also when the asker has gone.
	return proof, s.arg.Proof.Tell(context.Background(), proof)
}

// Count is a number from a rig.
func (s *survivor) Count(c *actor.Context, m Count) error {
	_, err := s.Number(c, svNumber{N: m.N})
	return err
}

func (s *survivor) Who(*actor.Context, svWho) (string, error) { return fmt.Sprint(os.Getpid()), nil }

func (s *survivor) Seen(*actor.Context, svSeen) ([]int, error) { return s.seen, nil }

func (s *survivor) Hold(c *actor.Context, m Hold) (string, error) {
	return actor.Ask[string](context.Background(), m.Gate, Held{})
}

func (s *survivor) Echo(c *actor.Context, m Echo) (string, error) { return m.Text, nil }

func (s *survivor) Facts(*actor.Context, Facts) (Facts, error) { return Facts{Pid: os.Getpid()}, nil }

func (s *survivor) End(c *actor.Context, m svEnd) (string, error) {
	if !m.Gate.IsZero() {
		if _, err := actor.Ask[string](context.Background(), m.Gate, Held{}); err != nil {
			return "", err
		}
	}
	if m.Before != 0 && c.Incarnation() >= m.Before {
		return "survived", nil
	}
	return svEndBy(c, m.How)
}

// svEndBy ends the actor's process, at once or after the message in progress.
func svEndBy(c *actor.Context, how string) (string, error) {
	switch how {
	case "panic":
		panic("the end")
	case "exit":
		os.Exit(3)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "fail":
		c.Exit(errProbe)
	case "shutdown":
		c.Exit(actor.Shutdown{Detail: "had enough"})
	case "stop":
		c.Stop()
	default:
		return "", fmt.Errorf("no such end: %q", how)
	}
	return "ending", nil
}

// svSpec is a survivor that may be restarted very often.
func svSpec(arg svArg) actor.Spec {
	spec := survivors.With(arg)
	spec.Intensity = 1000
	return spec
}

func svSpawn(t testing.TB, sys *actor.System, what actor.Child) actor.Ref {
	t.Helper()
	ref, err := sys.Spawn(t.Context(), what)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// svInbox receives what survivors send.
func svInbox(t testing.TB, sys *actor.System) *actor.Inbox {
	t.Helper()
	return openInbox(t, sys, svProof{}, svBooting{}, Held{}, svNews{}, Count{})
}

// svAnswer is the outcome of an Ask.
type svAnswer[R any] struct {
	Value R
	Err   error
}

// svAsk asks on a goroutine of its own.
func svAsk[R any](ctx context.Context, ref actor.Ref, m any) <-chan svAnswer[R] {
	answers := make(chan svAnswer[R], 1)
	go func() {
		r, err := actor.Ask[R](ctx, ref, m)
		answers <- svAnswer[R]{r, err}
	}()
	return answers
}

// svPass lets an actor through that waits at a gate.
func svPass(t testing.TB, m *actor.Message) {
	t.Helper()
	if err := m.Reply("go on", nil); err != nil {
		t.Error(err)
	}
}

// svFate checks that an error is a DeliveryError with one of these fates.
func svFate(t testing.TB, err error, want ...actor.Fate) {
	t.Helper()
	if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || !slices.Contains(want, d.Fate) {
		t.Errorf("got %v, want a DeliveryError with a fate of %v", err, want)
	}
}

// svNumbers takes the proofs of n numbers.
func svNumbers(t testing.TB, inbox *actor.Inbox, n int) (proofs []svProof) {
	t.Helper()
	for range n {
		_, p := receive[svProof](t, inbox)
		proofs = append(proofs, p)
	}
	return proofs
}

// svQuiet checks that nothing is in a channel.
func svQuiet[T any](t testing.TB, what string, c <-chan T) {
	t.Helper()
	select {
	case v := <-c:
		t.Errorf("%s: one too many: %v", what, v)
	default:
	}
}

// svDecode reads a dead letter.
func svDecode[T any](t testing.TB, l actor.DeadLetter) (m T) {
	t.Helper()
	if l.Message == nil {
		t.Fatalf("a dead letter without a message: %+v", l)
	}
	if err := l.Message.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// isSignal9 and the like recognise reasons.
func isSignal9(r error) bool {
	s, ok := errors.AsType[actor.Signal](r)
	return ok && s.Signal == syscall.SIGKILL
}

// Whatever ends a process: the messages it had not begun are handled by the next
// one, in order, each once; Asks among them are answered. The one in progress
// is a dead letter that says why, and its asker is told.
func TestWaitingMessagesSurvive(t *testing.T) {
	for _, test := range []struct {
		how  string
		died bool // in the message, which is the suspect
		is   func(actor.Reason) bool
	}{
		{"kill", true, func(r actor.Reason) bool { return isSignal9(r) }},
		{"panic", true, func(r actor.Reason) bool { p, ok := r.(actor.Panic); return ok && p.Value == "the end" }},
		{"exit", true, func(r actor.Reason) bool { return r == actor.ExitCode{Code: 3} }},
		{"fail", false, func(r actor.Reason) bool {
			f, ok := r.(actor.Failed)
			return ok && errors.Is(f.Err, errProbe)
		}},
	} {
		t.Run(test.how, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			letters := sys.DeadLetters()
			defer letters.Stop()
			inbox := svInbox(t, sys)
			ref := svSpawn(t, sys, svSpec(svArg{Proof: inbox.Ref()}))
			monitor := sys.Monitor(ref)
			in := svAsk[string](t.Context(), ref, svEnd{How: test.how, Gate: inbox.Ref()})
			gate, _ := receive[Held](t, inbox)
			const n, asks = 300, 5
			var asked []<-chan svAnswer[svProof]
			for i := range asks {
				asked = append(asked, svAsk[svProof](t.Context(), ref, svNumber{N: -1 - i}))
			}
			for i := range n {
				tell(t, ref, svNumber{N: i})
			}
			svPass(t, gate)

			answer := within(t, in)
			d := ended(t, monitor)
			if !test.is(d.Reason) || !d.Restarting || d.Incarnation != 1 || d.NotBegun < n || d.NotBegun > n+asks {
				t.Errorf("got %+v", d)
			}
			if test.died {
				svFate(t, answer.Err, actor.InProgress)
				if down, ok := errors.AsType[*actor.DownError](answer.Err); !ok || !test.is(down.Down.Reason) || !down.Down.Restarting {
					t.Errorf("the asker got %v, want the Down", answer.Err)
				}
				l := within(t, letters.C)
				down, ok := errors.AsType[*actor.DownError](l.Reason)
				if !l.Suspect || l.Attempts != 1 || l.To != ref || !l.From.IsZero() || l.Time.IsZero() || !ok || !test.is(down.Down.Reason) {
					t.Errorf("got %+v", l)
				}
				if m := svDecode[svEnd](t, l); m.How != test.how || l.Message.Type != string(typeOf("svEnd")) {
					t.Errorf("got %+v of type %s", m, l.Message.Type)
				}
			} else if answer.Err != nil || answer.Value != "ending" {
				t.Errorf("the asker got %q, %v", answer.Value, answer.Err)
			}

			next := 0
			for _, p := range svNumbers(t, inbox, n+asks) {
				if p.Incarnation != 2 || p.Who != ref {
					t.Fatalf("%d was handled by incarnation %d", p.N, p.Incarnation)
				}
				if p.N < 0 {
					continue // an Ask: other goroutines, no order
				}
				if p.N != next {
					t.Fatalf("got %d, want %d", p.N, next)
				}
				next++
			}
			if next != n {
				t.Errorf("%d of %d numbers", next, n)
			}
			for _, a := range asked {
				if a := within(t, a); a.Err != nil || a.Value.Incarnation != 2 || a.Value.N >= 0 {
					t.Errorf("an Ask that waited got %+v", a)
				}
			}
			if got := ask[[]int](t, ref, svSeen{}); len(got) != n+asks {
				t.Errorf("it has handled %d, want %d", len(got), n+asks)
			}
			want := uint64(0)
			if test.died {
				want = 1
			}
			if got := sys.Stats().DeadLetters; got != want {
				t.Errorf("%d dead letters, want %d", got, want)
			}
			svQuiet(t, "dead letters", letters.C)
		})
	}
}

// What was finished is not delivered again, although the sender may not know
// yet that it was.
func TestFinishedMessagesAreNotRepeated(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, svSpec(svArg{Proof: inbox.Ref()}))
	sum := 0
	for round := range 20 {
		n := 1 + 7*round // an Ack is for many
		for i := range n {
			tell(t, ref, svNumber{N: sum + i})
		}
		for i, p := range svNumbers(t, inbox, n) {
			if p.N != sum+i || p.Incarnation != uint64(round+1) {
				t.Fatalf("round %d: got %+v, want %d", round, p, sum+i)
			}
		}
		sum += n
		pid := pidOf(t, ref)
		m := sys.Monitor(ref)
		sendSignal(t, pid, syscall.SIGKILL)
		ended(t, m)
	}
	if got := ask[[]int](t, ref, svSeen{}); len(got) != 0 {
		t.Errorf("the last incarnation has handled %v", got)
	}
}

// A message that is sent while nobody knows yet of the death is not lost.
func TestTellAtTheMomentOfDeath(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	letters := sys.DeadLetters()
	defer letters.Stop()
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, svSpec(svArg{Proof: inbox.Ref()}))
	const rounds, each = 30, 10
	for range rounds {
		pid := pidOf(t, ref)
		m := sys.Monitor(ref)
		sendSignal(t, pid, syscall.SIGKILL)
		for i := range each {
			tell(t, ref, svNumber{N: i})
		}
		ended(t, m)
		ask[string](t, ref, Echo{"behind them"})
		tell(t, inbox.Ref(), svProof{N: each})
		var missing []int
		for next := 0; next <= each; next++ {
			_, p := receive[svProof](t, inbox)
			if p.N < next {
				t.Fatalf("got %d, want %d", p.N, next)
			}
			for ; next < p.N; next++ {
				missing = append(missing, next)
			}
		}
		var suspects []int
		for len(letters.C) > 0 {
			// It may have begun one before the signal took effect.
			l := <-letters.C
			if !l.Suspect {
				t.Errorf("lost: %+v", l)
			}
			if l.Message.Type == string(typeOf("svNumber")) {
				suspects = append(suspects, svDecode[svNumber](t, l).N)
			}
		}
		if len(suspects) > 1 || len(missing) > 0 && !slices.Equal(missing, suspects) {
			t.Fatalf("%v were not handled, the suspects are %v", missing, suspects)
		}
	}
}

// Redeliver says how many processes a message may cost before it is poison. It
// keeps its place in the order.
func TestRedeliver(t *testing.T) {
	for redeliver := range 4 {
		attempts := max(1, redeliver)
		t.Run(fmt.Sprint("poison ", redeliver), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			letters := sys.DeadLetters()
			defer letters.Stop()
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{Proof: inbox.Ref()})
			spec.Redeliver = redeliver
			ref := svSpawn(t, sys, spec)
			poison := svAsk[string](t.Context(), ref, svEnd{How: "kill", Gate: inbox.Ref()})
			for i := range attempts {
				gate, _ := receive[Held](t, inbox)
				if i == 0 {
					tell(t, ref, svNumber{N: 1})
					tell(t, ref, svNumber{N: 2})
				}
				svQuiet(t, "answer", poison)
				svQuiet(t, "letter", letters.C)
				m := sys.Monitor(ref)
				svPass(t, gate)
				if d := ended(t, m); d.Incarnation != uint64(i+1) || !d.Restarting {
					t.Errorf("got %+v, want the end of incarnation %d", d, i+1)
				}
			}
			answer := within(t, poison)
			svFate(t, answer.Err, actor.InProgress)
			if down, ok := errors.AsType[*actor.DownError](answer.Err); !ok || !isSignal9(down) || down.Down.Incarnation != uint64(attempts) {
				t.Errorf("got %v", answer.Err)
			}
			if l := within(t, letters.C); !l.Suspect || l.Attempts != attempts || svDecode[svEnd](t, l).How != "kill" {
				t.Errorf("got %+v, want %d attempts", l, attempts)
			}
			for i, p := range svNumbers(t, inbox, 2) {
				if p.N != i+1 || p.Incarnation != uint64(attempts+1) {
					t.Errorf("got %+v", p)
				}
			}
			if n := sys.Stats().DeadLetters; n != 1 {
				t.Errorf("%d dead letters, want 1", n)
			}
		})
		if redeliver < 2 {
			continue
		}
		t.Run(fmt.Sprint("survived ", redeliver), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{Proof: inbox.Ref()})
			spec.Redeliver = redeliver
			ref := svSpawn(t, sys, spec)
			m := svEnd{How: "panic", Gate: inbox.Ref(), Before: uint64(redeliver)}
			answer := svAsk[string](t.Context(), ref, m)
			for i := range redeliver {
				gate, _ := receive[Held](t, inbox)
				if i == 0 {
					tell(t, ref, svNumber{N: 1})
				}
				svPass(t, gate)
			}
			if a := within(t, answer); a.Err != nil || a.Value != "survived" {
				t.Errorf("got %+v", a)
			}
			if p := svNumbers(t, inbox, 1)[0]; p.N != 1 || p.Incarnation != uint64(redeliver) {
				t.Errorf("got %+v", p)
			}
			if n := sys.Stats().DeadLetters; n != 0 {
				t.Errorf("%d dead letters", n)
			}
		})
	}
	t.Run("negative", func(t *testing.T) {
		sys := actortest.New(t, actor.Options{})
		spec := svSpec(svArg{})
		spec.Redeliver = -1
		if _, err := sys.Spawn(t.Context(), spec); err == nil {
			t.Error("got no error")
		}
	})
}

// When an actor ends for good, whatever is left goes to the dead letters, and
// its askers are told that it was not begun.
func TestLeftAtTheEnd(t *testing.T) {
	for _, test := range []struct {
		name     string
		spec     func(*actor.Spec)
		end      func(t *testing.T, ref actor.Ref, gate *actor.Message, inbox *actor.Inbox)
		suspects int
		is       func(actor.Reason) bool
	}{
		{"no restarts", func(s *actor.Spec) { s.Intensity = actor.NoRestarts },
			func(t *testing.T, _ actor.Ref, gate *actor.Message, _ *actor.Inbox) { svPass(t, gate) },
			1, func(r actor.Reason) bool { return isSignal9(r) }},
		{"temporary", func(s *actor.Spec) { s.Restart = actor.Temporary },
			func(t *testing.T, _ actor.Ref, gate *actor.Message, _ *actor.Inbox) { svPass(t, gate) },
			1, func(r actor.Reason) bool { return isSignal9(r) }},
		{"kill", func(s *actor.Spec) {},
			func(t *testing.T, ref actor.Ref, _ *actor.Message, _ *actor.Inbox) {
				if err := ref.Kill(t.Context()); err != nil {
					t.Error(err)
				}
			},
			1, func(r actor.Reason) bool { _, ok := r.(actor.Killed); return ok }},
		{"brutal stop", func(s *actor.Spec) { s.StopTimeout = actor.BrutalKill },
			func(t *testing.T, ref actor.Ref, _ *actor.Message, _ *actor.Inbox) {
				if err := ref.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			},
			1, func(r actor.Reason) bool { _, ok := r.(actor.Killed); return ok }},
		{"restarts fail", func(s *actor.Spec) { s.Intensity = 2 },
			func(t *testing.T, _ actor.Ref, gate *actor.Message, inbox *actor.Inbox) {
				svPass(t, gate)
				for i := range 2 {
					m, b := receive[svBooting](t, inbox)
					if b.Incarnation != uint64(i+2) {
						t.Errorf("incarnation %d boots, want %d", b.Incarnation, i+2)
					}
					m.Reply(nil, errProbe)
				}
			},
			1, func(r actor.Reason) bool {
				f, ok := r.(actor.InitFailed)
				return ok && errors.Is(f.Err, errProbe)
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			letters := sys.DeadLetters()
			defer letters.Stop()
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{Proof: inbox.Ref(), Gate: inbox.Ref()})
			test.spec(&spec)
			ref := svSpawn(t, sys, spec)
			watch := sys.Watch(ref)
			tell(t, ref, svEnd{How: "kill", Gate: inbox.Ref()})
			gate, _ := receive[Held](t, inbox)
			const n, asks = 100, 3
			var asked []<-chan svAnswer[svProof]
			for i := range asks {
				asked = append(asked, svAsk[svProof](t.Context(), ref, svNumber{N: -1 - i}))
			}
			for i := range n {
				tell(t, ref, svNumber{N: i})
			}
			test.end(t, ref, gate, inbox)
			if d := ended(t, watch); !test.is(d.Reason) || d.Restarting {
				t.Errorf("got %v", d)
			}
			notBegun := 0
			for _, a := range asked {
				a := within(t, a)
				svFate(t, a.Err, actor.NotBegun, actor.NotSent)
				if down, ok := errors.AsType[*actor.DownError](a.Err); !ok || !test.is(down.Down.Reason) {
					t.Errorf("an asker got %v, want the Down", a.Err)
				}
				if d, _ := errors.AsType[*actor.DeliveryError](a.Err); d != nil && d.Fate == actor.NotBegun {
					notBegun++
				}
			}
			next := 0
			for i := range test.suspects + n + notBegun {
				l := within(t, letters.C)
				down, ok := errors.AsType[*actor.DownError](l.Reason)
				if l.To != ref || !ok || l.Suspect != (i < test.suspects) || l.Attempts != map[bool]int{true: 1}[l.Suspect] {
					t.Fatalf("letter %d: got %+v", i, l)
				}
				if l.Suspect {
					continue
				}
				if !test.is(down.Down.Reason) {
					t.Fatalf("letter %d: got the reason %v", i, down.Down.Reason)
				}
				m := svDecode[svNumber](t, l)
				if m.N < 0 {
					continue
				}
				if m.N != next {
					t.Fatalf("got the letter %d, want %d", m.N, next)
				}
				next++
			}
			if next != n {
				t.Errorf("%d letters of %d", next, n)
			}
			if got := sys.Stats().DeadLetters; got != uint64(test.suspects+n+notBegun) {
				t.Errorf("%d dead letters, want %d", got, test.suspects+n+notBegun)
			}
			svQuiet(t, "dead letters", letters.C)
			// And from now on, at once.
			err := ref.Tell(t.Context(), svNumber{})
			svFate(t, err, actor.NotSent)
			if _, ok := errors.AsType[*actor.DownError](err); !ok {
				t.Errorf("tell: got %v, want the Down", err)
			}
		})
	}
}

// An actor that stops itself has finished its message; what is behind it is lost
// even so.
func TestLeftAfterNormalEnd(t *testing.T) {
	for _, how := range []string{"stop", "shutdown"} {
		t.Run(how, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			letters := sys.DeadLetters()
			defer letters.Stop()
			inbox := svInbox(t, sys)
			ref := svSpawn(t, sys, svSpec(svArg{}))
			watch := sys.Watch(ref)
			last := svAsk[string](t.Context(), ref, svEnd{How: how, Gate: inbox.Ref()})
			gate, _ := receive[Held](t, inbox)
			for i := range 10 {
				tell(t, ref, svNumber{N: i})
			}
			svPass(t, gate)
			if a := within(t, last); a.Err != nil || a.Value != "ending" {
				t.Errorf("got %+v", a)
			}
			if d := ended(t, watch); !d.Reason.IsNormal() || d.Restarting {
				t.Errorf("got %v", d)
			}
			for i := range 10 {
				if l := within(t, letters.C); l.Suspect || l.Attempts != 0 || svDecode[svNumber](t, l).N != i {
					t.Fatalf("letter %d: got %+v", i, l)
				}
			}
			if n := sys.Stats().DeadLetters; n != 10 {
				t.Errorf("%d dead letters, want 10", n)
			}
		})
	}
}

// A budget may be used up by messages, one after the other.
func TestEachSuspectIsOne(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	letters := sys.DeadLetters()
	defer letters.Stop()
	inbox := svInbox(t, sys)
	spec := survivors.With(svArg{Proof: inbox.Ref()}) // as it comes: 3 restarts in 5 s
	ref := svSpawn(t, sys, spec)
	watch := sys.Watch(ref)
	hold := svAsk[string](t.Context(), ref, Hold{inbox.Ref()})
	gate, _ := receive[Held](t, inbox)
	for i := range 4 {
		tell(t, ref, svNumber{N: i})
		tell(t, ref, svEnd{How: "panic"})
	}
	tell(t, ref, svNumber{N: 4})
	svPass(t, gate)
	within(t, hold)
	for i, p := range svNumbers(t, inbox, 4) {
		if p.N != i || p.Incarnation != uint64(i+1) {
			t.Errorf("got %+v", p)
		}
	}
	if d := ended(t, watch); d.Incarnation != 4 {
		t.Errorf("got %+v, want the end of the 4th", d)
	}
	for i := range 5 {
		if l := within(t, letters.C); l.Suspect != (i < 4) {
			t.Errorf("letter %d: got %+v", i, l)
		}
	}
	svQuiet(t, "dead letters", letters.C)
}

// svLetters makes n dead letters, and returns when they are counted.
func svLetters(t *testing.T, sys *actor.System, inbox *actor.Inbox, n int) {
	t.Helper()
	before := sys.Stats().DeadLetters
	spec := svSpec(svArg{})
	spec.Restart = actor.Temporary
	ref := svSpawn(t, sys, spec)
	tell(t, ref, Hold{inbox.Ref()})
	receive[Held](t, inbox)
	for i := range n - 1 {
		tell(t, ref, svNumber{N: i})
	}
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are counted", func() bool { return sys.Stats().DeadLetters >= before+uint64(n) })
	if got := sys.Stats().DeadLetters - before; got != uint64(n) {
		t.Fatalf("%d dead letters, want %d", got, n)
	}
}

// A subscription holds 1024. One more is dropped and counted, and nobody waits.
func TestDeadLettersAreBounded(t *testing.T) {
	const limit = 1024
	for _, n := range []int{limit - 1, limit, limit + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			slow := sys.DeadLetters()
			defer slow.Stop()
			svLetters(t, sys, inbox, n)
			kept := min(n, limit)
			if len(slow.C) != kept || slow.Dropped() != uint64(n-kept) {
				t.Errorf("%d kept and %d dropped, want %d and %d", len(slow.C), slow.Dropped(), kept, n-kept)
			}
			if !within(t, slow.C).Suspect {
				t.Error("the first is not the suspect")
			}
			for i := range kept - 1 { // the oldest are kept
				if got := svDecode[svNumber](t, within(t, slow.C)).N; got != i {
					t.Fatalf("got %d, want %d", got, i)
				}
			}
			// There is room again.
			quick := sys.DeadLetters()
			svLetters(t, sys, inbox, 5)
			if len(slow.C) != 5 || len(quick.C) != 5 || slow.Dropped() != uint64(n-kept) || quick.Dropped() != 0 {
				t.Errorf("then %d and %d, with %d and %d dropped", len(slow.C), len(quick.C), slow.Dropped(), quick.Dropped())
			}
			slow.Stop()
			slow.Stop()
			svLetters(t, sys, inbox, 3)
			if len(slow.C) != 5 || len(quick.C) != 8 {
				t.Errorf("after Stop of the one: %d and %d, want 5 and 8", len(slow.C), len(quick.C))
			}
			quick.Stop()
			svLetters(t, sys, inbox, 2) // counted although nobody listens
		})
	}
}

// A sender that waits for room in the mailbox of an actor that dies goes on
// when it is back; one whose actor ends for good is told.
func TestBlockedTellSurvives(t *testing.T) {
	for _, test := range []struct {
		name string
		box  actor.Mailbox
		pad  int
	}{
		{"messages", actor.Mailbox{Messages: 3}, 0},
		{"bytes", actor.Mailbox{Bytes: 2 << 20}, 1 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{Proof: inbox.Ref()})
			spec.Mailbox = test.box
			ref := svSpawn(t, sys, spec)
			pid := pidOf(t, ref)
			hold(t, inbox, ref)
			pad := bytes.Repeat([]byte{'x'}, test.pad)
			tell(t, ref, svNumber{N: 0, Pad: pad})
			tell(t, ref, svNumber{N: 1, Pad: pad})
			if err := ref.Tell(impatient(t), svNumber{N: -1}); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("it is not full: %v", err)
			}
			const n = 10
			told := make(chan error, n)
			go func() {
				for i := range n {
					told <- ref.Tell(t.Context(), svNumber{N: 2 + i, Pad: pad})
				}
			}()
			sendSignal(t, pid, syscall.SIGKILL)
			for range n {
				if err := within(t, told); err != nil {
					t.Error(err)
				}
			}
			for i, p := range svNumbers(t, inbox, 2+n) {
				if p.N != i || p.Incarnation != 2 || p.Size != test.pad {
					t.Errorf("got %+v, want %d", p, i)
				}
			}
		})
		t.Run(test.name+" for good", func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			spec := svSpec(svArg{})
			spec.Mailbox, spec.Intensity = test.box, actor.NoRestarts
			ref := svSpawn(t, sys, spec)
			watch := sys.Watch(ref)
			pid := pidOf(t, ref)
			hold(t, inbox, ref)
			for range 2 {
				tell(t, ref, svNumber{Pad: make([]byte, test.pad)})
			}
			told := make(chan error, 1)
			go func() { told <- ref.Tell(t.Context(), svNumber{}) }()
			sendSignal(t, pid, syscall.SIGKILL)
			// The suspect's place may be given to it before it is known that nobody
			// will come; then it is a dead letter like the others.
			want := uint64(4)
			if err := within(t, told); err != nil {
				if want = 3; !isSignal9(err) {
					t.Errorf("got %v, want the Down", err)
				}
				svFate(t, err, actor.NotSent)
			}
			ended(t, watch)
			if n := sys.Stats().DeadLetters; n != want {
				t.Errorf("%d dead letters, want %d", n, want)
			}
		})
	}
}

// Large messages survive like others, also one that was written in part, and
// more than one death.
func TestLargeMessagesSurvive(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, svSpec(svArg{Proof: inbox.Ref()}))
	const n, size = 8, 1 << 20
	pid := pidOf(t, ref)
	hold(t, inbox, ref)
	tell(t, ref, Hold{inbox.Ref()})
	var sums []uint32
	for i := range n {
		pad := bytes.Repeat([]byte{byte(i), 1, 2, 3, byte(i), 5, 6, 7}, size/8)
		sums = append(sums, crc32.ChecksumIEEE(pad))
		tell(t, ref, svNumber{N: i, Pad: pad})
	}
	sendSignal(t, pid, syscall.SIGKILL)
	again, _ := receive[Held](t, inbox) // the second Hold, in the second process
	info := svInfo(t, sys, ref)
	if info.Incarnation != 2 || info.Pid == pid {
		t.Errorf("got %+v", info)
	}
	sendSignal(t, info.Pid, syscall.SIGKILL)
	for i, p := range svNumbers(t, inbox, n) {
		if p.N != i || p.Size != size || p.Sum != sums[i] || p.Incarnation != 3 {
			t.Errorf("got %+v, want %d", p, i)
		}
	}
	if again.Reply("nobody", nil) == nil {
		t.Log("the dead asker's question was answered")
	}
	if got := sys.Stats().DeadLetters; got != 2 {
		t.Errorf("%d dead letters, want the two suspects", got)
	}
}

// svInfo is what the system says of an actor that has no parent.
func svInfo(t testing.TB, sys *actor.System, ref actor.Ref) actor.ChildInfo {
	t.Helper()
	for info := range sys.Children() {
		if info.Ref == ref {
			return info
		}
	}
	t.Fatalf("%v is not among the system's children", ref)
	panic("unreachable")
}

// Messages wait as long as it takes to get a process up.
func TestMessagesOutliveFailedRestarts(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, svSpec(svArg{Proof: inbox.Ref(), Gate: inbox.Ref()}))
	pid := pidOf(t, ref)
	hold(t, inbox, ref)
	tell(t, ref, svNumber{N: 0})
	sendSignal(t, pid, syscall.SIGKILL)
	for i := range 5 {
		m, b := receive[svBooting](t, inbox)
		if b.Incarnation != uint64(i+2) {
			t.Errorf("incarnation %d boots, want %d", b.Incarnation, i+2)
		}
		tell(t, ref, svNumber{N: i + 1})
		if i < 4 {
			m.Reply(nil, errProbe)
		} else {
			svPass(t, m)
		}
	}
	for i, p := range svNumbers(t, inbox, 6) {
		if p.N != i || p.Incarnation != 6 {
			t.Errorf("got %+v, want %d", p, i)
		}
	}
	if n := sys.Stats().DeadLetters; n != 1 {
		t.Errorf("%d dead letters, want the suspect", n)
	}
}

// Another actor's Tells survive like the program's.
func TestTellsOfAnActorSurvive(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	letters := sys.DeadLetters()
	defer letters.Stop()
	inbox := svInbox(t, sys)
	ref := svSpawn(t, sys, svSpec(svArg{Proof: inbox.Ref()}))
	rig := spawnRig(t, sys, rigArg{})
	// Far more than can be on the way between the proof and the kill.
	const n, every = 40_000, 8_000
	poured := svAsk[Poured](t.Context(), rig, Pour{To: ref, N: n})
	kills, next, missing := 0, 0, []int{}
	for next < n {
		_, p := receive[svProof](t, inbox)
		for ; next < p.N; next++ {
			missing = append(missing, next)
		}
		if p.N != next {
			t.Fatalf("got %d, want %d", p.N, next)
		}
		next++
		if kills < 3 && p.N == (kills+1)*every {
			// It may have been killed meanwhile only by this test.
			if p.Incarnation != uint64(kills+1) {
				t.Fatalf("got %+v, want incarnation %d", p, kills+1)
			}
			sendSignal(t, p.Pid, syscall.SIGKILL)
			kills++
		}
	}
	if p := within(t, poured); p.Err != nil || p.Value.N != n {
		t.Errorf("got %+v", p)
	}
	suspects := map[int]bool{}
	for len(letters.C) > 0 {
		l := <-letters.C
		if !l.Suspect || l.From != rig {
			t.Errorf("got %+v", l)
		}
		suspects[svDecode[Count](t, l).N] = true
	}
	if kills != 3 || len(suspects) > kills {
		t.Errorf("%d suspects of %d kills", len(suspects), kills)
	}
	for _, m := range missing {
		if !suspects[m] {
			t.Errorf("%d was lost", m)
		}
	}
}

// A sender that dies and comes back has not sent anything twice: the message on
// which it died is not given to it again, the next one is.
func TestSenderCrashDoesNotDuplicate(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	spec := rigger.With(rigArg{})
	spec.Intensity = 1000
	rig := svSpawn(t, sys, spec)
	for round := range 5 {
		pid := pidOf(t, rig)
		first := svAsk[Poured](t.Context(), rig, Pour{To: inbox.Ref(), N: 1 << 40})
		_, c := receive[Count](t, inbox)
		if c.N != 0 {
			t.Fatalf("round %d: got %d, want 0", round, c.N)
		}
		tell(t, rig, Pour{To: inbox.Ref(), N: 3})
		last := 0
		for last < 500 {
			_, c := receive[Count](t, inbox)
			if last++; c.N != last {
				t.Fatalf("round %d: got %d, want %d", round, c.N, last)
			}
		}
		sendSignal(t, pid, syscall.SIGKILL)
		for {
			_, c := receive[Count](t, inbox)
			if c.N == 0 {
				break // the next Pour
			}
			if last++; c.N != last {
				t.Fatalf("round %d: got %d, want %d", round, c.N, last)
			}
		}
		svFate(t, within(t, first).Err, actor.InProgress)
		for _, want := range []int{1, 2} {
			if _, c := receive[Count](t, inbox); c.N != want {
				t.Fatalf("round %d: got %d, want %d", round, c.N, want)
			}
		}
	}
}

// A mailbox that survives is bounded while its actor is away, too.
func TestMailboxIsBoundedWhileRestarting(t *testing.T) {
	for _, reject := range []bool{false, true} {
		for _, limit := range []int{1, 2, 5} {
			t.Run(fmt.Sprintf("%d reject=%v", limit, reject), func(t *testing.T) {
				sys := actortest.New(t, actor.Options{})
				inbox := svInbox(t, sys)
				spec := svSpec(svArg{Proof: inbox.Ref(), Gate: inbox.Ref()})
				spec.Mailbox = actor.Mailbox{Messages: limit, Reject: reject}
				ref := svSpawn(t, sys, spec)
				gate := svCrash(t, ref, inbox)
				for i := range limit {
					tell(t, ref, svNumber{N: i})
				}
				want := context.DeadlineExceeded
				if reject {
					want = actor.ErrMailboxFull
				}
				err := ref.Tell(impatient(t), svNumber{N: -1})
				if svFate(t, err, actor.NotSent); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				svPass(t, gate)
				for i, p := range svNumbers(t, inbox, limit) {
					if p.N != i || p.Incarnation != 2 {
						t.Errorf("got %+v, want %d", p, i)
					}
				}
				eventually(t, "there is room", func() bool { // proved is not yet finished
					err := ref.Tell(t.Context(), svNumber{N: limit})
					if err != nil && !errors.Is(err, actor.ErrMailboxFull) {
						t.Fatal(err)
					}
					return err == nil
				})
				if p := svNumbers(t, inbox, 1)[0]; p.N != limit {
					t.Errorf("got %+v, want %d", p, limit)
				}
			})
		}
	}
}

// svCrash kills the process of a survivor that has a gate, and returns when the
// start function of the next one waits there.
func svCrash(t testing.TB, ref actor.Ref, gate *actor.Inbox) *actor.Message {
	t.Helper()
	sendSignal(t, pidOf(t, ref), syscall.SIGKILL)
	m, _ := receive[svBooting](t, gate)
	return m
}

// Nobody is told too early: a Stop in the middle of a restart wins, at once.
func TestStopWhileMessagesWait(t *testing.T) {
	for _, verb := range []string{"stop", "kill", "close"} {
		t.Run(verb, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			letters := sys.DeadLetters()
			defer letters.Stop()
			inbox := svInbox(t, sys)
			ref := svSpawn(t, sys, svSpec(svArg{Gate: inbox.Ref()}))
			svCrash(t, ref, inbox)
			for i := range 5 {
				tell(t, ref, svNumber{N: i})
			}
			asked := svAsk[svProof](t.Context(), ref, svNumber{N: -1})
			watch := sys.Watch(ref)
			begin := time.Now()
			var err error
			switch verb {
			case "stop":
				err = ref.Stop(t.Context())
			case "kill":
				err = ref.Kill(t.Context())
			case "close":
				err = sys.Close(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > patience/3 {
				t.Errorf("it took %v", took)
			}
			ended(t, watch)
			if a := within(t, asked); a.Err == nil {
				t.Errorf("got %+v", a)
			} else {
				svFate(t, a.Err, actor.NotBegun, actor.NotSent)
			}
			for next := 0; next < 5; {
				l := within(t, letters.C)
				if l.Suspect || l.Message.Type != string(typeOf("svNumber")) {
					continue // what svCrash asked may be a suspect, although it was answered
				}
				switch n := svDecode[svNumber](t, l).N; n {
				case -1: // the Ask
				case next:
					next++
				default:
					t.Fatalf("got the letter %d, want %d", n, next)
				}
			}
		})
	}
}
