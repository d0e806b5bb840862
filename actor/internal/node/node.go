package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// Protocol tells which message types an actor type takes.
type Protocol interface {
	Handles(messageType []byte) bool
}

// Config is what a Node needs from its owner.
type Config struct {
	Logger     *slog.Logger
	FrameLimit int                                     // bytes
	CloseLimit time.Duration                           // how long Close may take before it kills
	Protocol   func(actorType string) (Protocol, bool) // the types defined in this program
}

// A Node runs the actors of one system. Its methods are safe for concurrent use.
type Node struct {
	cfg   Config
	logs  *logs
	boots chan struct{}  // a slot for each process between fork and Hello
	tasks sync.WaitGroup // every goroutine of this node but the logs'

	mu      sync.Mutex // protects the following
	closed  bool
	serial  uint64
	names   map[string]*Cell // reserved from Spawn on, visible once cell.published
	cells   map[*Cell]struct{}
	inboxes map[*Inbox]struct{}

	deadLetters   atomic.Uint64
	lateReplies   atomic.Uint64
	handlerErrors atomic.Uint64
}

// New returns a node without actors.
func New(cfg Config) *Node {
	return &Node{
		cfg: cfg,
		// More boots at once than this only make each of them slower, and
		// their deadlines start with the fork.
		boots:   make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		logs:    newLogs(cfg.Logger),
		names:   make(map[string]*Cell),
		cells:   make(map[*Cell]struct{}),
		inboxes: make(map[*Inbox]struct{}),
	}
}

// Stats are counters since the node's start, and the actors alive now.
type Stats struct {
	Actors        int
	DeadLetters   uint64
	LateReplies   uint64
	HandlerErrors uint64
	LogsDropped   uint64
}

// Stats returns a snapshot.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	actors := len(n.cells)
	n.mu.Unlock()
	return Stats{
		Actors:        actors,
		DeadLetters:   n.deadLetters.Load(),
		LateReplies:   n.lateReplies.Load(),
		HandlerErrors: n.handlerErrors.Load(),
		LogsDropped:   n.logs.dropped.Load(),
	}
}

// Spawn starts an actor and returns when it is ready, or when its process is
// gone. parent is nil for an actor of the program itself.
func (n *Node) Spawn(ctx context.Context, spec wire.Spec, parent *Cell) (codec.ID, error) {
	c, err := n.reserve(spec, parent)
	if err != nil {
		return codec.ID{}, err
	}
	if err := c.boot(ctx); err != nil {
		return codec.ID{}, err
	}
	return c.id, nil
}

// reserve makes a cell and takes its name, before any process exists.
func (n *Node) reserve(spec wire.Spec, parent *Cell) (*Cell, error) {
	proto, ok := n.cfg.Protocol(spec.Type)
	if !ok {
		return nil, &wire.Failure{Code: wire.Refused, Fate: wire.FateNotSent,
			Text: fmt.Sprintf("no actor type is defined as %q", spec.Type)}
	}
	if err := spec.Check(); err != nil {
		return nil, &wire.Failure{Code: wire.Refused, Fate: wire.FateNotSent, Text: err.Error()}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || parent != nil && parent.ending {
		return nil, &wire.Failure{Code: wire.Closed, Fate: wire.FateNotSent}
	}
	if _, taken := n.names[spec.Name]; taken && spec.Name != "" {
		return nil, &wire.Failure{Code: wire.NameTaken, Fate: wire.FateNotSent,
			Text: fmt.Sprintf("the name %q is taken", spec.Name)}
	}
	c := newCell(n, spec, proto, parent, n.serial+1)
	if err := c.encodeInit(); err != nil {
		return nil, &wire.Failure{Code: wire.TooLarge, Fate: wire.FateNotSent, Text: "the argument: " + err.Error()}
	}
	n.serial++
	if spec.Name != "" {
		n.names[spec.Name] = c
	}
	n.cells[c] = struct{}{}
	return c, nil
}

// publish makes the name visible.
func (n *Node) publish(c *Cell) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.published = true
}

// release takes back what reserve gave. The name is free when it returns.
func (n *Node) release(c *Cell) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names[c.spec.Name] == c {
		delete(n.names, c.spec.Name)
	}
	delete(n.cells, c)
}

// orphans marks c as ending, so that it gets no further children, and returns
// those it has.
func (n *Node) orphans(c *Cell) []*Cell {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.ending = true
	var children []*Cell
	for other := range n.cells {
		if other.parent == c {
			children = append(children, other)
		}
	}
	return children
}

// Lookup returns the address registered under name.
func (n *Node) Lookup(name string) (codec.ID, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.names[name]
	if c == nil || !c.published {
		return codec.ID{}, false
	}
	return c.id, true
}

// Close stops every actor in reverse order of start, each after the one before
// has ended. What has not ended when ctx is done or CloseLimit has passed is
// killed. It is idempotent; a second call waits for the first.
func (n *Node) Close(ctx context.Context) error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, n.cfg.CloseLimit)
	defer cancel()
	for c := n.last(); c != nil && ctx.Err() == nil; c = n.last() {
		c.Stop()
		select {
		case <-c.ended:
		case <-ctx.Done():
		}
	}
	stuck, err := n.killRest(context.Cause(ctx))
	n.closeInboxes()
	if !stuck {
		n.tasks.Wait()
	}
	n.logs.close()
	return err
}

func (n *Node) closeInboxes() {
	n.mu.Lock()
	inboxes := slices.Collect(maps.Keys(n.inboxes))
	n.mu.Unlock()
	for _, b := range inboxes {
		b.Close()
	}
}

// last returns the living actor that was started last, or nil.
func (n *Node) last() *Cell {
	n.mu.Lock()
	defer n.mu.Unlock()
	var last *Cell
	for c := range n.cells {
		if last == nil || c.serial > last.serial {
			last = c
		}
	}
	return last
}

// killRest ends what Close could not stop in time, and why. stuck says that even that
// did not help within deathLimit: the process hangs in the kernel.
func (n *Node) killRest(why error) (stuck bool, err error) {
	n.mu.Lock()
	rest := make([]*Cell, 0, len(n.cells))
	for c := range n.cells {
		rest = append(rest, c)
	}
	n.mu.Unlock()
	if len(rest) == 0 {
		return false, nil
	}
	slices.SortFunc(rest, func(a, b *Cell) int { return cmp.Compare(b.serial, a.serial) })
	for _, c := range rest {
		c.Kill()
	}
	limit := time.NewTimer(deathLimit)
	defer limit.Stop()
	var errs []error
	for _, c := range rest {
		select {
		case <-c.ended:
		case <-limit.C:
			limit.Reset(0) // the others get no time of their own
			stuck = true
			errs = append(errs, fmt.Errorf("%s: still not dead %v after SIGKILL", c.label(), deathLimit))
		}
	}
	errs = append(errs, fmt.Errorf("%d actors did not stop in time and were killed, the first is %s: %w", len(rest), rest[0].label(), why))
	return stuck, errors.Join(errs...)
}
