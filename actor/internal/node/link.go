package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// A link reads what one process writes and routes it, on the goroutine of run or
// of an asker that polls, one at a time. It trusts nothing: what breaks the
// protocol ends the process with the reason Protocol.
type link struct {
	cell       *Cell
	proc       *process
	in         *mailbox.Reader
	attachment uint64 // to its process's inbox

	env      codec.Envelope // of the frame that is handled: a new one for each would be garbage
	opener   codec.Opener
	recent   *channel      // that of channels which was used last
	answered atomic.Uint64 // the highest number of a message whose answer was read
	settled  uint64        // that which the mailbox was told; of run
	done     chan struct{} // closed when run has returned
	err      error         // why it returned; to be read after done

	services atomic.Int32 // goroutines that do something for the process
	signals  sync.Mutex   // held while a link's signal is sent, or made impossible

	mu       sync.Mutex // protects the following
	asks     map[uint64]route
	channels map[codec.ID]*channel
	watching map[uint64]*audience // the monitors it holds
	ties     map[codec.ID]*link   // the links to other processes; nil once it is closed
}

// route says where an Ask of this process went, so that it can be cancelled.
type route struct {
	cell  *Cell
	corr  uint64
	inbox *Inbox

	end      context.CancelFunc // of a service of the node's that takes time; else nil
	answered bool               // that service answers although it is cancelled
}

// breach is what a process did that no actor does.
type breach string

func (b breach) Error() string { return string(b) }

func newLink(c *Cell, p *process, in *mailbox.Reader) *link {
	return &link{
		cell:     c,
		proc:     p,
		in:       in,
		done:     make(chan struct{}),
		asks:     make(map[uint64]route),
		channels: make(map[codec.ID]*channel),
		watching: make(map[uint64]*audience),
		ties:     make(map[codec.ID]*link),
	}
}

// run reads until the pipe ends, is drained, or breaks.
func (l *link) run() {
	defer close(l.done)
	l.in.Between(l.between)
	l.err = l.in.Serve(func(f mailbox.Frame) error {
		err := l.handle(f.Bytes) // keeps nothing of it
		f.Recycle()
		return err
	})
	l.proc.linkEnded(l.err)
}

// handle deals with one frame. Whoever wants something of it later takes a copy.
func (l *link) handle(content []byte) error {
	opened, err := l.opener.Open(content)
	if err != nil {
		return breach(err.Error())
	}
	env := &l.env
	*env = *opened // it is changed
	l.opener.Release()
	if l.proc.goodbye.Load() != nil {
		return nil // another goroutine of the actor was not aware of its end
	}
	switch env.Kind {
	case wire.KindTell, wire.KindAsk:
		return l.send(env, len(content))
	case wire.KindReply, wire.KindFail:
		return l.answer(env)
	case wire.KindCancel:
		l.cancel(env.Corr)
	case wire.KindReady:
		return l.proc.isReady()
	case wire.KindAck:
		var finished uint64
		if err := codec.Decode(env.Payload, &finished); err != nil {
			return breach(err.Error())
		}
		return l.acknowledge(finished)
	case wire.KindLog:
		if len(env.Payload) > wire.MaxRecord { // decoded it would be many times as large
			l.cell.node.logs.dropped.Add(1)
			return nil
		}
		var r wire.Record
		if err := codec.Decode(env.Payload, &r); err != nil {
			return breach(err.Error())
		}
		l.proc.logRecord(&r, len(env.Payload))
	case wire.KindGoodbye:
		var g wire.Goodbye
		if err := decode(env.Payload, &g, maxValues); err != nil {
			return breach(err.Error())
		}
		return l.proc.saysGoodbye(&g)
	}
	return nil // an unknown kind is skipped
}

// send routes a Tell or an Ask.
func (l *link) send(env *codec.Envelope, size int) error {
	env.From = l.cell.id // whatever it says
	if env.Corr != 0 && !l.mayAsk(env.Corr) {
		return breach(fmt.Sprintf("correlation %d twice, or more than %d unanswered Asks", env.Corr, wire.MaxAsks))
	}
	if env.Kind == wire.KindAsk && env.Corr == 0 {
		return breach("an Ask without a correlation")
	}
	if env.To == (codec.ID{}) {
		if env.Kind != wire.KindAsk {
			return breach("a Tell to the node")
		}
		return l.serve(env)
	}
	ch := l.channel(env.To)
	if ch == nil {
		l.noRoute(env, size)
		return nil
	}
	if !ch.charge(size) {
		return breach(fmt.Sprintf("more than %d messages or %d bytes on the way to one actor", wire.WindowMessages, wire.WindowBytes))
	}
	ch.target.receive(ch, env, size)
	return nil
}

