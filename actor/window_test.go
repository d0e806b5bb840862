//go:build unix

package actor_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/codec"
)

// windowMessages is how many messages of one actor to another may be on the way.
const windowMessages = 1024

// An actor may have 1024 messages on the way to another, and waits then.
func TestWindow(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	sender, slow := spawnRig(t, sys, rigArg{}), spawnBox(t, sys, actor.Mailbox{Messages: 1})
	// The first one is acknowledged. Its credit comes with later ones.
	if p := ask[Poured](t, sender, Pour{To: slow, N: 1}); p.N != 1 {
		t.Fatalf("the first was not taken: %s", p.Err)
	}
	release := hold(t, inbox, slow)
	p := ask[Poured](t, sender, Pour{To: slow, N: 2 * windowMessages, Patience: time.Second})
	if p.N != windowMessages-1 || p.Err == "" {
		t.Errorf("it sent %d before it had to wait (%q), want %d", p.N, p.Err, windowMessages-1)
	}
	if got := ask[string](t, sender, Echo{"alive"}); got != "alive" {
		t.Errorf("got %q", got)
	}
	release()
	rest := ask[Poured](t, sender, Pour{To: slow, N: 5 * windowMessages})
	if rest.N != 5*windowMessages {
		t.Errorf("after it was released: %+v", rest)
	}
	want := []int{0}
	for _, n := range []int{p.N, rest.N} {
		for i := range n {
			want = append(want, i)
		}
	}
	eventually(t, "all have been handled", func() bool { return len(ask[[]int](t, slow, Seen{})) >= len(want) })
	if got := ask[[]int](t, slow, Seen{}); !slices.Equal(got, want) {
		t.Errorf("got %d numbers, want %d in order", len(got), len(want))
	}
	if letters := sys.Stats().DeadLetters; letters != 0 {
		t.Errorf("%d dead letters", letters)
	}
}

// Nobody has to be slow for the window to be used up and given back for ever.
func TestWindowTurnsOver(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	a, b := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	const n = 20 * windowMessages
	if p := ask[Poured](t, a, Pour{To: b, N: n}); p.N != n {
		t.Fatalf("%+v", p)
	}
	eventually(t, "all have been handled", func() bool { return len(ask[[]int](t, b, Seen{})) == n })
	if got := ask[[]int](t, b, Seen{}); !slices.IsSorted(got) {
		t.Error("not in order")
	}
}

// writeFrame makes an actor write a frame that its runtime would not.
func writeFrame(t testing.TB, ref actor.Ref, env codec.Envelope, body any) {
	t.Helper()
	frame, err := codec.AppendMessage(nil, &env, body, 0)
	if err != nil {
		t.Fatal(err)
	}
	tell(t, ref, Write{Bytes: frame})
}

