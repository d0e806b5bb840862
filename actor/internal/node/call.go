package node

import (
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/mailbox"
)

// A call is one Ask of the host program in flight. Whoever removes it from the
// Cell's pending ones, and nobody else, answers it and sends on done.
type call struct {
	done     chan struct{} // one send for one use
	answered func() bool   // whether done has been sent on, made once
	sent     atomic.Bool   // it is in the mailbox, or was
	typ      []byte
	payload  []byte
	failure  *wire.Failure
}

var callPool = sync.Pool{New: func() any {
	done := make(chan struct{}, 1)
	return &call{done: done, answered: func() bool { return len(done) > 0 }}
}}

func newCall() *call { return callPool.Get().(*call) }

// free makes the call available again. Its done channel must be empty.
func (c *call) free() {
	c.failure = nil
	c.sent.Store(false)
	if cap(c.payload) <= mailbox.AdoptSize { // a large one would stay for ever
		callPool.Put(c)
	}
}

// finish passes on the answer that done has announced, and frees the call.
func (c *call) finish(reply wire.Answer) error {
	defer c.free()
	if c.failure != nil {
		return c.failure
	}
	return reply.Take(c.typ, c.payload)
}

// answer takes a copy of the reply.
func (c *call) answer(typ, payload []byte) {
	c.typ = append(c.typ[:0], typ...)
	c.payload = append(c.payload[:0], payload...)
	c.done <- struct{}{}
}

func (c *call) fail(f *wire.Failure) {
	c.failure = f
	c.done <- struct{}{}
}