// noRoute answers for an address that nothing has any more.
func (l *link) noRoute(env *codec.Envelope, size int) {
	l.addresses(env.To)
	l.refuse(env, gone(env.To))
	l.urge(&codec.Envelope{Kind: wire.KindCredit, To: env.To}, wire.Credit{Messages: 1, Bytes: size, Gone: true})
}

// channel returns the one to what has that address, or nil if nothing has, or has any more. It ends with what it leads
// to, so while there is one, nothing else need be asked.
func (l *link) channel(to codec.ID) *channel {
	if ch := l.recent; ch != nil && ch.to == to && !ch.dropped.Load() {
		return ch // without a lock and a map, which took a tenth of what is done here for a small Tell
	}
	l.mu.Lock()
	ch := l.channels[to]
	l.mu.Unlock()
	if l.recent = ch; ch != nil {
		return ch // only run makes channels, so there is no race to make one
	}
	t, ok := routes.Load(to)
	if !ok {
		return nil
	}
	ch = newChannel(l, to, t)
	l.mu.Lock()
	l.channels[to] = ch
	l.mu.Unlock()
	if !t.join(ch) {
		l.drop(ch)
		return nil
	}
	return ch
}

// drop forgets a channel; it reports whether it was there.
func (l *link) drop(ch *channel) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.channels[ch.to] != ch {
		return false
	}
	delete(l.channels, ch.to)
	ch.dropped.Store(true)
	return true
}

// mayAsk reports whether corr is new and there is room for one more.
func (l *link) mayAsk(corr uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, twice := l.asks[corr]
	return !twice && len(l.asks) < wire.MaxAsks
}

// isAsking reports whether an Ask is unanswered, and not given up.
func (l *link) isAsking(corr uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.asks[corr]
	return ok
}

// expect notes where an Ask goes.
func (l *link) expect(corr uint64, r route) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks[corr] = r
}

// settle removes an Ask that is answered or given up.
func (l *link) settle(corr uint64) (route, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.asks[corr]
	delete(l.asks, corr)
	if r.end != nil {
		r.end()
	}
	return r, ok
}

// cancel passes on that this process has given up an Ask.
func (l *link) cancel(corr uint64) {
	l.mu.Lock()
	r := l.asks[corr]
	l.mu.Unlock()
	if r.answered {
		r.end()
	} else if r, ok := l.settle(corr); ok {
		r.cancel()
	}
}

func (r route) cancel() {
	switch {
	case r.end != nil:
		r.end()
	case r.cell != nil && r.cell.forget(r.corr):
		r.cell.cancel(r.corr)
	case r.inbox != nil:
		r.inbox.forget(r.corr)
	}
}

// answer passes a reply of this process on to whoever asked.
func (l *link) answer(env *codec.Envelope) error {
	if env.Kind == wire.KindFail {
		f := new(wire.Failure)
		if len(env.Payload) > maxFailure { // decoded it would be many times as large
			f.Text = fmt.Sprintf("an error of %d bytes, the limit is %d", len(env.Payload), maxFailure)
		} else if err := decode(env.Payload, f, maxValues); err != nil {
			return breach(err.Error())
		}
		// An actor may only report its own errors.
		f.Code, f.Down, f.Fate = wire.Remote, nil, wire.FateUnknown
		if env.Corr == 0 {
			l.proc.failed(f, env.Type)
			return nil
		}
		l.answers(env)
		if p, ok := l.asked(env.Corr); ok {
			p.fail(f)
		}
		return nil
	}
	l.answers(env)
	p, ok := l.asked(env.Corr)
	if !ok {
		return nil
	}
	if p.call != nil {
		p.call.answer(env.Type, env.Payload)
		return nil
	}
	p.link.forward(p.corr, env)
	return nil
}

// answers takes the number of the message that a reply is to for an acknowledgement: its
// handler has returned. So who has the answer has room for the next message as well, and who
// has just answered counts as idle (process.finished).
func (l *link) answers(env *codec.Envelope) {
	if n := env.Deadline; n > 0 && uint64(n) > l.answered.Load() {
		l.answered.Store(uint64(n))
	}
}

// between is called when all is handled that was read at once, before the link reads again. It acknowledges the answers
// among that, together, and keeps nothing of the memory.
func (l *link) between() error {
	l.env = codec.Envelope{}
	finished := l.answered.Load()
	if finished <= l.settled {
		return nil
	}
	l.settled = finished
	return l.acknowledge(finished)
}

func (l *link) acknowledge(finished uint64) error {
	if err := l.cell.mailbox.Release(finished); errors.Is(err, mailbox.ErrProgress) {
		return breach(err.Error())
	}
	return nil
}

// asked returns who waits for the answer; an answer that nobody waits for any
// more (or never did) is dropped and counted.
func (l *link) asked(corr uint64) (pending, bool) {
	p, ok := l.cell.take(corr)
	if !ok {
		l.cell.node.lateReplies.Add(1)
	}
	return p, ok
}

