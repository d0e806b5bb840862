//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/codec"
)

// reasonText is how many bytes are kept of what an actor says of its own end.
const reasonText = 64 << 10

// regular is an actor that asks, answers, dies, or hears too much.
type regular struct {
	exits int
	heard []regHeard
}

type (
	// regAsk asks each of To so many times, all at once, the Message or just an Echo, and tells
	// Gate their number when all of them are on their way.
	regAsk struct {
		To      []actor.Ref
		Message regSay
		N       int
		Gate    actor.Ref
	}
	// regAsked is the answer: how many were answered, and how.
	regAsked struct {
		Outcomes map[string]int
	}
	// regSay is answered with a text or an error of that size, or with the end of the
	// process, which says as much.
	regSay struct {
		How  string
		Size int
		Gate actor.Ref // asked before, if any
	}
	// regTold is answered with how many Exits came, and regHearing with what came as a Down or
	// an Exit, and from whom.
	regTold    struct{}
	regHearing struct{}
	// regHeard is one of them.
	regHeard struct{ About, Sender actor.Ref }
	// regGoodbye ends the actor with a reason of that size.
	regGoodbye struct {
		How  string
		Size int
	}
)

// A regular dies of exit signals, a regular that traps them does not.
var (
	regulars = actor.Define("regular", actor.Zero[regular], regHandlers()...)
	regTraps = actor.Define("regular trapper", actor.Zero[regular], append(regHandlers(), actor.OnTell((*regular).Exit))...)
)

func regHandlers() []actor.Handler[regular] {
	return []actor.Handler[regular]{
		actor.On((*regular).Ask), actor.On((*regular).Say), actor.On((*regular).Told), actor.On((*regular).Hearing),
		actor.OnTell((*regular).Goodbye), actor.On((*regular).Hold), actor.On((*regular).Echo), actor.On((*regular).Facts),
		actor.OnTell((*regular).Down), actor.On((*regular).Watch), actor.On((*regular).Link), actor.On((*regular).Tell),
		actor.On((*regular).Spread), actor.OnTell((*regular).Count), actor.On((*regular).Seen), actor.OnTell((*regular).Blob),
	}
}

// regWaiting is a context that says when somebody waits for it. An Ask does when it has been
// sent, if there is room in the window.
type regWaiting struct {
	context.Context
	waits func()
}

func (c regWaiting) Done() <-chan struct{} {
	c.waits()
	return c.Context.Done()
}

func (r *regular) Ask(c *actor.Context, m regAsk) (regAsked, error) {
	var sent, answered sync.WaitGroup
	var mu sync.Mutex
	asked := regAsked{make(map[string]int)}
	var message any = Echo{}
	if m.Message != (regSay{}) {
		message = m.Message
	}
	for _, to := range m.To {
		for range m.N {
			sent.Add(1)
			answered.Go(func() {
				_, err := actor.Ask[string](regWaiting{context.Background(), sync.OnceFunc(sent.Done)}, to, message)
				mu.Lock()
				defer mu.Unlock()
				asked.Outcomes[regOutcome(err)]++
			})
		}
	}
	sent.Wait()
	if err := m.Gate.Tell(c, Count{m.N * len(m.To)}); err != nil {
		return asked, err
	}
	answered.Wait()
	return asked, nil
}

// regOutcome is the kind of an error.
func regOutcome(err error) string {
	if err == nil {
		return "answered"
	}
	if d, ok := errors.AsType[*actor.DeliveryError](err); ok {
		return d.Fate.String()
	}
	if r, ok := errors.AsType[*actor.RemoteError](err); ok {
		return "error " + r.Text[:min(len(r.Text), 4)]
	}
	return err.Error()
}

func (r *regular) Say(c *actor.Context, m regSay) (string, error) {
	if !m.Gate.IsZero() {
		if _, err := actor.Ask[string](context.Background(), m.Gate, Held{}); err != nil {
			return "", err
		}
	}
	text := strings.Repeat("long", m.Size/4)
	switch m.How {
	case "panic":
		panic(text)
	case "error":
		return "", errors.New(text)
	}
	return text, nil
}

