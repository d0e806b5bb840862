package child

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/spawn"
)

// Exit statuses of an actor process whose end is not its own doing.
const (
	exitStartFailed = 1
	exitParentLost  = 3
	exitBrokenLink  = 4
)

// closedWait is how long an actor whose descriptors somebody has closed waits for the node to end it.
const closedWait = 3 * time.Second

// goexitLimit is how long after a runtime.Goexit in its code an actor dies.
const goexitLimit = 100 * time.Millisecond

// ErrIgnore is what a start function returns, or wraps, that chooses not to run.
var ErrIgnore = errors.New("actor: the start function chose not to run")

// A Behaviour is the actor's code.
type Behaviour interface {
	// Start runs the start function with the msgpack of its argument.
	Start(arg []byte) error
	// Handle handles one message. Its results answer an Ask. Of d, only the Origin
	// may be kept.
	Handle(d *Delivery) (replyType []byte, reply any, err error)
	// Stop runs once, before an orderly end.
	Stop()
}

// A Child is the runtime of the one actor of this process.
type Child struct {
	birth *spawn.Birth
	init  wire.Init
	in    *mailbox.Reader
	out   *mailbox.Writer
	page  *mailbox.Page
	inbox *mailbox.Ring
	queue *queue
	knows chan struct{} // closed when init is set
	asks  askList       // of others

	corr       atomic.Uint64 // the last number given to a call, monitor or timer
	logDropped atomic.Uint64
	ready      atomic.Bool   // the start function has returned
	sent       atomic.Uint64 // messages of its own

	// The worker's own.
	delivery     Delivery // the message in progress
	opener       codec.Opener
	unacked      int
	unackedBytes int
	finished     uint64
	due          func() bool // queue.ready, made a value once
	kept         bool        // something of a message since the last batch was taken
	told         int         // Tells in a row, without anything sent
	seenSent     uint64      // sent, when that began
	hot          bool        // the last wait for a message was short
	pace         pace

	mu      sync.Mutex // protects the following
	calls   map[uint64]*call
	windows map[codec.ID]*window
	recent  struct { // that of windows which was used last; nil if there is none
		to     codec.ID
		window *window
	}
	monitors map[uint64]struct{} // those whose Down is wanted
}

// Run turns this process into the actor that its node wants, and does not
// return. behave returns the code of an actor type.
func Run(b *spawn.Birth, behave func(actorType string, c *Child) (Behaviour, bool)) {
	// Only a panic or runtime.Goexit in the actor's code leads out of here. A panic
	// ends the process before this comes true. Goexit would leave it deaf.
	defer func() {
		time.AfterFunc(goexitLimit, func() { panic("the actor called runtime.Goexit") })
	}()
	c := &Child{
		birth:    b,
		queue:    newQueue(),
		knows:    make(chan struct{}),
		calls:    make(map[uint64]*call),
		windows:  make(map[codec.ID]*window),
		monitors: make(map[uint64]struct{}),
	}
	c.due = c.queue.ready
	if err := c.connect(); err != nil {
		c.lost(err)
	}
	actor, ok := behave(c.init.Type, c)
	if !ok {
		c.startFailed(fmt.Errorf("no actor type is defined as %q when Boot is called; define types in package variables", c.init.Type))
	}
	switch err := actor.Start(c.init.Arg); {
	case errors.Is(err, ErrIgnore):
		c.goodbye(wire.Reason{Cause: wire.Ignored, Detail: err.Error()})
	case err != nil:
		c.startFailed(err)
	}
	c.ready.Store(true)
	if err := c.send(&codec.Envelope{Kind: wire.KindReady}, nil); err != nil {
		c.lost(err)
	}
	c.work(actor)
}

// connect says Hello and waits for Init.
func (c *Child) connect() error {
	var err error
	if c.page, err = mailbox.OpenPage(c.birth.Files[0]); err != nil {
		return err
	}
	c.birth.Files[0].Close()
	if err := c.birth.Hello(); err != nil {
		return err
	}
	// The node bounds what it sends; this side need not know by how much.
	c.in = mailbox.NewReader(c.birth.Inbox, math.MaxInt32)
	c.out = mailbox.NewWriter(c.birth.Outbox, mailbox.WriterConfig{Ring: c.page.Outbox(), Trust: true})
	c.in.Trust()
	c.inbox = c.page.Inbox()
	c.in.UseRing(c.inbox, c.out)
	if c.birth.HasRoom() { // it is a standby, and has the time now
		warm()
	}
	go c.read() // now, for a standby: to make a goroutine takes up to 30 µs
	if err := c.awaitInit(); err != nil {
		return err
	}
	close(c.knows)
	c.corr.Store(c.init.Incarnation << incarnationShift)
	c.birth.Rename(c.init.Type) // it may have been a standby
	return nil
}

// initLook is how long a standby looks for the Init that it was roused for: it comes 50 µs later, if others leave the
// node a processor.
const initLook = 200 * time.Microsecond

