//go:build unix

package child

import (
	"bytes"
	"os"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// hello is a small Tell.
func hello(t *testing.T) mailbox.Frame {
	t.Helper()
	return mailbox.Frame{Bytes: content(t, codec.Envelope{Kind: wire.KindTell, Type: []byte("main.Hello")}, 1)}
}

// acks returns the numbers of the Acks in what a worker has written.
func acks(t *testing.T, written []byte) (all []uint64) {
	t.Helper()
	for len(written) > 0 {
		frame, n, _, err := codec.Split(written, 0)
		if err != nil || n == 0 {
			t.Fatalf("%d bytes, %v", len(written), err)
		}
		var env codec.Envelope
		if err := codec.DecodeEnvelope(frame, &env); err != nil {
			t.Fatal(err)
		}
		if env.Kind == wire.KindAck {
			var finished uint64
			if err := codec.Decode(env.Payload, &finished); err != nil {
				t.Fatal(err)
			}
			all = append(all, finished)
		}
		written = written[n:]
	}
	return all
}

// The node is told of what is finished when that is much and frames wait for room.
func TestAcknowledgeWhenWanted(t *testing.T) {
	var written bytes.Buffer
	t.Run("worker", func(t *testing.T) {
		c := newWorker(t, &written)
		c.init.AckMessages = 3
		hello := hello(t)
		handle := func(n int) {
			for range n {
				c.handle(new(mute), &item{frame: hello})
			}
		}
		handle(4)
		if !c.isBehind() {
			t.Error("4 of 3 messages are not much")
		}
		fill(t, c)
		handle(1) // 5
		handle(2) // 7
		handle(1) // 8
		if c.isBehind() {
			t.Error("it is behind although it has told of all")
		}
	})
	got := acks(t, written.Bytes())
	if want := []uint64{5, 8}; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("acks are %v, want %v", got, want)
	}
}

// A large message counts by its bytes.
func TestAcknowledgeBytes(t *testing.T) {
	for size, want := range map[int]bool{-1: false, 0: true, 1: true} {
		c := newWorker(t, new(bytes.Buffer))
		hello := hello(t)
		c.init.AckBytes = len(hello.Bytes) - size
		c.handle(new(mute), &item{frame: hello})
		if c.isBehind() != want {
			t.Errorf("after %d bytes more than the limit it is behind: %t", size, !want)
		}
	}
}

// fill has a frame wait for room in c's mailbox.
func fill(t *testing.T, c *Child) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := mailbox.NewWriter(nil, mailbox.WriterConfig{Capacity: mailbox.Capacity{Messages: 1}, Retain: true})
	if _, err := w.Attach(out, nil, func() uint64 { return 0 }, c.inbox); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); in.Close() })
	for range 2 {
		if err := w.Enqueue([]byte{0xc4, 0}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// Before it sleeps, a worker tells of what is much, wanted or not: else the node would keep that for as long.
func TestAcknowledgeBeforeSleep(t *testing.T) {
	var written bytes.Buffer
	t.Run("worker", func(t *testing.T) {
		c := newWorker(t, &written)
		c.init.AckMessages = 2
		hello := hello(t)
		for range 3 {
			c.handle(new(mute), &item{frame: hello})
			c.queue.signal() // so that it wakes at once
			c.hot = false    // and does not look before
			c.await()
		}
	})
	if got := acks(t, written.Bytes()); len(got) != 1 || got[0] != 2 {
		t.Errorf("acks are %v, want one of 2", got)
	}
}