func (r *regular) Goodbye(c *actor.Context, m regGoodbye) error {
	c.Exit(regReason(m.How, m.Size))
	return nil
}

// regReason is a long one.
func regReason(how string, size int) error {
	text := strings.Repeat("long", size/4)
	if how == "shutdown" {
		return actor.Shutdown{Detail: text}
	}
	return errors.New(text)
}

func (r *regular) Told(*actor.Context, regTold) (int, error) { return r.exits, nil }

func (r *regular) Hearing(*actor.Context, regHearing) ([]regHeard, error) { return r.heard, nil }

func (r *regular) Exit(c *actor.Context, e actor.Exit) error {
	if r.exits++; r.exits <= 10 {
		r.heard = append(r.heard, regHeard{e.From, c.Sender()})
	}
	return nil
}

func (r *regular) Down(c *actor.Context, d actor.Down) error {
	r.heard = append(r.heard, regHeard{d.Ref, c.Sender()})
	return nil
}

func (r *regular) Hold(c *actor.Context, m Hold) (string, error) {
	return actor.Ask[string](context.Background(), m.Gate, Held{})
}

func (r *regular) Echo(_ *actor.Context, m Echo) (string, error) { return m.Text, nil }

func (r *regular) Facts(*actor.Context, Facts) (Facts, error) { return Facts{Pid: os.Getpid()}, nil }

// regFreeze stops the process of an actor that has no parent until thaw: it reads nothing.
func regFreeze(t *testing.T, sys *actor.System, ref actor.Ref) (thaw func()) {
	t.Helper()
	pid := svInfo(t, sys, ref).Pid
	freeze(t, pid)
	return func() { sendSignal(t, pid, syscall.SIGCONT) }
}

// Every Ask of an actor is answered, although thousands fail at once, each with a long
// account, while it reads nothing.
func TestRegressManyFailures(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	asker := svSpawn(t, sys, regulars)
	const victims, each = 4, 1000 // more than a window holds would wait for room
	var to []actor.Ref
	var gates []*actor.Message
	for range victims {
		ref := svSpawn(t, sys, temporary(regulars.With(actor.None{})))
		tell(t, ref, regSay{How: "panic", Size: 60000, Gate: inbox.Ref()})
		m, _ := receive[Held](t, inbox)
		to, gates = append(to, ref), append(gates, m)
	}
	asked := svAsk[regAsked](t.Context(), asker, regAsk{To: to, N: each, Gate: inbox.Ref()})
	receive[Count](t, inbox)
	thaw := regFreeze(t, sys, asker)
	for i, ref := range to {
		watch := sys.Watch(ref)
		svPass(t, gates[i])
		if d := ended(t, watch); d.NotBegun != each {
			t.Errorf("%d Asks were left, want %d", d.NotBegun, each)
		}
	}
	thaw()
	a := within(t, asked)
	if got := a.Value.Outcomes[actor.NotBegun.String()]; a.Err != nil || got != victims*each || len(a.Value.Outcomes) != 1 {
		t.Errorf("got %+v, want %d that were not begun", a, victims*each)
	}
}

// The same for answers and errors that are long: each Ask gets it, or an error that it did not fit.
func TestRegressManyLongAnswers(t *testing.T) {
	for _, how := range []string{"error", "text"} {
		t.Run(how, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			asker, other := svSpawn(t, sys, regulars), svSpawn(t, sys, regulars)
			release := hold(t, inbox, other)
			const n = 150
			say := regSay{How: how, Size: 1<<20 - 1<<10} // a longer error would not travel
			asked := svAsk[regAsked](t.Context(), asker, regAsk{To: []actor.Ref{other}, N: n, Message: say, Gate: inbox.Ref()})
			receive[Count](t, inbox)
			thaw := regFreeze(t, sys, asker)
			release()
			ask[string](t, other, Echo{"behind them"})
			thaw()
			a := within(t, asked)
			sum := 0
			for _, n := range a.Value.Outcomes {
				sum += n
			}
			if a.Err != nil || sum != n || a.Value.Outcomes["answered"]+a.Value.Outcomes["error long"] == 0 {
				t.Errorf("got %+v, want %d", a, n)
			}
		})
	}
}

