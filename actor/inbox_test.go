//go:build unix

package actor_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// An Inbox receives from the program and from actors, in order, with the sender.
func TestInboxReceive(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	for i := range 10 {
		tell(t, inbox.Ref(), Count{i})
	}
	for i := range 10 {
		if m, c := receive[Count](t, inbox); c.N != i || !m.From.IsZero() || m.Asked() {
			t.Errorf("got %v from %v, want %d from the program", c, m.From, i)
		}
	}
	const n = 10_000
	tell(t, ref, Pour{To: inbox.Ref(), N: n})
	for i := range n {
		if m, c := receive[Count](t, inbox); c.N != i || m.From != ref {
			t.Fatalf("got %v from %v, want %d from %v", c, m.From, i, ref)
		}
	}
	// What it does not know comes raw; what does not decode is an error.
	tell(t, inbox.Ref(), Label{"raw"})
	_, raw := receive[*actor.Raw](t, inbox)
	var l Label
	if err := raw.Decode(&l); err != nil || l.Text != "raw" || raw.Type != string(typeOf("Label")) {
		t.Errorf("got %v, %v, %v", raw.Type, l, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("no patience")
	cancel(cause)
	if _, err := inbox.Receive(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
}

// Each message goes to one receiver.
func TestInboxReceivers(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	a, b := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	const n = 3000
	var count, sum atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				m, err := inbox.Receive(t.Context())
				if err != nil {
					if !errors.Is(err, os.ErrClosed) {
						t.Error(err)
					}
					return
				}
				sum.Add(int64(m.Value.(Count).N))
				if count.Add(1) == 3*n {
					inbox.Close()
				}
			}
		})
	}
	for _, ref := range []actor.Ref{a, b} {
		tell(t, ref, Pour{To: inbox.Ref(), N: n})
	}
	for i := range n {
		tell(t, inbox.Ref(), Count{i})
	}
	wg.Wait()
	if count.Load() != 3*n || sum.Load() != 3*n*(n-1)/2 {
		t.Errorf("got %d messages with the sum %d, want %d and %d", count.Load(), sum.Load(), 3*n, 3*n*(n-1)/2)
	}
}

// An Inbox can be asked, and answers with a value or an error, once.
func TestInboxReply(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	for _, asker := range []string{"program", "actor"} {
		t.Run(asker, func(t *testing.T) {
			type result struct {
				n   int
				err error
			}
			start := func(ctx context.Context) <-chan result {
				results := make(chan result, 1)
				go func() {
					var r result
					if asker == "actor" {
						r.n, r.err = actor.Ask[int](ctx, ref, Relay{To: inbox.Ref(), Text: "?"})
					} else {
						var s string
						s, r.err = actor.Ask[string](ctx, inbox.Ref(), Echo{"?"})
						r.n = len(s)
					}
					results <- r
				}()
				return results
			}
			results := start(t.Context())
			m, _ := receive[Echo](t, inbox)
			if err := m.Reply("four", nil); err != nil {
				t.Error(err)
			}
			if err := m.Reply("again", nil); err == nil {
				t.Error("a second reply was taken")
			}
			if r := within(t, results); r.err != nil || r.n != 4 {
				t.Errorf("got %+v", r)
			}

			results = start(t.Context())
			m, _ = receive[Echo](t, inbox)
			if err := m.Reply(nil, errProbe); err != nil {
				t.Error(err)
			}
			r := within(t, results)
			if _, ok := errors.AsType[*actor.RemoteError](r.err); !ok || !errors.Is(r.err, errProbe) {
				t.Errorf("got %+v", r)
			}

			results = start(t.Context())
			m, _ = receive[Echo](t, inbox)
			if err := m.Reply(make(chan int), nil); err == nil {
				t.Error("a channel was a reply")
			}
			if err := m.Reply("then", nil); err != nil {
				t.Errorf("after a reply that could not be encoded: %v", err)
			}
			within(t, results)

			ctx, cancel := context.WithCancel(t.Context())
			results = start(ctx)
			m, _ = receive[Echo](t, inbox)
			cancel()
			if r := within(t, results); !errors.Is(r.err, context.Canceled) {
				t.Errorf("got %+v", r)
			}
			eventually(t, "the Reply knows that nobody waits", func() bool { return m.Reply(nil, errProbe) != nil || asker == "actor" })
			if asker == "actor" { // it still waits there: it was its asker who gave up
				ask[string](t, ref, Echo{"alive"})
			}
		})
	}
	tell(t, inbox.Ref(), Count{})
	m, _ := receive[Count](t, inbox)
	if err := m.Reply("x", nil); err == nil {
		t.Error("a Tell was replied to")
	}
}

