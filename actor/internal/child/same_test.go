//go:build unix

package child

import (
	"io"
	"math/rand/v2"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// differ is a Behaviour that checks what a Delivery says of the one before.
type differ struct {
	t          *testing.T
	from       codec.ID
	typ, trace string
	asked      bool
	handled    int
	same       int
}

func (*differ) Start([]byte) error { return nil }
func (*differ) Stop()              {}

func (b *differ) Handle(d *Delivery) ([]byte, any, error) {
	b.handled++
	if d.Same {
		b.same++
		if d.From != b.from || string(d.Type) != b.typ || string(d.Trace) != b.trace || d.Asked() != b.asked {
			b.t.Errorf("message %d from %v, %s, is not the Same as the one handled before, from %v, %s", b.handled, d.From, d.Type, b.from, b.typ)
		}
	}
	b.from, b.typ, b.trace, b.asked = d.From, string(d.Type), string(d.Trace), d.Asked()
	return nil, nil, nil
}

// TestSameIsOfWhatWasHandled handles messages in any order, of which some are not for this process: what comes after such a
// one is never the Same.
func TestSameIsOfWhatWasHandled(t *testing.T) {
	c := newWorker(t, io.Discard)
	const unwanted = 1 // the number of an Exit for another incarnation
	c.init.Incarnation = 2
	envs := []codec.Envelope{
		{Kind: wire.KindTell, Type: []byte("main.Hello")},
		{Kind: wire.KindTell, Type: []byte("main.Hello"), From: codec.ID{7}},
		{Kind: wire.KindTell, Type: []byte("main.Hullo")},
		{Kind: wire.KindTell, Type: []byte("main.Hello"), Trace: []byte("trace")},
		{Kind: wire.KindAsk, Type: []byte("main.Hello"), Corr: 9},
		{Kind: wire.KindTell, Type: []byte(wire.ExitType), Corr: 2},
		{Kind: wire.KindTell, Type: []byte(wire.ExitType), Corr: unwanted},
	}
	frames := make([][]byte, len(envs))
	for i, env := range envs {
		frames[i] = content(t, env, "body")
	}
	b := &differ{t: t}
	want := 0
	var items []item
	for range 500 {
		i := rand.IntN(len(envs))
		for range 1 + rand.IntN(3) {
			if err := c.dispatch(mailbox.Frame{Bytes: frames[i]}); err != nil {
				t.Fatal(err)
			}
			if envs[i].Corr != unwanted {
				want++
			}
		}
		c.queue.filled(func() mailbox.Chunk { return mailbox.Chunk{} })
		items = c.queue.take(items, false)
		for i := range items {
			c.handle(b, &items[i])
		}
		clear(items)
		c.letGo()
	}
	if b.handled != want || b.same == 0 {
		t.Errorf("%d messages were handled, %d as the Same; want %d, and some", b.handled, b.same, want)
	}
	for _, n := range c.page.Notes() {
		if len(n.Text) < len(codec.ID{}) {
			t.Errorf("note %d is %q", n.Seq, n.Text)
		}
	}
}