// What an actor writes that is no frame, or breaks the protocol, ends it and
// nobody else.
func TestProtocolBreaches(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	other := spawnRig(t, sys, rigArg{})
	frame := func(env codec.Envelope, body any) []byte {
		b, err := codec.AppendMessage(nil, &env, body, 0)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, test := range []struct {
		name  string
		bytes []byte
	}{
		{"text", []byte("hello world\n")},
		{"zeros", make([]byte, 64)},
		{"a frame that is too large", []byte{0xc6, 0xff, 0xff, 0xff, 0xff}},
		{"an empty frame", []byte{0xc4, 0}},
		{"an envelope that is no array", []byte{0xc4, 1, 0xc0}},
		{"an envelope that is too short", []byte{0xc4, 2, 0x91, 3}},
		{"an Ack of what was never sent", frame(codec.Envelope{Kind: 10}, uint64(1<<40))},
		{"an Ack of a negative number", frame(codec.Envelope{Kind: 10}, -1)},
		{"Ready twice", frame(codec.Envelope{Kind: 2}, nil)},
		{"an Ask without a correlation", frame(codec.Envelope{Kind: 4, Type: []byte("node.lookup")}, "x")},
		{"a Tell to the node", frame(codec.Envelope{Kind: 3}, "x")},
		{"a log record that is none", frame(codec.Envelope{Kind: 12}, "x")},
		{"a goodbye without a reason", frame(codec.Envelope{Kind: 9}, map[string]any{})},
		{"a goodbye of one that chooses not to run, but does", frame(codec.Envelope{Kind: 9}, goodbye("ignored"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref := spawnRig(t, sys, rigArg{})
			m := sys.Monitor(ref)
			tell(t, ref, Write{Bytes: test.bytes})
			d := ended(t, m)
			if p, ok := d.Reason.(actor.Protocol); !ok || p.Detail == "" || !d.Restarting {
				t.Errorf("got %v, restarting: %t; want Protocol, which is a crash", d.Reason, d.Restarting)
			}
			for _, to := range []actor.Ref{other, ref} { // its next process has nothing of it
				if got := ask[string](t, to, Echo{"alive"}); got != "alive" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}

// goodbye is the body of a Goodbye.
func goodbye(cause string) any {
	return map[string]any{"Reason": map[string]string{"Cause": cause}}
}

// An actor that says goodbye and stays is killed; those who ask it are told.
func TestGoodbyeAndStay(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := temporary(rigger.With(rigArg{}))
	spec.StopTimeout = 50 * time.Millisecond
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	m := sys.Monitor(ref)
	frame, err := codec.AppendMessage(nil, &codec.Envelope{Kind: 9}, goodbye("normal"), 0)
	if err != nil {
		t.Fatal(err)
	}
	tell(t, ref, Write{Bytes: frame, Stay: true})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := actor.Ask[string](ctx, ref, Echo{"?"}); err == nil || ctx.Err() != nil {
		t.Errorf("an Ask: got %v, want its Down", err)
	}
	d := ended(t, m)
	if _, ok := d.Reason.(actor.Killed); !ok {
		t.Errorf("got %v, want Killed", d.Reason)
	}
}

// What a later version may add is skipped: kinds of frames, elements of
// envelopes, fields of bodies.
func TestGrease(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref := spawnRig(t, sys, rigArg{})
	m := sys.Monitor(ref)
	for _, kind := range []codec.Kind{0, 13, 100, 255} {
		writeFrame(t, ref, codec.Envelope{Kind: kind, Corr: 7, Type: []byte("grease")}, map[string]any{"x": 1})
	}
	writeFrame(t, ref, codec.Envelope{Kind: 12}, map[string]any{"Message": "grease", "New": []int{1}})

	// A Tell to the inbox with two elements behind the routing key.
	id, err := inbox.Ref().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	env := codec.Envelope{Kind: 3, To: codec.ID(id), Type: typeOf("Count")}
	frame, err := codec.AppendMessage(nil, &env, Count{5}, 0)
	if err != nil {
		t.Fatal(err)
	}
	content := append(frame[5:], 0xc0, 0xc3, 0xa1, 'x')
	content[0] += 3 // a longer fixarray
	tell(t, ref, Write{Bytes: append([]byte{0xc5, byte(len(content) >> 8), byte(len(content))}, content...)})
	if letter, got := receive[Count](t, inbox); got.N != 5 || letter.From != ref {
		t.Errorf("got %+v from %v, want 5 from %v", got, letter.From, ref)
	}
	if got := ask[string](t, ref, Echo{"alive"}); got != "alive" {
		t.Errorf("got %q", got)
	}
	if !m.Stop() {
		t.Errorf("it is down: %v", ended(t, m).Reason)
	}
}

// An actor cannot speak in another's name.
func TestForgedSender(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	ref, other := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	to, _ := inbox.Ref().MarshalBinary()
	from, _ := other.MarshalBinary()
	writeFrame(t, ref, codec.Envelope{Kind: 3, To: codec.ID(to), From: codec.ID(from), Type: typeOf("Count")}, Count{1})
	if letter, _ := receive[Count](t, inbox); letter.From != ref {
		t.Errorf("got a message from %v, want %v", letter.From, ref)
	}
}