// An Inbox has room for 4096 messages; then senders wait.
func TestInboxIsBounded(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	const room = 4096
	for i := range room {
		tell(t, inbox.Ref(), Count{i})
	}
	err := inbox.Ref().Tell(impatient(t), Count{-1})
	if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline and not sent", err)
	}
	_, err = actor.Ask[string](impatient(t), inbox.Ref(), Echo{"no room"})
	if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent {
		t.Errorf("ask: got %v, want not sent", err)
	}
	poured := make(chan Poured, 1)
	go func() {
		p, err := actor.Ask[Poured](t.Context(), ref, Pour{To: inbox.Ref(), N: 3000})
		if err != nil {
			t.Error(err)
		}
		poured <- p
	}()
	for i := range room {
		if _, c := receive[Count](t, inbox); c.N != i {
			t.Fatalf("got %d, want %d", c.N, i)
		}
	}
	for i := range 3000 {
		if _, c := receive[Count](t, inbox); c.N != i {
			t.Fatalf("got %d, want %d", c.N, i)
		}
	}
	if p := within(t, poured); p.N != 3000 {
		t.Errorf("got %+v", p)
	}
}

// Close ends it for receivers, senders and askers alike; twice is once.
func TestInboxClose(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	if p := ask[Poured](t, ref, Pour{To: inbox.Ref(), N: 1}); p.N != 1 {
		t.Fatalf("got %+v", p)
	}
	receive[Count](t, inbox)
	errs := make(chan error, 3)
	go func() {
		_, err := actor.Ask[string](t.Context(), inbox.Ref(), Echo{"?"})
		errs <- err
	}()
	go func() {
		_, err := actor.Ask[int](t.Context(), ref, Relay{To: inbox.Ref(), Text: "?"})
		errs <- err
	}()
	receive[Echo](t, inbox)
	receive[Echo](t, inbox)
	tell(t, inbox.Ref(), Count{1}) // will not be received
	inbox.Close()
	inbox.Close()
	for range 2 {
		if err := within(t, errs); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("got %v, want ErrNoActor", err)
		}
	}
	if _, err := inbox.Receive(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("receive: %v", err)
	}
	if err := inbox.Ref().Tell(t.Context(), Count{}); !errors.Is(err, actor.ErrNoActor) {
		t.Errorf("tell: %v", err)
	}
	// The actor trusts the address from before; it learns the truth in the end.
	eventually(t, "an actor hears of it", func() bool {
		return ask[Poured](t, ref, Pour{To: inbox.Ref(), N: 1}).N == 0
	})
	if n := sys.Stats().DeadLetters; n == 0 {
		t.Error("no dead letters")
	}
}

// Whatever the moment, an Inbox that closes leaves nobody waiting.
func TestInboxClosesMeanwhile(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	var refs []actor.Ref
	for range 3 {
		refs = append(refs, spawnRig(t, sys, rigArg{}))
	}
	for range 30 {
		inbox := newInbox(t, sys)
		var wg sync.WaitGroup
		for _, ref := range refs {
			wg.Go(func() {
				for {
					if _, err := actor.Ask[int](t.Context(), ref, Relay{To: inbox.Ref()}); err != nil {
						return
					}
				}
			})
		}
		for range 20 {
			m, _ := receive[Echo](t, inbox)
			m.Reply("", nil)
		}
		inbox.Close()
		wg.Wait()
	}
}