// regDeepGoodbye is a frame that says goodbye with a reason that has a reason, and so on: maps so
// deep.
func regDeepGoodbye(t *testing.T, depth int) []byte {
	t.Helper()
	const maps = "\x81\xa6Reason" // and the innermost
	payload := maps + strings.Repeat("\x82\xa5Cause\xa8shutdown\xa7Because", depth-2) + "\x81\xa5Cause\xa8shutdown"
	frame, err := codec.AppendFrame(nil, &codec.Envelope{Kind: 9, Payload: []byte(payload)}, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// Whatever a process says of its end, whoever waits for that hears of it: by an Ask, a monitor or a
// link.
func TestRegressDeepGoodbye(t *testing.T) {
	s := newSvTied(t)
	for _, depth := range []int{2, 3, codec.MaxDepth - 5, codec.MaxDepth - 1, codec.MaxDepth, codec.MaxDepth + 1} {
		s.run(fmt.Sprint(depth), func(s svTied) {
			bad := svSpawn(s, s.sys, temporary(rigger.With(rigArg{})))
			asker := svSpawn(s, s.sys, regulars)
			monitor, linked := s.tie(ties), s.tie(trappers)
			ask[actor.MonitorID](s, monitor, svWatch{To: bad})
			s.link(linked, bad)
			own := s.sys.Watch(bad)
			release := hold(s, s.inbox, bad)
			tell(s, bad, Write{Bytes: regDeepGoodbye(t, depth)})
			asked := svAsk[regAsked](s.Context(), asker, regAsk{To: []actor.Ref{bad}, N: 3, Gate: s.inbox.Ref()})
			receive[Count](s, s.inbox)
			release()

			want, reason := actor.Reason(actor.Shutdown{}), "actor.Shutdown"
			if depth > codec.MaxDepth {
				reason = "actor.Protocol"
			}
			d := ended(s, own)
			if got := fmt.Sprintf("%T", d.Reason); got != reason || reason == "actor.Shutdown" && d.Reason != want {
				s.Errorf("got %s (%.100v), want %s", got, d.Reason, reason)
			}
			// It may have handled them after it said goodbye, which is the same as not.
			a := within(s, asked).Value.Outcomes
			if n := a[actor.NotBegun.String()] + a[actor.InProgress.String()] + a[actor.Unknown.String()]; n != 3 {
				s.Errorf("the Asks got %v, want 3 that failed", a)
			}
			kinds := make(map[string]int)
			for range 2 {
				n := s.news()
				if kinds[n.Kind]++; n.From != bad || n.Reason != reason {
					s.Errorf("got %.200v", n)
				}
			}
			if kinds["down"] != 1 || kinds["exit"] != 1 {
				s.Errorf("got %v, want a Down and an Exit", kinds)
			}
		})
	}
}

// What is kept of a reason is a beginning, whoever says it, and everybody gets that.
func TestRegressLongReasons(t *testing.T) {
	s := newSvTied(t)
	for _, how := range []string{"shutdown", "fail"} {
		for _, by := range []string{"itself", "a signal"} {
			for _, size := range []int{reasonText - 4, reasonText, reasonText + 4, 2 << 20} {
				s.run(fmt.Sprint(how, " by ", by, " ", size), func(s svTied) {
					ref := svSpawn(s, s.sys, temporary(regulars.With(actor.None{})))
					monitor, linked := s.tie(ties), s.tie(trappers)
					ask[actor.MonitorID](s, monitor, svWatch{To: ref})
					s.link(linked, ref)
					watch := s.sys.Watch(ref)
					if by == "itself" {
						tell(s, ref, regGoodbye{how, size})
					} else if err := ref.Exit(s.Context(), regReason(how, size)); err != nil {
						s.Fatal(err)
					}
					want := strings.Repeat("long", min(size, reasonText)/4)
					texts := []string{ended(s, watch).Reason.Error()}
					for range 2 {
						texts = append(texts, s.news().Text)
					}
					for _, text := range texts {
						if _, kept, _ := strings.Cut(text, ": "); kept != want {
							s.Errorf("%d bytes were kept, want %d: %.40q", len(kept), len(want), text)
						}
					}
				})
			}
		}
	}
}

// The reason of a supervisor that gives up because another has, and so on, reaches actors as well.
func TestRegressReasonThroughSupervisors(t *testing.T) {
	s := newSvTied(t)
	worker := survivors.With(svArg{}).Named("worker")
	var tree actor.Child = worker
	const levels = 90
	for i := range levels {
		tree = actor.Supervisor{Name: fmt.Sprint("level ", i), Intensity: actor.NoRestarts, Restart: actor.Permanent, Children: []actor.Child{tree}}
	}
	top := svSpawn(s, s.sys, tree)
	monitor := s.tie(ties)
	ask[actor.MonitorID](s, monitor, svWatch{To: top, Final: true})
	ref, err := s.sys.Lookup("worker")
	if err != nil {
		t.Fatal(err)
	}
	if err := ref.Exit(t.Context(), regReason("fail", 1<<20)); err != nil {
		t.Fatal(err)
	}
	n := s.news()
	if n.Kind != "down" || n.From != top || n.Reason != "actor.Shutdown" || n.Restarting || !strings.Contains(n.Text, "failed: long") {
		t.Errorf("got %.300v", n)
	}
	if len(n.Text) > 2*reasonText {
		t.Errorf("a reason of %d bytes", len(n.Text))
	}
}

// Exit signals to one that traps them and does not read are bounded: their sender is told. Those that
// were taken come, and Killed needs no room.
func TestRegressUnreadExits(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	spec := temporary(regTraps.With(actor.None{}))
	spec.Mailbox.Messages = 1
	ref := svSpawn(t, sys, spec)
	sender := svSpawn(t, sys, ties.With(svTieArg{inbox.Ref()}))
	release := hold(t, inbox, ref)
	const limit = 1 << 16 // as many as it could hold monitors
	sent := 0
	var err error
	for ; err == nil && sent <= 2*limit; sent++ {
		err = ref.Exit(t.Context(), actor.Normal{})
	}
	sent-- // the last one was refused
	if svFate(t, err, actor.NotSent); !errors.Is(err, actor.ErrMailboxFull) || sent < limit || sent > limit+10 {
		t.Errorf("after %d: got %v, want ErrMailboxFull after %d", sent, err, limit)
	}
	if _, err := actor.Ask[string](t.Context(), sender, svSignal{ref, "shutdown"}); !errors.Is(err, actor.ErrMailboxFull) {
		t.Errorf("by an actor: got %v, want ErrMailboxFull", err)
	}
	release()
	if got := ask[int](t, ref, regTold{}); got != sent {
		t.Errorf("it got %d, want %d", got, sent)
	}
	if err := ref.Exit(t.Context(), actor.Normal{}); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
	if got := ask[int](t, ref, regTold{}); got != sent+1 {
		t.Errorf("it got %d, want %d", got, sent+1)
	}
}

// Killed takes no room: it ends an actor also when that can take no other signal.
func TestRegressKilledWhenFull(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	spec := temporary(regTraps.With(actor.None{}))
	spec.Mailbox.Messages = 1
	ref := svSpawn(t, sys, spec)
	watch := sys.Watch(ref)
	hold(t, inbox, ref)
	for err := error(nil); err == nil; {
		err = ref.Exit(t.Context(), actor.Normal{})
	}
	killed := actor.Killed{Detail: "enough"}
	if err := ref.Exit(t.Context(), killed); err != nil {
		t.Fatalf("got %v", err)
	}
	if d := ended(t, watch); d.Reason != killed {
		t.Errorf("got %v, want %v", d.Reason, killed)
	}
}
