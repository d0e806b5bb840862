//go:build unix

package actor_test

// The tests in gipc_*_test.go hold this package to the test suite of gipc 1.8,
// the project that this one descends from: what its 82 tests promise, and the
// defects that it has all the same. An actor is the child process; Tell, Ask and
// Inbox are the channels. 62 behaviours carry over:
//
//	 1  a short string          RoundTrip/text
//	 2  a short list            RoundTrip/list
//	 3  mixed values            RoundTrip/mixed
//	 4  a long string           RoundTrip/long text
//	 5  a long list             RoundTrip/long list
//	 6  between two tasks       TwoReaders; mailbox.TestReaderSizes
//	 7  one writer, two readers TwoReaders
//	 8  two writers, one reader TwoWriters; mailbox.TestStress
//	 9  –                       gipc's table of its own handles; here descriptors have one owner each
//	10  closing twice           CloseTwice: no-op; mailbox.TestClosedWriter, TestReaderCloseWakes
//	11  send on a closed end    ClosedEnds; mailbox.TestClosedWriter
//	12  receive on a closed end ClosedEnds; mailbox.TestReaderClosed
//	13  close during a receive  CloseWhileReceiving: wakes it, gipc refuses; mailbox.TestReaderCloseWakes
//	14  writer closed → EOF     SentBeforeTheEnd (a Down); mailbox.TestReaderEnds
//	15  reader closed → EPIPE   ClosedEnds; mailbox.TestReaderGone, TestReaderProcessKilled
//	16  sent, closed, received  SentBeforeTheEnd; mailbox.TestSentBeforeCloseIsDelivered
//	17  alive after the start   Exits
//	18  not alive after the end Exits
//	19  exit code 0             Exits/status 0
//	20  exit code −SIGKILL      Exits/SIGKILL
//	21  exit code 1             Exits/status 1
//	22  pid after the end       Exits
//	23  terminate               Exits/SIGTERM
//	24  child of child of child ThreeGenerations
//	25  join with a time-out    ShortWait
//	26–28  –                    Process.close of Python 3.7: nothing is left to be closed after a Down
//	29  bad args                BadArguments
//	30  bad kwargs              BadArguments
//	31  exit code before join   Exits: there is no join
//	32  handles of the child    LinuxDescriptors; spawn.TestDescriptors, TestFiles
//	33  a long list to a child  RoundTrip/long list
//	34  two channels            TwoChannels
//	35  channels in the child   ChannelsWithin
//	36  child to child          Siblings
//	37  a handle passed on      LinuxDescriptors: the parent has no end of the child's
//	38  a foreign process       LinuxForeignProcess
//	39  three levels down       ThreeGenerations
//	40  the reader exits early  ReaderExits/program
//	41  … the writer is a child ReaderExits/sibling
//	42–48  –                    Python's with statement: a Ref is a value and holds nothing open
//	49  time-out expires        ReceiveTimeout
//	50  … in a context          ReceiveTimeout
//	51  … does not expire       ReceiveTimeout
//	52  duplex                  Duplex
//	53–61  –                    Python's with statement again, on duplex handles
//	62  closing duplex twice    CloseTwice
//	63  echo                    Duplex
//	64  two clocks              Synchronise
//	65  ring of two forwarders  Ring
//	66  default codec           RoundTrip
//	67  identity codec          Codecs/raw
//	68  no codec                Codecs/raw
//	69  JSON                    Codecs/JSON
//	70  compressed              Codecs/compressed
//	71  bad encoder             BadEncoder
//	72  bad decoder             BadDecoder
//	73  raw across processes    Codecs/raw
//	74  a flooding child        FloodingChild
//	75  two in step, 0 and 5    TwoInStep
//	76  101 items               HundredAndOne
//	77  resolver in the parent  ResolverAndPool
//	78  pool in the parent      ResolverAndPool
//	79  HTTP server             actortest: TestServerWithAChildPerRequest
//	80  ten at once             TenAtOnce
//	81  the parent's handlers   LinuxHandlers
//	82  default dispositions    LinuxDispositions; spawn.TestIgnoredSignals, TestSignalMask
//
// Every name stands for TestGipc… in this folder, but for those with a package.
// That no descriptor is left is checked after each test, by actortest.New.

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// 1–5, 33, 66: what is sent is what arrives, though it be far more than a
// pipe holds.
func TestGipcRoundTrip(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnPeer(t, sys)
	for _, test := range []struct {
		name string
		sent parcel
	}{
		{"empty", parcel{}},
		{"text", parcel{Text: "OK"}},
		{"list", parcel{List: []int{1}}},
		{"mixed", parcel{Text: "ünï\x00", List: []int{-1, 0, 1 << 40}, Dict: map[string]string{"a": "b"}, Yes: true,
			Ratio: 0.1, When: time.Unix(1, 2)}},
		{"long text", parcel{Text: strings.Repeat("OK", 4<<20)}},
		{"long list", parcel{List: slices.Repeat([]int{1 << 40}, 1<<17)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ask[parcel](t, ref, test.sent)
			if !got.When.Equal(test.sent.When) {
				t.Errorf("got time %v, want %v", got.When, test.sent.When)
			}
			got.When = test.sent.When // equal times may have different locations
			if !reflect.DeepEqual(got, test.sent) {
				t.Errorf("%d and %d elements came back otherwise than sent", len(got.Text), len(got.List))
			}
		})
	}
}

