package child

import (
	"context"
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// forever is for what has no limit of its own: the node always reads, and when
// it is gone the write fails.
var forever = context.Background()

// errors of a sender's own making: the node would take it for a breach.
var (
	errTooManyAsks     = fmt.Errorf("more than %d unanswered Asks", wire.MaxAsks)
	errTooManyMonitors = fmt.Errorf("more than %d monitors", wire.MaxMonitors)
)

// failureOf makes an error fit to cross processes. Package actor sets it: it
// knows the registered codes.
var failureOf = func(err error) *wire.Failure { return &wire.Failure{Code: wire.Remote, Text: err.Error()} }

// SetFailure sets how errors are made fit to cross processes. It must be called
// before Run.
func SetFailure(f func(error) *wire.Failure) { failureOf = f }

// A call is one Ask of this process in flight.
type call struct {
	done    chan struct{}
	typ     []byte
	payload []byte
	failure *wire.Failure
}

func (c *call) answer(typ, payload []byte) {
	c.typ = append(c.typ, typ...)
	c.payload = append(c.payload, payload...)
	close(c.done)
}

func (c *call) fail(f *wire.Failure) {
	c.failure = f
	close(c.done)
}

// answered hands a reply to who waits for it; a late one is dropped.
func (c *Child) answered(corr uint64, settle func(*call)) {
	c.mu.Lock()
	waiting := c.calls[corr]
	delete(c.calls, corr)
	c.mu.Unlock()
	if waiting != nil {
		settle(waiting)
	}
}

// expect registers a call.
func (c *Child) expect() (uint64, *call, error) {
	waiting := &call{done: make(chan struct{})}
	corr := c.corr.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.calls) >= wire.MaxAsks {
		return 0, nil, errTooManyAsks
	}
	c.calls[corr] = waiting
	return corr, waiting, nil
}

// forget gives a call up. It reports false when the answer came first.
func (c *Child) forget(corr uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.calls[corr]
	delete(c.calls, corr)
	return ok
}

// Tell sends a message. The first one to a destination, and each to one that
// refuses when full, waits until the destination's mailbox has taken it; the
// others wait only while the window is full.
func (c *Child) Tell(ctx context.Context, to codec.ID, t *wire.MessageType, message any) error {
	env := codec.Envelope{Kind: wire.KindTell, To: to, Type: t.Text, Key: t.KeyOf(message)}
	err := c.post(ctx, &env, message, true)
	if err == errStranger {
		return c.introduce(ctx, env, message)
	}
	return err
}

// introduce sends a Tell that is acknowledged. (In Tell itself the closure would put the
// envelope of each on the heap.)
func (c *Child) introduce(ctx context.Context, env codec.Envelope, message any) error {
	return c.exchange(ctx, env, message, wire.AnswerFunc(func(_, payload []byte) error {
		var a wire.Accepted
		if err := codec.Decode(payload, &a); err != nil {
			return err
		}
		if !a.Reject {
			c.trust(env.To)
		}
		return nil
	}))
}

// Ask sends a message and hands the reply to reply.
func (c *Child) Ask(ctx context.Context, to codec.ID, t *wire.MessageType, message any, reply wire.Answer) error {
	env := codec.Envelope{Kind: wire.KindAsk, To: to, Type: t.Text, Deadline: wire.Deadline(ctx), Key: t.KeyOf(message)}
	return c.exchange(ctx, env, message, reply)
}

// exchange sends a frame with a correlation and waits for the answer.
func (c *Child) exchange(ctx context.Context, env codec.Envelope, message any, reply wire.Answer) error {
	corr, waiting, err := c.begin(ctx, env, message)
	if err != nil {
		return err
	}
	select {
	case <-waiting.done:
	case <-ctx.Done():
		if c.forget(corr) {
			c.send(&codec.Envelope{Kind: wire.KindCancel, Corr: corr}, nil)
			return &wire.GivenUp{Fate: wire.FateUnknown, Err: context.Cause(ctx)}
		}
		<-waiting.done
	}
	if waiting.failure != nil {
		return waiting.failure
	}
	return reply.Take(waiting.typ, waiting.payload)
}

// begin sends a frame with a correlation and returns who waits for the answer.
func (c *Child) begin(ctx context.Context, env codec.Envelope, message any) (uint64, *call, error) {
	corr, waiting, err := c.expect()
	if err != nil {
		return 0, nil, err
	}
	env.Corr = corr
	if err := c.post(ctx, &env, message, false); err != nil {
		c.forget(corr)
		return 0, nil, err
	}
	return corr, waiting, nil
}

// post encodes a message, waits for room in the window, and writes it. If known, it is errStranger that
// the destination is not trusted (any more).
func (c *Child) post(ctx context.Context, env *codec.Envelope, message any, known bool) error {
	c.sent.Add(1)
	f := mailbox.NewBuffer()
	defer func() { f.Free() }()
	var err error
	if f.Bytes, err = codec.AppendMessage(f.Bytes, env, message, c.init.FrameLimit); err != nil {
		return err
	}
	if env.To != (codec.ID{}) { // the node itself has no window
		if err := c.acquire(ctx, env.To, contentSize(f.Bytes), known); err != nil {
			return err
		}
	}
	if err := c.out.Put(ctx, f.Bytes); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
			c.credit(env.To, wire.Credit{Messages: 1, Bytes: contentSize(f.Bytes)})
			return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
		}
		return err
	}
	return nil
}

// contentSize is what a frame is charged with: the header is not counted.
func contentSize(frame []byte) int {
	content, _, _, _ := codec.Split(frame, len(frame))
	return len(content)
}