// awaitInit waits for Init, the first frame. A standby may get a Ping before: Init is about to come. By
// then it is awake and looks for it: a Spawn takes 0.8 of the time.
func (c *Child) awaitInit() error {
	for {
		f, err := c.in.Next()
		if err != nil {
			return err
		}
		var env codec.Envelope
		if err := codec.DecodeEnvelope(f.Bytes, &env); err != nil {
			return err
		}
		switch env.Kind {
		case wire.KindInit:
			return codec.Decode(env.Payload, &c.init)
		case wire.KindPing:
			practise()
			c.in.Look(initLook)
		default:
			return fmt.Errorf("the first frame is of kind %d, not Init", env.Kind)
		}
	}
}

// incarnationShift leaves each process of an actor 2⁴⁰ numbers of its own. So an
// answer, a Down or a timer that an earlier one asked for, and that comes late, is
// not taken for one of this.
const incarnationShift = 40

// Init returns what the node said this actor is.
func (c *Child) Init() *wire.Init { return &c.init }

// read runs for the life of the process, from Init on. While messages follow one another closely it is
// the worker that reads (see await).
func (c *Child) read() {
	growStack()
	<-c.knows
	c.in.Between(func() error { c.queue.filled(c.in.Keep); return nil })
	c.lost(c.in.Serve(c.dispatch))
}

// growStack has the runtime make this goroutine's stack 8 KiB large, which reading needs. Here nobody waits for that,
// and there is nothing on it to copy: with the first message it takes ten page faults.
//
//go:noinline
func growStack() byte {
	var frame [4 << 10]byte
	return frame[runtime.NumCPU()]
}

// dispatch deals with one frame from the node. Messages, of which there are most, go
// into the queue as they are.
func (c *Child) dispatch(f mailbox.Frame) error {
	kind, err := codec.PeekKind(f.Bytes)
	if err != nil {
		return err
	}
	switch kind {
	case wire.KindTell:
		c.queue.push(f, nil)
		return nil
	case wire.KindAsk:
		a, err := c.expectAsk(f.Bytes)
		if err == nil {
			c.queue.push(f, a)
		}
		return err
	}
	var env codec.Envelope
	if err := codec.DecodeEnvelope(f.Bytes, &env); err != nil {
		return err
	}
	switch kind {
	case wire.KindReply:
		c.answered(env.Corr, func(call *call) { call.answer(env.Type, env.Payload) })
	case wire.KindFail:
		failure := new(wire.Failure)
		if err := codec.Decode(env.Payload, failure); err != nil {
			return err
		}
		c.answered(env.Corr, func(call *call) { call.fail(failure) })
	case wire.KindCancel:
		c.cancel(env.Corr)
	case wire.KindCredit:
		var credit wire.Credit
		if err := codec.Decode(env.Payload, &credit); err != nil {
			return err
		}
		c.credit(env.To, credit)
	case wire.KindStop:
		c.queue.stop(wire.Reason{Cause: wire.Shutdown})
	case wire.KindRecycle:
		c.recycle("") // the node knows why
	case wire.KindPing:
		c.page.Beat(env.Corr)
	}
	return nil // an unknown kind is skipped
}

// send writes one frame of this process that waits for nothing but the pipe.
func (c *Child) send(env *codec.Envelope, body any) error {
	f := mailbox.NewBuffer()
	defer f.Free()
	var err error
	if body == nil {
		f.Bytes, err = codec.AppendFrame(f.Bytes, env, c.init.FrameLimit)
	} else {
		f.Bytes, err = codec.AppendMessage(f.Bytes, env, body, c.init.FrameLimit)
	}
	if err != nil {
		return err
	}
	return c.out.Put(forever, f.Bytes)
}

// startFailed tells the node why, and ends.
func (c *Child) startFailed(err error) {
	c.respond(&codec.Envelope{Kind: wire.KindFail}, failureOf(err))
	c.out.Flush(forever)
	os.Exit(exitStartFailed)
}

// lost ends the process because it has no node any more. Nothing of the actor
// runs: whoever it could tell is gone.
func (c *Child) lost(err error) {
	if errors.Is(err, syscall.EBADF) {
		// Not the node has gone: other code in this process has closed what is not its own. The node has seen
		// that, and is to say why this process ends.
		fmt.Fprintf(os.Stderr, "progeny: something in this process has closed its link to the node: %v\n", err)
		time.Sleep(closedWait)
		os.Exit(exitBrokenLink)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isPipeError(err) {
		os.Exit(exitParentLost)
	}
	fmt.Fprintf(os.Stderr, "progeny: the link to the node broke: %v\n", err)
	os.Exit(exitBrokenLink)
}

func isPipeError(err error) bool {
	_, ok := errors.AsType[*mailbox.PipeError](err)
	return ok
}

// goodbye ends the process in order: it is the last frame.
func (c *Child) goodbye(r wire.Reason) {
	env := codec.Envelope{Kind: wire.KindGoodbye}
	err := c.send(&env, wire.Goodbye{Reason: r})
	if _, tooLarge := errors.AsType[*codec.LimitError](err); tooLarge {
		err = c.send(&env, wire.Goodbye{Reason: wire.Reason{Cause: r.Cause, Detail: err.Error()}})
	}
	if err != nil {
		c.lost(err)
	}
	if err := c.out.Flush(forever); err != nil {
		c.lost(err)
	}
	os.Exit(0)
}
