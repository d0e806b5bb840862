package node

import (
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
	"github.com/progeny-go/progeny/mailbox"
)

// Protocol is what the node has to know of an actor type.
type Protocol interface {
	// Handles reports whether it takes messages of that type.
	Handles(messageType []byte) bool
	// Fatal reports whether a restart cannot mend an end for that reason.
	Fatal(*wire.Reason) bool
}

// Config is what a Node needs from its owner.
type Config struct {
	Logger     *slog.Logger
	FrameLimit int                                     // bytes
	CloseLimit time.Duration                           // how long Close may take before it kills
	Standby    int                                     // how many processes are kept in readiness
	Protocol   func(actorType string) (Protocol, bool) // the types defined in this program
}

// A Node runs the actors of one system. Its methods are safe for concurrent use.
type Node struct {
	cfg      Config
	logs     *logs
	outputs  mailbox.Collector // what all processes print, and when they close their inboxes
	tree     *supervision
	names    registry
	standbys *standbys
	watchdog watchdog
	chores   chores
	boots    chan struct{}  // a slot for each process between fork and Hello
	tasks    sync.WaitGroup // every goroutine of this node but the logs'
	events   feed[*Event]
	letters  feed[*DeadLetter]

	mu      sync.Mutex // protects the following
	closed  bool
	inboxes map[*Inbox]struct{}

	deadLetters   atomic.Uint64
	lateReplies   atomic.Uint64
	handlerErrors atomic.Uint64
	denied        atomic.Uint64 // services
	unknown       atomic.Uint64 // addresses
}

// New returns a node without actors.
func New(cfg Config) *Node {
	n := &Node{
		cfg: cfg,
		// More boots at once than this only make each of them slower, and
		// their deadlines start with the fork.
		boots:   make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		logs:    newLogs(cfg.Logger),
		names:   registry{owners: make(map[string]*owner)},
		inboxes: make(map[*Inbox]struct{}),
	}
	n.tree = newSupervision(n)
	n.standbys = newStandbys(n, cfg.Standby)
	n.standbys.fill()
	return n
}

// Stats are counters since the node's start, and the actors alive now.
type Stats struct {
	Actors        int
	DeadLetters   uint64
	LateReplies   uint64
	HandlerErrors uint64
	LogsDropped   uint64
	Denied        uint64
	UnknownRefs   uint64
}

// Stats returns a snapshot.
func (n *Node) Stats() Stats {
	n.tree.mu.Lock()
	actors := n.tree.cells
	n.tree.mu.Unlock()
	return Stats{
		Actors:        actors,
		DeadLetters:   n.deadLetters.Load(),
		LateReplies:   n.lateReplies.Load(),
		HandlerErrors: n.handlerErrors.Load(),
		LogsDropped:   n.logs.dropped.Load(),
		Denied:        n.denied.Load(),
		UnknownRefs:   n.unknown.Load(),
	}
}

// Lookup returns the address registered under name.
func (n *Node) Lookup(name string) (codec.ID, bool) { return n.names.lookup(name) }

// Events calls f for each event, until stop. It must not block, nor keep what it gets
// beyond reading.
func (n *Node) Events(f func(*Event)) (stop func()) { return n.events.subscribe(f) }

// DeadLetters is the same for messages that reach nobody.
func (n *Node) DeadLetters(f func(*DeadLetter)) (stop func()) { return n.letters.subscribe(f) }

// Close stops every actor in reverse order of start, each after the one before
// has ended. What has not ended when ctx is done or CloseLimit has passed is
// killed. It is idempotent; a second call waits for the first.
func (n *Node) Close(ctx context.Context) error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.tree.mu.Lock()
	n.tree.closing = true
	n.tree.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, n.cfg.CloseLimit)
	defer cancel()
	stuck, err := false, error(nil)
	all := n.tree.end(nil, false, "")
	select {
	case <-all.done:
	case <-ctx.Done():
		stuck, err = n.killRest(context.Cause(ctx))
	}
	n.standbys.close()
	n.closeInboxes()
	if !stuck {
		n.tasks.Wait()
	}
	n.chores.do()
	n.watchdog.close()
	n.outputs.Close()
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

// killRest ends what Close could not stop in time, and why. stuck says that even that
// did not help within deathLimit: the process hangs in the kernel.
func (n *Node) killRest(why error) (stuck bool, err error) {
	rest := n.tree.living()
	if len(rest) == 0 {
		return false, nil
	}
	all := n.tree.end(nil, true, "Close had no more time")
	limit := time.NewTimer(deathLimit)
	defer limit.Stop()
	var errs []error
	select {
	case <-all.done:
	case <-limit.C:
		stuck = true
		for _, c := range n.tree.living() {
			errs = append(errs, fmt.Errorf("%s: still not dead %v after SIGKILL", c.member.describe(), deathLimit))
		}
	}
	errs = append(errs, fmt.Errorf("%d actors did not stop in time and were killed, the first is %s: %w", len(rest), rest[0].member.describe(), why))
	return stuck, errors.Join(errs...)
}

// living returns the actors there are, the last started first.
func (s *supervision) living() []*Cell {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Cell
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(s.members))) {
		if c := s.members[id].cell; c != nil {
			all = append(all, c)
		}
	}
	return all
}
