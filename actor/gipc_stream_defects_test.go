//go:build unix

package actor_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// records is a logger that hands its messages on.
type records chan string

func (records) Enabled(context.Context, slog.Level) bool { return true }
func (r records) WithAttrs([]slog.Attr) slog.Handler     { return r }
func (r records) WithGroup(string) slog.Handler          { return r }
func (r records) Handle(_ context.Context, rec slog.Record) error {
	r <- rec.Message
	return nil
}

// Half a header, or half a frame, and then nothing: every wait still ends with
// its context, others are served, and the sender can be stopped.
func TestGipcDefectTimeoutInFrame(t *testing.T) {
	printed := make(records, 100)
	sys := actortest.New(t, actor.Options{Logger: slog.New(printed)})
	inbox, other := openInbox(t, sys), spawnPeer(t, sys)
	for _, part := range [][]byte{{0xc6}, {0xc6, 0, 0}, {0xc6, 0, 0, 0, 100, 1, 2, 3}} {
		ref, m := spawnVandal(t, sys)
		ctx, cancel := context.WithCancel(t.Context())
		asked, received := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := actor.Ask[actor.None](ctx, ref, scrawl{Bytes: part})
			asked <- err
		}()
		go func() {
			_, err := inbox.Receive(ctx)
			received <- err
		}()
		for finally(t, "part of a frame", printed) != "scrawled" {
			// the dead letter on which the one before was killed
		}
		ask[parcel](t, other, parcel{})
		cancel()
		if err := finally(t, "ask", asked); !errors.Is(err, context.Canceled) {
			t.Errorf("ask: got %v, want Canceled", err)
		}
		if err := finally(t, "receive", received); !errors.Is(err, context.Canceled) {
			t.Errorf("receive: got %v, want Canceled", err)
		}
		if err := ref.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if d := ended(t, m); d.Truncated != len(part) {
			t.Errorf("got %d bytes cut off, want %d", d.Truncated, len(part))
		}
	}
}

// A stream that ends within a frame did not end as it should, wherever that is,
// and although the exit status is 0.
func TestGipcDefectCutOff(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	whole := append([]byte{0xc6, 0, 0, 0, 100}, make([]byte, 100)...)
	for _, n := range []int{1, 4, 5, 6, 104} {
		ref, m := spawnVandal(t, sys)
		_, err := actor.Ask[actor.None](t.Context(), ref, scrawl{Bytes: whole[:n], Exit: true})
		if _, ok := errors.AsType[*actor.DownError](err); !ok || fate(err) != actor.InProgress {
			t.Errorf("after %d bytes: got %v, want a DownError", n, err)
		}
		if d := ended(t, m); d.Truncated != n || d.Reason.IsNormal() {
			t.Errorf("after %d bytes: got %v with %d bytes cut off", n, d, d.Truncated)
		}
	}
}

// A length below zero or above the limit is called what it is; its sender ends.
func TestGipcDefectLengths(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		name   string
		header []byte
		detail string
	}{
		{"−1", []byte{0xc6, 0xff, 0xff, 0xff, 0xff}, "4294967295 bytes"},
		{"2³¹, or −2³¹", []byte{0xc6, 0x80, 0, 0, 0}, "2147483648 bytes"},
		{"twice the limit", []byte{0xc6, 2, 0, 0, 0}, "33554432 bytes"},
		{"gipc's own −1", []byte{0xff, 0xff, 0xff, 0xff}, "0xff"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref, m := spawnVandal(t, sys)
			tell(t, ref, scrawl{Bytes: test.header})
			r, ok := ended(t, m).Reason.(actor.Protocol)
			if !ok || !strings.Contains(r.Detail, test.detail) {
				t.Errorf("got %v, want a breach of the protocol by %s", r, test.detail)
			}
		})
	}
}

