package node

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// The bounds of the queue in front of the program's logger. What does not fit
// is dropped and counted: neither an actor nor the node waits for a logger.
const (
	logRecords = 4096
	logBytes   = 8 << 20
	// dropsEvery is how often at most what was dropped is reported.
	dropsEvery = time.Second
	// logPatience is how long closing waits for a logger that hangs.
	logPatience = time.Second
)

// logs hands records to the program's logger, on a goroutine of its own.
type logs struct {
	handler slog.Handler
	level   int // the least level that the handler wants

	bytes    atomic.Int64
	dropped  atomic.Uint64
	reported uint64    // how much of dropped is logged; the writer's own
	said     time.Time // when that was
	done     chan struct{}

	mu     sync.Mutex // protects the following
	closed bool
	queue  chan *entry
}

// An entry is a record and what it counts for, in bytes.
type entry struct {
	slog.Record
	size int64
}

// attrOverhead is what an attribute counts for, beside what came of it.
const attrOverhead = 128

func newLogs(l *slog.Logger) *logs {
	g := &logs{
		handler: l.Handler(),
		queue:   make(chan *entry, logRecords),
		done:    make(chan struct{}),
	}
	g.level = leastLevel(g.handler)
	go g.write()
	return g
}

// leastLevel finds what a handler lets through. Levels are in steps of four.
func leastLevel(h slog.Handler) int {
	for level := slog.LevelDebug - 4; level <= slog.LevelError; level += 4 {
		if h.Enabled(context.Background(), level) {
			return int(level)
		}
	}
	return int(slog.LevelError) + 1
}

// write ends when the queue is closed and empty.
func (g *logs) write() {
	defer close(g.done)
	for r := range g.queue {
		g.bytes.Add(-r.size)
		g.handler.Handle(context.Background(), r.Record)
		if time.Since(g.said) > dropsEvery {
			g.reportDrops()
		}
	}
	g.reportDrops()
}

// reportDrops says what was dropped since the last time.
func (g *logs) reportDrops() {
	n := g.dropped.Load()
	if n == g.reported {
		return
	}
	lost := slog.NewRecord(time.Now(), slog.LevelWarn, "log records dropped: the logger is too slow", 0)
	lost.AddAttrs(slog.Uint64("count", n-g.reported))
	g.reported, g.said = n, time.Now()
	g.handler.Handle(context.Background(), lost)
}

// add queues a record, or drops it. size is what it weighs beside its message
// and its attributes as such.
func (g *logs) add(r slog.Record, size int) {
	if int(r.Level) < g.level {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	e := &entry{r, int64(len(r.Message) + size + attrOverhead*r.NumAttrs())}
	if g.closed || g.bytes.Load()+e.size > logBytes {
		g.dropped.Add(1)
		return
	}
	g.bytes.Add(e.size)
	select {
	case g.queue <- e:
	default:
		g.bytes.Add(-e.size)
		g.dropped.Add(1)
	}
}

// hasRoom reports whether a record of so many bytes is not certain to be dropped.
func (g *logs) hasRoom(size int) bool {
	return len(g.queue) < cap(g.queue) && g.bytes.Load()+int64(size) <= logBytes
}

// close waits until what was queued is written, or the logger hangs.
func (g *logs) close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.queue)
	}
	g.mu.Unlock()
	limit := time.NewTimer(logPatience)
	defer limit.Stop()
	select {
	case <-g.done:
	case <-limit.C:
	}
}

func (g *logs) deadLetter(env *codec.Envelope, why *wire.Failure) {
	if int(slog.LevelDebug) < g.level {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelDebug, "dead letter", 0)
	text := why.Error()
	if why.Down != nil {
		text = string(why.Down.Reason.Cause)
	}
	r.AddAttrs(slog.String("type", string(env.Type)), slog.String("to", wire.FormatID(env.To)),
		slog.String("from", wire.FormatID(env.From)), slog.String("why", text))
	g.add(r, len(env.Type)+len(text))
}

// complain logs what the node could not do, and for whom.
func (g *logs) complain(what, name string) {
	r := slog.NewRecord(time.Now(), slog.LevelError, what, 0)
	r.AddAttrs(slog.String("name", name))
	g.add(r, len(name))
}

// identity returns the attributes that every record of an actor has.
func (p *process) identity() []slog.Attr {
	p.mu.Lock()
	c := p.cell
	p.mu.Unlock()
	if c == nil {
		return []slog.Attr{slog.Int64("pid", p.pid.Load())} // of a standby
	}
	attrs := []slog.Attr{
		slog.String("actor", c.spec.Type),
		slog.Int64("pid", p.pid.Load()),
		slog.Uint64("incarnation", p.inc),
	}
	if name := c.spec.Name; name != "" {
		attrs = append(attrs, slog.String("name", name))
	}
	return attrs
}

func (p *process) log(at time.Time, level slog.Level, message string, attrs ...slog.Attr) {
	p.logSized(at, level, message, 0, attrs...)
}

func (p *process) logSized(at time.Time, level slog.Level, message string, size int, attrs ...slog.Attr) {
	if int(level) < p.node.logs.level {
		return
	}
	if !p.node.logs.hasRoom(len(message) + size) { // a flood: not even the record is made
		p.node.logs.dropped.Add(1)
		return
	}
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(p.identity()...)
	r.AddAttrs(attrs...)
	p.node.logs.add(r, size)
}

// logRecord passes on a record of the actor's own logger, which came in so many
// bytes.
func (p *process) logRecord(r *wire.Record, size int) {
	p.logSized(r.Time, slog.Level(r.Level), r.Message, size, slogAttrs(r.Attrs)...)
	p.logs.keep(r.Message)
}

func slogAttrs(attrs []wire.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		if a.Group != nil {
			out[i] = slog.Attr{Key: a.Key, Value: slog.GroupValue(slogAttrs(a.Group)...)}
			continue
		}
		out[i] = slog.Any(a.Key, a.Value)
	}
	return out
}

func (p *process) logHandlerError(f *wire.Failure, messageType []byte) {
	p.logSized(time.Now(), slog.LevelError, "handler failed", len(messageType)+len(f.Text), slog.String("message", string(messageType)), slog.String("error", f.Text))
}

func (p *process) logStuck() {
	p.log(time.Now(), slog.LevelError, "killed, and still not dead: it hangs in the kernel")
}