// 6, 7: two goroutines receive from one child; each gets one whole message.
func TestGipcTwoReaders(t *testing.T) {
	const size = 4 << 20
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, item{})
	got := make(chan *actor.Message, 2)
	for range 2 {
		go func() {
			m, err := inbox.Receive(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- m
		}()
	}
	ask[actor.None](t, spawnPeer(t, sys), deliver{To: inbox.Ref(), N: 2, Size: size})
	var seen [2]bool
	for range seen {
		m, ok := finally(t, "message", got).Value.(item)
		if !ok || !m.isWhole(size) {
			t.Fatalf("got item %d of %d bytes", m.N, len(m.Body))
		}
		seen[m.N] = true
	}
	if seen != [2]bool{true, true} {
		t.Errorf("got %v, want each once", seen)
	}
}

// 8: what two goroutines send through one pipe does not mix, in either direction.
func TestGipcTwoWriters(t *testing.T) {
	const senders, n, size = 2, 8, 1 << 20
	sys := actortest.New(t, actor.Options{})
	ref, inbox := spawnPeer(t, sys), openInbox(t, sys, item{})

	sent := make(chan error, senders)
	for from := range senders {
		go func() { sent <- sendItems(t.Context(), ref, from, n, size) }()
	}
	for range senders {
		if err := finally(t, "sender", sent); err != nil {
			t.Fatal(err)
		}
	}
	next := make([]int, senders)
	got := ask[[]arrival](t, ref, arrived{}) // fails if one is not whole
	for _, a := range got {
		if a.N != next[a.From] {
			t.Fatalf("sender %d: item %d came in place %d", a.From, a.N, next[a.From])
		}
		next[a.From]++
	}
	if len(got) != senders*n {
		t.Errorf("got %d items, want %d", len(got), senders*n)
	}

	sentBack := askLater[actor.None](t, ref, deliver{To: inbox.Ref(), Senders: senders, N: n, Size: size})
	receiveItems(t, inbox, senders, n, size)
	if err := finally(t, "deliver", sentBack); err != nil {
		t.Error(err)
	}
}

// 10, 62: closing, stopping and killing again is no error.
func TestGipcCloseTwice(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, inbox := spawnPeer(t, sys), openInbox(t, sys)
	for range 2 {
		inbox.Close()
		if err := ref.Stop(t.Context()); err != nil {
			t.Error("stop:", err)
		}
		if err := ref.Kill(t.Context()); err != nil {
			t.Error("kill:", err)
		}
	}
	for range 2 {
		if err := sys.Close(t.Context()); err != nil {
			t.Error("close:", err)
		}
	}
}

// 11, 12, 15: who sends to what is closed, or receives from it, is told so, in
// the program and in a child.
func TestGipcClosedEnds(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, other, inbox := spawnPeer(t, sys), spawnPeer(t, sys), openInbox(t, sys, item{})
	if err := ref.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	inbox.Close()

	_, askErr := actor.Ask[parcel](t.Context(), ref, parcel{})
	for verb, err := range map[string]error{"ask": askErr, "tell": ref.Tell(t.Context(), item{})} {
		down, ok := errors.AsType[*actor.DownError](err)
		if !ok || down.Down.Reason != (actor.Shutdown{}) || fate(err) != actor.NotSent {
			t.Errorf("%s: got %v, want Shutdown, not sent", verb, err)
		}
	}
	if _, err := inbox.Receive(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("receive: got %v, want ErrClosed", err)
	}
	if err := inbox.Ref().Tell(t.Context(), item{}); !errors.Is(err, actor.ErrNoActor) {
		t.Errorf("tell to the inbox: got %v, want ErrNoActor", err)
	}
	for name, to := range map[string]actor.Ref{"actor": ref, "inbox": inbox.Ref()} {
		if _, err := actor.Ask[parcel](t.Context(), other, pass{To: to}); err == nil {
			t.Errorf("the child's message to the closed %s was no error", name)
		}
	}
	ask[parcel](t, other, parcel{}) // and it lives
}

func fate(err error) actor.Fate {
	d, ok := errors.AsType[*actor.DeliveryError](err)
	if !ok {
		return actor.Unknown
	}
	return d.Fate
}

// 13: gipc refuses to close what somebody waits for; here the waiter is told.
func TestGipcCloseWhileReceiving(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys)
	ended := make(chan error, 2)
	for range cap(ended) {
		go func() {
			_, err := inbox.Receive(context.Background())
			ended <- err
		}()
	}
	inbox.Close()
	for range cap(ended) {
		if err := finally(t, "receive", ended); !errors.Is(err, os.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}

// 14, 16: what a child sent before its end arrives before the news of it, and
// nothing comes after.
func TestGipcSentBeforeTheEnd(t *testing.T) {
	const n = 100
	sys := actortest.New(t, actor.Options{})
	ref, inbox := spawnPeer(t, sys), openInbox(t, sys, item{})
	m := sys.Monitor(ref)
	tell(t, ref, deliver{To: inbox.Ref(), N: n, Size: 10_000})
	tell(t, ref, retire{})
	if d := ended(t, m); d.Reason != (actor.Normal{}) || d.NotBegun != 0 || d.Truncated != 0 {
		t.Errorf("got %v, %d not begun, %d bytes cut off; want a normal end", d, d.NotBegun, d.Truncated)
	}
	// All of it is there by now: not one has to be waited for.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range n {
		got, err := inbox.Receive(over)
		if err != nil || got.Value.(item).N != i {
			t.Fatalf("item %d: got %+v, %v", i, got, err)
		}
	}
	if got, err := inbox.Receive(over); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v, want nothing more", got, err)
	}
}