// 2 GiB are refused where they are sent, by name of the limit, at the cost of
// the limit; the channel lives on. Likewise a reply.
func TestGipcDefectTooLarge(t *testing.T) {
	const gib = 1 << 10 // MiB
	sys := actortest.New(t, actor.Options{})
	ref, _ := spawnVandal(t, sys)
	peer, inbox := spawnPeer(t, sys), openInbox(t, sys, letters{})
	text := strings.Repeat("x", 16<<20)
	huge := letters{mebibytes(2 * gib)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	told := inbox.Ref().Tell(t.Context(), huge)
	_, asked := actor.Ask[parcel](t.Context(), peer, parcel{Text: text})
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 256 {
		t.Errorf("%d MiB were allocated for messages that were refused", got)
	}
	_, replied := actor.Ask[[]string](t.Context(), ref, heap{2 * gib})
	for name, err := range map[string]error{
		"tell":         told,
		"ask":          asked,
		"reply":        replied,
		"just over it": inbox.Ref().Tell(t.Context(), letters{mebibytes(16)}),
	} {
		if !errors.Is(err, actor.ErrTooLarge) || !strings.Contains(err.Error(), "16777216") {
			t.Errorf("%s: got %v, want ErrTooLarge with the limit", name, err)
		}
	}
	ask[parcel](t, peer, parcel{})
	if got := ask[[]string](t, ref, heap{1}); len(got) != 1 {
		t.Errorf("got %d strings", len(got))
	}
}

type letters struct{ Text []string }

// A child that is stopped in mid-frame: sends that are given up meanwhile leave
// no trace, those that were taken arrive whole.
func TestGipcDefectCancelledSend(t *testing.T) {
	const size = 1 << 20
	sys := actortest.New(t, actor.Options{})
	spec := peers.With(peerArg{})
	spec.Mailbox.Messages = 4
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	pid := ask[int](t, ref, getpid{})
	sendSignal(t, pid, syscall.SIGSTOP)
	var want []arrival
	refused := 0
	send := func(ctx context.Context, n int) {
		switch err := ref.Tell(ctx, newItem(0, n, size)); {
		case err == nil:
			want = append(want, arrival{0, n})
		case fate(err) == actor.NotSent && errors.Is(err, context.DeadlineExceeded):
			refused++
		default:
			t.Error("tell:", err)
		}
	}
	send(t.Context(), 0)
	for n := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		send(ctx, 1+n)
		cancel()
	}
	sendSignal(t, pid, syscall.SIGCONT)
	send(t.Context(), 100)
	got := ask[[]arrival](t, ref, arrived{}) // fails if one is not whole
	if !slices.Equal(got, want) || refused < 10 {
		t.Errorf("got %v, want %v; %d were refused", got, want, refused)
	}
}

// The same from a child to a program that does not receive.
func TestGipcDefectCancelledSendOfChild(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, item{})
	ref, _ := spawnVandal(t, sys)
	want := ask[[]int](t, ref, waver{To: inbox.Ref(), Over: 2000, N: 1000, Size: 64 << 10})
	if len(want) < 2 {
		t.Fatalf("%d were taken", len(want))
	}
	for _, n := range want {
		if _, got := receive[item](t, inbox); got.N != n || !got.isWhole(64<<10) {
			t.Fatalf("got item %d, whole: %t; want %d", got.N, got.isWhole(64<<10), n)
		}
	}
	if got := ask[[]string](t, ref, heap{0}); len(got) != 0 {
		t.Errorf("got %d strings", len(got))
	}
}

// Nothing is received before the child's end is waited for, and it is all there.
func TestGipcDefectJoinBeforeDrain(t *testing.T) {
	const n, size = 8, 1 << 20
	sys := actortest.New(t, actor.Options{})
	ref, inbox := spawnPeer(t, sys), openInbox(t, sys, item{})
	m := sys.Monitor(ref)
	tell(t, ref, deliver{To: inbox.Ref(), N: n, Size: size})
	tell(t, ref, retire{})
	if d := ended(t, m); d.Reason != (actor.Normal{}) {
		t.Errorf("got %v, want Normal", d.Reason)
	}
	receiveItems(t, inbox, 1, n, size)
}
