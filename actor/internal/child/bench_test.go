//go:build unix

package child

import (
	"io"
	"math"
	"os"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// mute handles every message in no time.
type mute struct{ handled int }

func (*mute) Start([]byte) error { return nil }
func (*mute) Stop()              {}

func (m *mute) Handle(*Delivery) ([]byte, any, error) {
	m.handled++
	return nil, nil, nil
}

// newWorker returns an actor of which only the worker's part is there: what it writes is copied to out, and what
// it reads the caller dispatches.
func newWorker(tb testing.TB, out io.Writer) *Child {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	page, file, err := mailbox.NewPage()
	if err != nil {
		tb.Skipf("this platform has no page: %v", err)
	}
	file.Close()
	c := &Child{
		queue:    newQueue(),
		calls:    make(map[uint64]*call),
		windows:  make(map[codec.ID]*window),
		monitors: make(map[uint64]struct{}),
		page:     page,
		inbox:    page.Inbox(),
		out:      mailbox.NewWriter(w, mailbox.WriterConfig{}),
	}
	c.ready.Store(true)
	c.init.FrameLimit = math.MaxInt32
	c.init.AckMessages, c.init.AckBytes = 1024, 8<<20
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(out, r)
	}()
	tb.Cleanup(func() {
		c.out.Close()
		<-read
		r.Close()
		page.Close()
	})
	return c
}

// content is a frame's, as Serve gives it to dispatch.
func content(b testing.TB, env codec.Envelope, body any) []byte {
	b.Helper()
	frame, err := codec.AppendMessage(nil, &env, body, math.MaxInt32)
	if err != nil {
		b.Fatal(err)
	}
	inner, _, _, err := codec.Split(frame, math.MaxInt32)
	if err != nil {
		b.Fatal(err)
	}
	return inner
}

// benchmarkHandle has messages dispatched, batch by batch, and handled.
func benchmarkHandle(b *testing.B, batch int, env codec.Envelope) {
	c := newWorker(b, io.Discard)
	inner := content(b, env, "sixty-four bytes are about as long as this text, with an envelope")
	var m mute
	var items []item
	sent := 0
	b.ReportAllocs()
	b.SetBytes(int64(len(inner)))
	for b.Loop() {
		if err := c.dispatch(mailbox.Frame{Bytes: inner}); err != nil {
			b.Fatal(err)
		}
		if sent++; sent%batch != 0 {
			continue
		}
		c.queue.filled(func() mailbox.Chunk { return mailbox.Chunk{} })
		items = c.queue.take(items, false)
		for i := range items {
			c.handle(&m, &items[i])
		}
	}
	if want := sent - sent%batch; m.handled != want {
		b.Errorf("%d of %d were handled", m.handled, want)
	}
}

// BenchmarkHandleTell is all that an actor's process does with a Tell but the read and the
// decoding.
func BenchmarkHandleTell(b *testing.B) {
	env := codec.Envelope{Kind: wire.KindTell, To: codec.ID{1}, Type: []byte("main.Hello")}
	b.Run("batch=1", func(b *testing.B) { benchmarkHandle(b, 1, env) })
	b.Run("batch=64", func(b *testing.B) { benchmarkHandle(b, 64, env) })
}

// BenchmarkHandleAsk is the same for an Ask: with the reply, up to and with the write.
func BenchmarkHandleAsk(b *testing.B) {
	env := codec.Envelope{Kind: wire.KindAsk, To: codec.ID{1}, Corr: 1, Type: []byte("main.Hello")}
	benchmarkHandle(b, 1, env)
}

// BenchmarkTellOther is what an actor does to tell another one, whom it knows.
func BenchmarkTellOther(b *testing.B) {
	c := newWorker(b, io.Discard)
	to := codec.ID{2}
	env := codec.Envelope{Kind: wire.KindTell, To: to, Type: []byte("main.Hello")}
	t := &wire.MessageType{Name: "main.Hello", Text: env.Type}
	var message any = "sixty-four bytes are about as long as this text, with an envelope"
	size := len(content(b, env, message))
	c.windows[to] = &window{trusted: true}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Tell(b.Context(), to, t, message); err != nil {
			b.Fatal(err)
		}
		c.credit(to, wire.Credit{Messages: 1, Bytes: size})
	}
}
