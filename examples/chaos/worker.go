package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// A Worker is every actor of the tree. It writes down what it gets, sends
// messages on, and does to itself what it is told.
type Worker struct {
	arg     Arg
	life    uint64
	journal *os.File
	sent    map[lane]map[uint32]uint64 // numbers, by receiver
	peers   map[uint32]actor.Ref
	watched map[actor.MonitorID]uint32
	answers map[actor.MonitorID]bool // monitors that have had their Down
	waste   [][]byte                 // of leaks
}

// Arg is its argument.
type Arg struct {
	Me      uint32
	Journal string
	Targets uint32 // how many there are
	Durable bool   // it may start durable timers
	Grouped bool   // it has a control group, that takes what it has started along
	Link    []uint32
	Watch   []uint32
	Brood   []uint32 // those that it spawns
}

// Work is the one message that is accounted for: number Seq of those that From's
// process Life has sent to To.
type Work struct {
	From uint32
	Life uint64
	To   uint32
	Lane lane
	Seq  uint64
	Hops uint8  // how many times it is to be sent on
	Dice uint64 // begins the random choices of who handles it
	Deed deed
	Pad  []byte
}

// RoutingKey keeps what one process sends to a pool in order.
func (w Work) RoutingKey() string { return name(w.From) }

func (w Work) message() message { return message{route{w.From, w.Life, w.To, w.Lane}, w.Seq} }

// Ping is answered. It is not accounted for.
type Ping struct{}

var workType = reflect.TypeFor[Work]().PkgPath() + ".Work"

const (
	tellTimeout  = time.Second // of an actor's Tell
	askTimeout   = time.Second // of an actor's Ask
	stopTimeout  = time.Second // then SIGTERM, and a second later SIGKILL
	startTimeout = 5 * time.Second

	handlerTimeout = 5 * time.Second // more than an orderly handler can need
	heartbeat      = 3 * time.Second
	memoryLimit    = 96 << 20

	// An end for good makes a mailbox, and what waits for room in it, dead letters all at once. Of
	// more than 1024 a subscription might drop some.
	mailboxSize = 200
	floodSize   = 600
)

// onPurpose begins what actors say when they panic.
const onPurpose = "on purpose"

var errStillborn = errors.New("stillborn " + onPurpose)

var worker, watcher, parent actor.Type[Arg]

func init() { // workers spawn workers
	handlers := []actor.Handler[Worker]{actor.On((*Worker).Work), actor.On((*Worker).Ping)}
	worker = actor.Define("worker", begin, handlers...)
	parent = actor.Define("parent", begin, handlers...)
	watcher = actor.Define("watcher", begin, append(handlers, actor.OnTell((*Worker).Down), actor.OnTell((*Worker).Exit))...)
}