// fail gives the asker an error.
func (p pending) fail(f *wire.Failure) {
	if p.call != nil {
		p.call.fail(f)
		return
	}
	p.link.fail(p.corr, f)
}

// forward answers an Ask of this process with another's reply, undecoded.
func (l *link) forward(corr uint64, reply *codec.Envelope) {
	if _, ok := l.settle(corr); !ok {
		l.cell.node.lateReplies.Add(1)
		return
	}
	env := codec.Envelope{Kind: wire.KindReply, Corr: corr, Type: reply.Type, Trace: reply.Trace, Payload: reply.Payload}
	err := l.control(&env, nil)
	if errors.Is(err, mailbox.ErrFull) {
		l.urge(&codec.Envelope{Kind: wire.KindFail, Corr: corr},
			&wire.Failure{Code: wire.Full, Text: "the reply did not fit: the asker does not read"})
	} else if limit, ok := errors.AsType[*codec.LimitError](err); ok { // an Inbox's: its type counts, too
		l.urge(&codec.Envelope{Kind: wire.KindFail, Corr: corr}, &wire.Failure{Code: wire.TooLarge, Text: limit.Error()})
	}
}

// reply answers an Ask of this process.
func (l *link) reply(corr uint64, body any) {
	if _, ok := l.settle(corr); ok && l.control(&codec.Envelope{Kind: wire.KindReply, Corr: corr}, body) != nil {
		l.sendFailure(corr, &wire.Failure{Code: wire.Full})
	}
}

// fail answers an Ask of this process with an error.
func (l *link) fail(corr uint64, f *wire.Failure) {
	if _, ok := l.settle(corr); ok {
		l.sendFailure(corr, f)
	}
}

// sendFailure answers an Ask that is settled. Somebody waits: if the whole of it does not
// fit, the bare fact must.
func (l *link) sendFailure(corr uint64, f *wire.Failure) {
	env := codec.Envelope{Kind: wire.KindFail, Corr: corr}
	told := *f
	if f.Down != nil {
		told.Down = brief(f.Down, epitaphText) // thousands may wait for the same actor
	}
	if l.control(&env, &told) != nil {
		l.urge(&env, &wire.Failure{Code: f.Code, Fate: f.Fate, ID: f.ID})
	}
}

// refuse sends a message back: an Ask fails, a plain Tell is a dead letter.
func (l *link) refuse(env *codec.Envelope, f *wire.Failure) {
	if env.Corr == 0 {
		l.cell.node.deadLetter(env, f, letter{})
		return
	}
	l.settle(env.Corr)
	l.sendFailure(env.Corr, f)
}

// control sends a frame that is not a message: it takes no room in the mailbox, and goes to
// this process or to nobody. Whether it arrives is for the caller to know by other means: a
// process that does not read, or is gone, is dealt with by its link and by the reaper.
func (l *link) control(env *codec.Envelope, body any) error {
	return l.push(env, body, (*mailbox.Writer).PushTo)
}

// urge is control for what must not be lost, and is small. A process that leaves even
// that unread in such numbers is ended.
func (l *link) urge(env *codec.Envelope, body any) {
	if err := l.push(env, body, (*mailbox.Writer).UrgeTo); errors.Is(err, mailbox.ErrFull) {
		l.proc.kill(wire.Reason{Cause: wire.Protocol, Detail: "it does not read what it is answered"})
	}
}

func (l *link) push(env *codec.Envelope, body any, push func(*mailbox.Writer, uint64, []byte) error) error {
	f := mailbox.NewBuffer()
	defer f.Free()
	var err error
	if body == nil {
		f.Bytes, err = codec.AppendFrame(f.Bytes, env, l.cell.node.cfg.FrameLimit+wire.ForwardSlack)
	} else { // of the node's own making, and bounded by what a Down holds
		f.Bytes, err = codec.AppendMessage(f.Bytes, env, body, math.MaxInt32)
	}
	if err != nil {
		return err
	}
	return push(l.cell.mailbox, l.attachment, f.Bytes)
}

// close cancels what the process had asked, and ends its monitors and its part of links.
func (l *link) close() {
	l.mu.Lock()
	asks, watching, channels, ties := l.asks, l.watching, l.channels, l.ties
	l.asks, l.watching, l.channels, l.ties = nil, nil, nil, nil
	l.mu.Unlock()
	for _, r := range asks {
		r.cancel()
	}
	for id, a := range watching {
		a.remove(monitor{watcher: l, id: id})
	}
	for _, peer := range ties {
		peer.cell.remove(monitor{watcher: l})
	}
	for _, ch := range channels {
		if t, ok := routes.Load(ch.to); ok {
			t.leave(ch)
		}
	}
}
