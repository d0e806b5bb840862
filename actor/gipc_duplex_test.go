//go:build unix

package actor_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// 49–51: a receive that finds nothing ends with its context, and says why; one
// that finds something does not.
func TestGipcReceiveTimeout(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, knock{})
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := inbox.Receive(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	mine := errors.New("mine")
	given, giveUp := context.WithCancelCause(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := inbox.Receive(given)
		waiting <- err
	}()
	giveUp(mine)
	if err := finally(t, "receive", waiting); !errors.Is(err, mine) {
		t.Errorf("got %v, want the cause", err)
	}
	tell(t, inbox.Ref(), knock{})
	receive[knock](t, inbox)
}

// 52, 63: both ends send, and both receive.
func TestGipcDuplex(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, inbox := spawnPeer(t, sys), openInbox(t, sys, knock{})
	opened := make(chan string, 1)
	go func() {
		text, err := actor.Ask[string](t.Context(), ref, linger{inbox.Ref()})
		if err != nil {
			t.Error(err)
		}
		opened <- text
	}()
	m, _ := receive[knock](t, inbox) // it waits for us while we wait for it
	if err := m.Reply("MSG", nil); err != nil {
		t.Fatal(err)
	}
	if got := finally(t, "echo", opened); got != "MSG" {
		t.Errorf("got %q, want MSG", got)
	}
}

// clock is answered with the time of another process.
type clock struct{}

type timekeeper struct{}

var timekeepers = actor.Define("timekeeper", actor.Zero[timekeeper],
	actor.On(func(*timekeeper, *actor.Context, clock) (time.Time, error) { return time.Now(), nil }))

// 64: what a child says is the time is between when it was asked and when it
// had answered.
func TestGipcSynchronise(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), timekeepers)
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Round(0) // the monotonic clock does not travel
	got := ask[time.Time](t, ref, clock{})
	if after := time.Now().Round(0); got.Before(before) || got.After(after) {
		t.Errorf("got %v, want it between %v and %v", got, before, after)
	}
}

// 65: a ring of two forwarders; a hundred messages come back, in order, whether
// each is waited for or not.
func TestGipcRing(t *testing.T) {
	const n = 100
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, forward{})
	first := spawnPeer(t, sys)
	route := []actor.Ref{spawnPeer(t, sys), inbox.Ref()}
	for i := range n {
		tell(t, first, forward{i, route})
		if _, got := receive[forward](t, inbox); got.N != i {
			t.Fatalf("got %d, want %d", got.N, i)
		}
	}
	for i := range n {
		tell(t, first, forward{i, route})
	}
	for i := range n {
		if _, got := receive[forward](t, inbox); got.N != i {
			t.Fatalf("got %d, want %d", got.N, i)
		}
	}
}

// Three codecs of a user's own, as types that encode themselves.
type (
	asJSON   struct{ Dict map[string]int }
	packed   struct{ Data []byte }
	raw      []byte
	stubborn struct{ Text string } // cannot be encoded
	opaque   struct{ Text string } // cannot be decoded
)

func (m asJSON) MarshalBinary() ([]byte, error)    { return json.Marshal(m.Dict) }
func (m *asJSON) UnmarshalBinary(b []byte) error   { return json.Unmarshal(b, &m.Dict) }
func (m opaque) MarshalBinary() ([]byte, error)    { return []byte(m.Text), nil }
func (m *opaque) UnmarshalBinary([]byte) error     { return errOpaque }
func (m stubborn) MarshalBinary() ([]byte, error)  { return nil, errStubborn }
func (m *stubborn) UnmarshalBinary(b []byte) error { return nil }

func (m packed) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(m.Data)
	err := w.Close()
	return b.Bytes(), err
}

func (m *packed) UnmarshalBinary(b []byte) error {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	m.Data, err = io.ReadAll(r)
	return err
}

var (
	errOpaque   = errors.New("opaque")
	errStubborn = errors.New("stubborn")
)

type decoder struct{}

func same[M any](_ *decoder, _ *actor.Context, m M) (M, error) { return m, nil }