func begin(c *actor.Context, arg Arg) (*Worker, error) {
	f, err := os.OpenFile(arg.Journal, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	w := &Worker{
		arg: arg, life: newLife(), journal: f, sent: map[lane]map[uint32]uint64{direct: {}, timed: {}},
		peers: map[uint32]actor.Ref{}, watched: map[actor.MonitorID]uint32{}, answers: map[actor.MonitorID]bool{},
	}
	w.note(record{Kind: booted})
	if c.Incarnation() > 1 && rand.IntN(50) == 0 {
		return nil, errStillborn
	}
	for _, child := range arg.Brood {
		its := Arg{Me: child, Journal: arg.Journal, Targets: arg.Targets}
		spec := specOf(worker, its)
		spec.Intensity, spec.Period = plenty, time.Second
		if _, err := c.Spawn(c, spec); err != nil {
			return nil, err
		}
	}
	for _, n := range arg.Link {
		w.link(c, n)
	}
	for _, n := range arg.Watch {
		w.watch(c, n)
	}
	return w, nil
}

func (w *Worker) note(r record) {
	r.Who, r.Life, r.Pid = w.arg.Me, w.life, uint32(os.Getpid())
	r.append(w.journal)
}

// Work handles the one kind of message.
func (w *Worker) Work(c *actor.Context, m Work) (uint64, error) {
	w.note(record{Kind: received, Lane: m.Lane, Peer: m.From, From: m.Life, Seq: m.Seq})
	dice := rand.New(rand.NewPCG(m.Dice, m.Seq))
	if m.Hops > 0 {
		w.forward(c, dice, m.Hops-1)
	}
	return m.Seq, w.do(c, m.Deed, dice)
}

// Ping answers.
func (w *Worker) Ping(*actor.Context, Ping) (int, error) { return os.Getpid(), nil }

// forward sends one message on, mostly told, sometimes asked or by a timer.
func (w *Worker) forward(c *actor.Context, dice *rand.Rand, hops uint8) {
	to, ok := w.peer(c, dice)
	if !ok {
		return
	}
	switch n := dice.IntN(10); {
	case n < 2:
		w.ask(c, to, w.next(to, direct, hops, dice))
	case n == 2 && w.arg.Durable:
		w.later(c, w.next(w.arg.Me, timed, hops, dice), time.Duration(dice.IntN(200))*time.Millisecond)
	default:
		w.tell(c, to, w.next(to, direct, hops, dice))
	}
}

// peer chooses one with a higher number: so no actors ever wait for each
// other in a circle.
func (w *Worker) peer(c *actor.Context, dice *rand.Rand) (uint32, bool) {
	above := w.arg.Targets - w.arg.Me - 1
	if above == 0 {
		return 0, false
	}
	to := w.arg.Me + 1 + dice.Uint32N(above)
	return to, w.lookup(c, to)
}

// lookup finds a target, if it is there.
func (w *Worker) lookup(c *actor.Context, n uint32) bool {
	if _, known := w.peers[n]; known {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	ref, err := c.Lookup(ctx, name(n))
	if err == nil {
		w.peers[n] = ref
	}
	return err == nil
}

// next is the next message to a target.
func (w *Worker) next(to uint32, on lane, hops uint8, dice *rand.Rand) Work {
	w.sent[on][to]++
	return Work{
		From: w.arg.Me, Life: w.life, To: to, Lane: on, Seq: w.sent[on][to], Hops: hops, Dice: dice.Uint64(),
		Pad: pad(dice),
	}
}

// pad is mostly nothing and sometimes large.
func pad(dice *rand.Rand) []byte {
	switch n := dice.IntN(100); {
	case n == 0:
		return make([]byte, 100_000)
	case n < 10:
		return make([]byte, dice.IntN(5000))
	}
	return nil
}

func (w *Worker) tell(c *actor.Context, to uint32, m Work) {
	w.note(record{Kind: sending, Peer: to, Seq: m.Seq})
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	w.sentTo(m, w.peers[to].Tell(ctx, m))
}

func (w *Worker) ask(c *actor.Context, to uint32, m Work) {
	w.note(record{Kind: asking, Peer: to, Seq: m.Seq})
	ctx, cancel := context.WithTimeout(c, askTimeout)
	defer cancel()
	answer, err := actor.Ask[uint64](ctx, w.peers[to], m)
	if fateOf(err) == fAnswered {
		w.note(record{Kind: replied, Peer: to, Seq: m.Seq})
		if err == nil && answer != m.Seq {
			w.note(record{Kind: amiss, Seq: wrongAnswer})
		}
		return
	}
	w.sentTo(m, err)
}

// later has a timer send the actor a message, whatever becomes of this process.
func (w *Worker) later(c *actor.Context, m Work, after time.Duration) {
	w.note(record{Kind: sending, Lane: timed, Peer: m.To, Seq: m.Seq})
	_, err := c.StartTimer(context.Background(), actor.Timer{After: after, Message: m, Durable: true})
	w.sentTo(m, err)
}

// sentTo notes an error.
func (w *Worker) sentTo(m Work, err error) {
	if err == nil {
		return
	}
	fate := actor.Unknown
	if e, ok := errors.AsType[*actor.DeliveryError](err); ok {
		fate = e.Fate
	}
	w.note(record{Kind: refused, Lane: m.Lane, Peer: m.To, Seq: m.Seq, Fate: byte(fate)})
	delete(w.peers, m.To) // it may have another Ref next time
}

// What actors see that must not be.
const (
	wrongAnswer = iota
	strangeDown
	doubleDown
)

var sights = []string{"an Ask was answered with another's answer", "a Down of no monitor of this process", "a second Down of one monitor"}

// watch monitors a target.
func (w *Worker) watch(c *actor.Context, n uint32) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if !w.lookup(c, n) {
		return
	}
	if id, err := c.Monitor(ctx, w.peers[n]); err == nil {
		w.watched[id] = n
	}
}

// link links, if the other one is up within a second.
func (w *Worker) link(c *actor.Context, n uint32) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if w.lookup(c, n) {
		c.Link(ctx, w.peers[n])
	}
}

// Down comes once of each monitor.
func (w *Worker) Down(c *actor.Context, d actor.Down) error {
	n, ok := w.watched[d.Monitor]
	switch {
	case w.answers[d.Monitor]:
		w.note(record{Kind: amiss, Seq: doubleDown})
	case !ok:
		w.note(record{Kind: amiss, Seq: strangeDown})
	default:
		delete(w.watched, d.Monitor)
		w.answers[d.Monitor] = true
		delete(w.peers, n)
		w.watch(c, n)
	}
	return nil
}

// Exit comes of a link.
func (w *Worker) Exit(c *actor.Context, e actor.Exit) error {
	for _, n := range w.arg.Link {
		if w.peers[n] == e.From {
			w.link(c, n)
		}
	}
	return nil
}
