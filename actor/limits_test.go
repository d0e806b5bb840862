//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/codec"
)

// typeOf is the name under which a message type of this package travels.
func typeOf(name string) []byte { return []byte("github.com/progeny-go/progeny/actor_test." + name) }

// frameSize is how many bytes the frame of a message is, its header included,
// when the program sends it to an actor.
func frameSize(t testing.TB, name string, message any) int {
	t.Helper()
	env := codec.Envelope{Kind: 3, To: codec.ID{1}, Type: typeOf(name)}
	frame, err := codec.AppendMessage(nil, &env, message, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return len(frame)
}

// blobOf is a Blob whose frame has exactly size bytes of content.
func blobOf(t testing.TB, size int) Blob {
	t.Helper()
	const header = 5
	n := size + header - frameSize(t, "Blob", Blob{make([]byte, size)}) + size
	if got := frameSize(t, "Blob", Blob{make([]byte, n)}) - header; got != size {
		t.Fatalf("made a frame of %d bytes, want %d", got, size)
	}
	return Blob{make([]byte, n)}
}

// ReplyWithANameThatIsMuchLongerThanAnEnvelopeIsWhichCountsAsWell is what it says.
type ReplyWithANameThatIsMuchLongerThanAnEnvelopeIsWhichCountsAsWell string

// From the program, a message may be exactly as large as MaxMessage.
func TestMaxMessage(t *testing.T) {
	const limit = 70_000
	sys := actortest.New(t, actor.Options{MaxMessage: limit})
	ref := spawnRig(t, sys, rigArg{})
	for _, size := range []int{limit - 1, limit, limit + 1, 2 * limit} {
		m := blobOf(t, size)
		tellErr := ref.Tell(t.Context(), m)
		got, askErr := actor.Ask[int](t.Context(), ref, m)
		if size <= limit {
			if tellErr != nil || askErr != nil || got != len(m.Data) {
				t.Errorf("%d bytes: tell %v, ask %d, %v", size, tellErr, got, askErr)
			}
			continue
		}
		for _, err := range []error{tellErr, askErr} {
			if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent || !errors.Is(err, actor.ErrTooLarge) {
				t.Errorf("%d bytes: got %v, want ErrTooLarge and not sent", size, err)
			}
		}
	}
	if got := ask[string](t, ref, Echo{"alive"}); got != "alive" {
		t.Errorf("got %q", got)
	}
}

// Whoever sends and whatever it is, what is a little over the limit, and a
// little under, arrives or is an error, never nothing.
func TestMaxMessageEverywhere(t *testing.T) {
	const limit = 70_000
	sys := actortest.New(t, actor.Options{MaxMessage: limit})
	a, b := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	for range 200 { // correlations of two bytes on one side, and of one on the other
		ask[string](t, b, Echo{"x"})
	}
	breeding, err := sys.Spawn(t.Context(), breeder)
	if err != nil {
		t.Fatal(err)
	}
	inbox := newInbox(t, sys)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	replies := func() {
		for {
			m, err := inbox.Receive(ctx)
			if err != nil {
				return
			}
			if blob, ok := m.Value.(Blob); ok && m.Asked() {
				m.Reply(len(blob.Data), nil)
			} else if echo, ok := m.Value.(Echo); ok {
				m.Reply(ReplyWithANameThatIsMuchLongerThanAnEnvelopeIsWhichCountsAsWell(strings.Repeat("x", len(echo.Text))), nil)
			}
		}
	}
	done := make(chan struct{})
	go func() { defer close(done); replies() }()
	defer func() { inbox.Close(); <-done }()
	for _, test := range []struct {
		name string
		send func(n int) (int, error)
	}{
		{"reply", func(n int) (int, error) {
			blob, err := actor.Ask[Blob](ctx, a, Big{n})
			return len(blob.Data), err
		}},
		{"reply to an actor", func(n int) (int, error) { return actor.Ask[int](ctx, a, Fetch{b, n}) }},
		{"tell to an actor", func(n int) (int, error) { return actor.Ask[int](ctx, a, Deliver{To: b, Size: n}) }},
		{"ask to an actor", func(n int) (int, error) { return actor.Ask[int](ctx, a, Deliver{To: b, Size: n, Ask: true}) }},
		{"ask to an inbox", func(n int) (int, error) {
			return actor.Ask[int](ctx, a, Deliver{To: inbox.Ref(), Size: n, Ask: true})
		}},
		{"tell to an inbox", func(n int) (int, error) { return actor.Ask[int](ctx, a, Deliver{To: inbox.Ref(), Size: n}) }},
		{"reply of an inbox", func(n int) (int, error) {
			return actor.Ask[int](ctx, a, Relay{To: inbox.Ref(), Text: strings.Repeat("x", n)})
		}},
		{"argument", func(n int) (int, error) {
			ref, err := sys.Spawn(ctx, rigger.With(rigArg{Pad: make([]byte, n)}))
			if err == nil {
				err = ref.Kill(ctx)
			}
			return n, err
		}},
		{"argument from an actor", func(n int) (int, error) { return actor.Ask[int](ctx, breeding, Breed{n}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			letters := sys.Stats().DeadLetters
			passed, refused := 0, 0
			least, step := limit-400, 1
			if strings.HasPrefix(test.name, "argument") { // there is a whole Spec beside it
				least, step = limit-800, 40
			}
			for n := least; n <= limit+10; n += step {
				if step == 1 && n < limit-300 && n%2 == 0 {
					continue
				}
				got, err := test.send(n)
				switch {
				case err == nil && got == n && refused == 0:
					passed++
				case errors.Is(err, actor.ErrTooLarge):
					refused++
				default:
					t.Fatalf("%d bytes: got %d, %v (after %d passed, %d refused)", n, got, err, passed, refused)
				}
			}
			if passed == 0 || refused == 0 {
				t.Errorf("%d passed, %d were refused; want some of both", passed, refused)
			}
			if got := sys.Stats().DeadLetters; got != letters {
				t.Errorf("%d dead letters", got-letters)
			}
		})
	}
}

// Messages that end where a pipe or a buffer does arrive whole.
func TestPipeSizes(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnRig(t, sys, rigArg{})
	const header = 5
	for _, size := range []int{4 << 10, 32 << 10, 64 << 10, 128 << 10, 1 << 20} {
		for d := -2; d <= 2; d++ {
			m := blobOf(t, size+d-header)
			if got := ask[int](t, ref, m); got != len(m.Data) {
				t.Errorf("a frame of %d bytes: got %d, want %d", size+d, got, len(m.Data))
			}
			if got := ask[Blob](t, ref, Big{size + d}); len(got.Data) != size+d {
				t.Errorf("got a reply of %d bytes, want %d", len(got.Data), size+d)
			}
		}
	}
}

// The first message may be as large as any although the actor does not handle
// messages yet: nobody is blocked by it.
func TestLargeFirstMessage(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	other := spawnRig(t, sys, rigArg{})
	spawned := make(chan error, 1)
	go func() {
		_, err := sys.Spawn(t.Context(), rigger.With(rigArg{Gate: inbox.Ref()}).Named("slow"))
		spawned <- err
	}()
	gate, _ := receive[Held](t, inbox)
	slow, err := sys.Lookup("slow")
	if err != nil {
		t.Fatal(err)
	}
	m := blobOf(t, codec.DefaultFrameLimit)
	tell(t, slow, m)
	if got := ask[string](t, other, Echo{"not blocked"}); got != "not blocked" {
		t.Errorf("got %q", got)
	}
	if err := gate.Reply("go on", nil); err != nil {
		t.Fatal(err)
	}
	if err := within(t, spawned); err != nil {
		t.Fatal(err)
	}
	if got := ask[int](t, slow, m); got != len(m.Data) {
		t.Errorf("got %d bytes, want %d", got, len(m.Data))
	}
}

// spawnBox starts a rig with that mailbox.
func spawnBox(t testing.TB, sys *actor.System, box actor.Mailbox) actor.Ref {
	t.Helper()
	spec := rigger.With(rigArg{})
	spec.Mailbox = box
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// impatient is a context for a Tell that is not to get through. Whatever it
// takes, the outcome is the same.
func impatient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// A mailbox takes as many messages as it says, the one in progress included,
// and then refuses or makes wait.
func TestMailboxMessages(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	sender := spawnRig(t, sys, rigArg{})
	for _, reject := range []bool{false, true} {
		for _, limit := range []int{1, 2, 5} {
			t.Run(fmt.Sprintf("%d reject=%v", limit, reject), func(t *testing.T) {
				ref := spawnBox(t, sys, actor.Mailbox{Messages: limit, Reject: reject})
				release := hold(t, inbox, ref)
				for i := range limit - 1 {
					tell(t, ref, Count{i})
				}
				want := context.DeadlineExceeded
				if reject {
					want = actor.ErrMailboxFull
				}
				err := ref.Tell(impatient(t), Count{-1})
				if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent || !errors.Is(err, want) {
					t.Errorf("tell: got %v, want %v and not sent", err, want)
				}
				_, err = actor.Ask[string](impatient(t), ref, Echo{"no room"})
				if d, ok := errors.AsType[*actor.DeliveryError](err); !ok || d.Fate != actor.NotSent || !errors.Is(err, want) {
					t.Errorf("ask: got %v, want %v and not sent", err, want)
				}
				if reject {
					p := ask[Poured](t, sender, Pour{To: ref, N: 1})
					if p.N != 0 || !strings.Contains(p.Err, actor.ErrMailboxFull.Error()) {
						t.Errorf("from an actor: %+v", p)
					}
					release()
					eventually(t, "there is room again", func() bool { return ref.Tell(t.Context(), Count{limit - 1}) == nil })
					eventually(t, "it is empty", func() bool {
						got, err := actor.Ask[[]int](t.Context(), ref, Seen{})
						return err == nil && len(got) == limit
					})
					return
				} else {
					told := make(chan error, 2)
					go func() { told <- ref.Tell(t.Context(), Count{limit - 1}) }()
					release()
					if err := within(t, told); err != nil {
						t.Error(err)
					}
				}
				if got := ask[[]int](t, ref, Seen{}); len(got) != limit {
					t.Errorf("got %v, want %d numbers", got, limit)
				}
			})
		}
	}
}

// A mailbox takes a message while it holds fewer bytes than it says.
func TestMailboxBytes(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	held := frameSize(t, "Hold", Hold{inbox.Ref()})
	for _, test := range []struct {
		bytes, room int // how many Blobs fit behind the one that is held
	}{
		{held - 1, 0}, {held, 0}, {held + 1, 1},
		{held + frameSize(t, "Blob", Blob{make([]byte, 1000)}), 1},
		{held + frameSize(t, "Blob", Blob{make([]byte, 1000)}) + 1, 2},
		{1, 0},
	} {
		t.Run(fmt.Sprintf("%d", test.bytes-held), func(t *testing.T) {
			ref := spawnBox(t, sys, actor.Mailbox{Bytes: test.bytes, Reject: true})
			release := hold(t, inbox, ref)
			taken := 0
			var err error
			for range test.room + 3 {
				if err = ref.Tell(t.Context(), Blob{make([]byte, 1000)}); err != nil {
					break
				}
				taken++
			}
			if taken != test.room || !errors.Is(err, actor.ErrMailboxFull) {
				t.Errorf("it took %d, want %d; %v", taken, test.room, err)
			}
			release()
			eventually(t, "there is room again", func() bool { return ref.Tell(t.Context(), Count{7}) == nil })
			if err := ref.Kill(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A slow actor holds up those who send to it, and nobody else.
func TestSlowActorBlocksNobodyElse(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	slow := spawnBox(t, sys, actor.Mailbox{Messages: 1})
	other, sender := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	release := hold(t, inbox, slow)
	poured := make(chan Poured, 1)
	go func() {
		p, err := actor.Ask[Poured](t.Context(), sender, Pour{To: slow, N: 3000})
		if err != nil {
			t.Error(err)
		}
		poured <- p
	}()
	told := make(chan error, 1)
	go func() { told <- slow.Tell(t.Context(), Count{-1}) }()
	for range 100 {
		ask[string](t, other, Echo{"quick"})
	}
	release()
	if p := within(t, poured); p.N != 3000 {
		t.Errorf("poured %+v", p)
	}
	if err := within(t, told); err != nil {
		t.Error(err)
	}
}

// The longest name of an actor.
func TestLongestActorName(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	name := strings.Repeat("n", 255)
	ref, err := sys.Spawn(t.Context(), rigger.With(rigArg{}).Named(name))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sys.Lookup(name); err != nil || got != ref {
		t.Errorf("got %v, %v; want %v", got, err, ref)
	}
}

// An actor that dies within a frame is down all the same, with what it had
// written whole before.
func TestKilledInMidFrame(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	other := spawnRig(t, sys, rigArg{})
	const begun = 100_000
	for _, cut := range []int{1, 4, 5, 6, begun} {
		ref := spawnRig(t, sys, rigArg{})
		m := sys.Monitor(ref)
		frame, err := codec.AppendMessage(nil, &codec.Envelope{Kind: 3}, Blob{make([]byte, 2*begun)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		tell(t, ref, Write{Bytes: frame[:cut], Die: true})
		d := ended(t, m)
		if s, ok := d.Reason.(actor.Signal); !ok || s.Signal != syscall.SIGKILL {
			t.Errorf("got reason %v", d.Reason)
		}
		if d.Truncated != cut {
			t.Errorf("got %d bytes of a truncated frame, want %d", d.Truncated, cut)
		}
		if got := ask[string](t, other, Echo{"alive"}); got != "alive" {
			t.Errorf("got %q", got)
		}
	}
}

// The same at random: what arrives is whole and in order.
func TestKilledWhileWriting(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	other := spawnRig(t, sys, rigArg{})
	for range 5 {
		ref := spawnRig(t, sys, rigArg{})
		m := sys.Monitor(ref)
		tell(t, ref, Shower{To: inbox.Ref(), Size: 1 << 20})
		receive[Blob](t, inbox)
		receive[Blob](t, inbox)
		if err := ref.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := ended(t, m)
		t.Logf("%d bytes of a frame", d.Truncated)
		tell(t, inbox.Ref(), Held{})
		for {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			letter, err := inbox.Receive(ctx)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			if _, last := letter.Value.(Held); last {
				break
			}
			if b, ok := letter.Value.(Blob); !ok || len(b.Data) != 1<<20 {
				t.Errorf("got %T of %d bytes", letter.Value, len(b.Data))
			}
		}
		ask[string](t, other, Echo{"alive"})
	}
}