var (
	decoders = actor.Define("decoder", actor.Zero[decoder],
		actor.On(same[asJSON]), actor.On(same[packed]), actor.On(same[raw]), actor.On(same[stubborn]), actor.On(same[opaque]))
	stubborns = actor.Define("stubborn", func(*actor.Context, stubborn) (*decoder, error) { return new(decoder), nil })
	opaques   = actor.Define("opaque", func(*actor.Context, opaque) (*decoder, error) { return new(decoder), nil })
)

// wireLimit is that of spawnDecoder's system.
const wireLimit = 64 << 10

func spawnDecoder(t *testing.T) (*actor.System, actor.Ref) {
	t.Helper()
	sys := actortest.New(t, actor.Options{MaxMessage: wireLimit})
	ref, err := sys.Spawn(t.Context(), decoders)
	if err != nil {
		t.Fatal(err)
	}
	return sys, ref
}

// 67–70, 73: a type may have an encoding of its own, or none: bytes stay bytes.
func TestGipcCodecs(t *testing.T) {
	_, ref := spawnDecoder(t)
	noise := make([]byte, 10_000)
	rand.Read(noise)
	t.Run("raw", func(t *testing.T) {
		if got := ask[raw](t, ref, raw(noise)); !bytes.Equal(got, noise) {
			t.Errorf("got %d other bytes", len(got))
		}
	})
	t.Run("JSON", func(t *testing.T) {
		if got := ask[asJSON](t, ref, asJSON{map[string]int{"a": 100}}); len(got.Dict) != 1 || got.Dict["a"] != 100 {
			t.Errorf("got %v", got.Dict)
		}
	})
	t.Run("compressed", func(t *testing.T) {
		if got := ask[packed](t, ref, packed{noise}); !bytes.Equal(got.Data, noise) {
			t.Errorf("got %d other bytes", len(got.Data))
		}
		// What counts for the limit is what goes over the wire.
		if got := ask[packed](t, ref, packed{make([]byte, 4*wireLimit)}); len(got.Data) != 4*wireLimit {
			t.Errorf("got %d bytes", len(got.Data))
		}
	})
}

// 71: what cannot be encoded is refused where it is sent, and nothing of it is.
func TestGipcBadEncoder(t *testing.T) {
	sys, ref := spawnDecoder(t)
	if err := ref.Tell(t.Context(), stubborn{}); !errors.Is(err, errStubborn) || fate(err) != actor.NotSent {
		t.Errorf("tell: got %v, want the encoder's error, not sent", err)
	}
	_, err := sys.Spawn(t.Context(), stubborns)
	if s, _ := errors.AsType[*actor.SpawnError](err); s == nil || s.Down != nil || !errors.Is(err, errStubborn) {
		t.Errorf("spawn: got %v, want the encoder's error, without a process", err)
	}
	ask[raw](t, ref, raw{1})
}

// 72: what cannot be decoded is an error for who sent it, and for nobody else.
func TestGipcBadDecoder(t *testing.T) {
	sys, ref := spawnDecoder(t)
	_, err := actor.Ask[opaque](t.Context(), ref, opaque{})
	if r, _ := errors.AsType[*actor.RemoteError](err); r == nil || !strings.Contains(r.Text, errOpaque.Error()) {
		t.Errorf("ask: got %v, want the decoder's error", err)
	}
	_, err = sys.Spawn(t.Context(), opaques)
	if i, ok := errors.AsType[actor.InitFailed](err); !ok || !strings.Contains(i.Error(), errOpaque.Error()) {
		t.Errorf("spawn: got %v, want the decoder's error", err)
	}
	inbox := openInbox(t, sys, opaque{}, knock{})
	tell(t, inbox.Ref(), opaque{})
	tell(t, inbox.Ref(), knock{})
	if m, err := inbox.Receive(t.Context()); !errors.Is(err, errOpaque) {
		t.Errorf("receive: got %v, %v, want the decoder's error", m, err)
	}
	receive[knock](t, inbox)
	ask[raw](t, ref, raw{1})
}
