package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor"
)

const (
	standby      = 3                // processes booted in advance
	phase        = 30 * time.Second // between two balances
	wholeTimeout = 90 * time.Second // for the tree to be whole in a pause
	pingTimeout  = 30 * time.Second // for an answer in a pause: Redeliver makes an actor spin three times
	stuckTimeout = 30 * time.Second // without progress in the books
	faulters     = 3                // goroutines that strike
	maxFaulty    = 100              // failed checks that are printed
)

// A runner is one run.
type runner struct {
	options
	sys     *actor.System
	forest  *forest
	top     actor.Ref
	ledger  *ledger
	journal *journal
	watch   *watch
	quiet   *counter
	started time.Time
	says    io.Writer // to whom it says at once that a check has failed

	backlog  int // the most dead letters that have waited; this and the next are post's until it ends
	overload int // dead letters that found the backlog full

	gate sync.RWMutex // held for reading by whoever sends or strikes; for writing in a pause

	faults  atomic.Int64 // struck so far
	mu      sync.Mutex   // protects the following
	struck  map[string]int
	signals map[int]bool // pids that got a signal from us since the last balance
	faulty  []string
	wrong   int
	ends    map[string]int
	stuck   map[int]bool // pids of those that did not answer
}

// run is the program behind its flags.
func run(ctx context.Context, o options) error {
	if o.node {
		return nodes(ctx, o)
	}
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if os.Getenv(markVariable) == "" {
		os.Setenv(markVariable, fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()))
	}
	r := &runner{
		options: o, started: time.Now(), says: os.Stderr, quiet: new(counter), struck: map[string]int{}, signals: map[int]bool{}, ends: map[string]int{}, stuck: map[int]bool{},
	}
	path := filepath.Join(dir, "journal")
	if r.journal, err = createJournal(path); err != nil {
		return err
	}
	defer r.journal.close()
	if r.sys, err = actor.NewSystem(actor.Options{Logger: slog.New(r.quiet), Standby: standby}); err != nil {
		return err
	}
	byGroup := strings.HasPrefix(r.sys.Capabilities().KillTree.By, "cgroup")
	r.forest = plant(o.actors, Arg{Journal: path, Grouped: byGroup})
	r.ledger = newLedger(r.forest.targets, r.fault)
	r.watch = newWatch(r.fault)
	fmt.Fprintf(os.Stderr, "chaos: seed %d, %d actors, %v messages/s, a fault every %v\n", o.seed, r.forest.actors, o.rate, o.every)
	err = r.live(ctx)
	closing := time.Now()
	if closeErr := r.sys.Close(context.Background()); closeErr != nil {
		r.fault("close: %v", closeErr)
	}
	r.watch.afterClose(time.Since(closing))
	if err != nil {
		r.fault("%v", err)
	}
	r.report(os.Stdout)
	if r.wrong > 0 {
		return fmt.Errorf("%d checks have failed", r.wrong)
	}
	return nil
}

// live plants the tree and lets phases of chaos and pauses follow each other.
//
//	load, faults ─────┐      ┌─────
//	                  └pause─┘ the tree is whole, the books balance, resources are counted
func (r *runner) live(ctx context.Context) (err error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	observing, stopObserving := context.WithCancel(context.Background())
	defer stopObserving()
	events, letters := r.sys.Events(), r.sys.DeadLetters()
	wg.Go(func() { r.post(observing, letters.C) })
	wg.Go(func() { r.chronicle(observing, events) })
	wg.Go(func() { r.read(observing) })
	wg.Go(func() { r.watch.run(observing) })
	defer letters.Stop()
	defer events.Stop()

	if r.top, err = r.sys.Spawn(ctx, r.forest.Supervisor); err != nil {
		return err
	}
	end := r.sys.Watch(r.top)
	defer end.Stop()
	r.mend()
	if r.victim {
		fmt.Println("planted")
	}
	r.gate.Lock()
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	wg.Go(func() { r.load(working) })
	for i := range uint64(faulters) {
		wg.Go(func() { r.strike(working, i) })
	}
	length := min(phase, r.length/4)
	for begin := time.Now(); ctx.Err() == nil && time.Since(begin) < r.length && !r.enough(); {
		r.gate.Unlock()
		pause := time.NewTimer(min(length, r.length-time.Since(begin)))
		goal := r.faults.Load() + int64(r.options.faults/2)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
			case <-pause.C:
			case d := <-end.C:
				tick.Stop()
				r.gate.Lock()
				r.gate.Unlock()
				return fmt.Errorf("the tree has ended: %w", d.Reason)
			case <-tick.C:
				if r.options.faults == 0 || r.faults.Load() < goal {
					continue
				}
			}
			tick.Stop()
			break
		}
		r.gate.Lock()
		r.balance()
		r.progress()
	}
	stopWorking()
	r.gate.Unlock()
	if events.Dropped()+letters.Dropped() > 0 {
		r.fault("%d events and %d dead letters were not read in time", events.Dropped(), letters.Dropped())
	}
	return nil
}

func (r *runner) enough() bool {
	return r.options.faults > 0 && r.faults.Load() >= int64(r.options.faults)
}

// fault notes a failed check.
func (r *runner) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong++
	if len(r.faulty) < maxFaulty {
		text = fmt.Sprintf("%v: %s", time.Since(r.started).Round(time.Millisecond), text)
		r.faulty = append(r.faulty, text)
		fmt.Fprintln(r.says, "chaos: FAILED:", text)
	}
}

// post takes the dead letters. The subscription is read at once even when the ledger is
// busy; what the backlog has no room for is counted, and fails the run.
func (r *runner) post(ctx context.Context, letters <-chan actor.DeadLetter) {
	waiting := make(backlog, lettersLimit)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(waiting)
	wg.Go(func() {
		for l := range waiting {
			r.ledger.letter(l)
		}
	})
	for {
		select {
		case l := <-letters:
			if err := waiting.put(l); err != nil {
				if r.overload++; r.overload == 1 { // the books will not balance
					r.fault("%v", err)
				}
			}
			r.backlog = max(r.backlog, len(waiting))
		case <-ctx.Done():
			return
		}
	}
}

// chronicle takes the events.
func (r *runner) chronicle(ctx context.Context, events *actor.Subscription[actor.Event]) {
	for {
		select {
		case e := <-events.C:
			if e.Kind == actor.EventExited && e.Pid != 0 {
				r.ledger.exited(e)
			}
		case <-ctx.Done():
			return
		}
	}
}

// read follows the journal.
func (r *runner) read(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := r.journal.drain(r.ledger.take); err != nil {
			r.fault("%v", err)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// balance waits until the tree is whole and the books are balanced, and counts
// what the program holds. Nobody sends or strikes meanwhile.
func (r *runner) balance() {
	leaves := r.whole()
	if leaves == nil {
		return
	}
	for {
		open, progress := r.ledger.open()
		if len(open) == 0 {
			break
		}
		if time.Since(progress) > stuckTimeout {
			r.ledger.giveUp(open)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	// What the last messages have told may still end somebody.
	if leaves = r.whole(); leaves == nil {
		return
	}
	time.Sleep(50 * time.Millisecond) // more than the journal's reader takes
	r.judge()
	r.ledger.close(func(pid int) bool {
		p, ok := readProcess(pid)
		return ok && p.parent == os.Getpid()
	})
	pids := map[int]bool{}
	for _, l := range leaves {
		pids[l.info.Pid] = true
	}
	r.watch.measure(pids)
}

// whole waits until all actors are up and answer, and returns them.
func (r *runner) whole() []leaf {
	begin := time.Now()
	for {
		r.mend()
		leaves, _, err := r.walk()
		reason := err
		if err == nil {
			reason = r.answer(leaves)
		}
		if reason == nil {
			return leaves
		}
		if time.Since(begin) > wholeTimeout {
			r.fault("the tree is not whole after %v: %v", wholeTimeout, reason)
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// answer asks everybody.
func (r *runner) answer(leaves []leaf) error {
	if len(leaves) != r.forest.actors {
		return fmt.Errorf("%d actors, want %d", len(leaves), r.forest.actors)
	}
	for _, l := range leaves {
		if l.info.State != actor.Running || l.info.Pid == 0 {
			return fmt.Errorf("%s is %v", l.path, l.info.State)
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, len(leaves))
	for i, l := range leaves {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
			defer cancel()
			pid, err := actor.Ask[int](ctx, l.info.Ref, Ping{})
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				errs[i] = fmt.Errorf("%s: %w", l.path, err)
				r.wedged(l)
			case err != nil:
				errs[i] = fmt.Errorf("%s, pid %d: %w", l.path, l.info.Pid, err)
			case pid != l.info.Pid:
				errs[i] = fmt.Errorf("%s: pid %d answers, not %d", l.path, pid, l.info.Pid)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// wedged reports an actor that does not answer although it is up, and ends it with
// its stacks.
func (r *runner) wedged(l leaf) {
	p, _ := readProcess(l.info.Pid)
	r.ledger.mu.Lock()
	did := r.ledger.deeds[l.info.Pid]
	r.ledger.mu.Unlock()
	r.fault("%s, pid %d, incarnation %d, state %c, has not answered for %v; it had done %v; its descriptors: %s",
		l.path, l.info.Pid, l.info.Incarnation, p.state, pingTimeout, did, describeFDs(l.info.Pid))
	r.mu.Lock()
	r.stuck[l.info.Pid] = true
	r.mu.Unlock()
	r.signal(l.info.Pid, syscall.SIGCONT)
	r.signal(l.info.Pid, syscall.SIGQUIT)
	time.AfterFunc(time.Second, func() { r.signal(l.info.Pid, syscall.SIGKILL) })
}

// A counter is a slog.Handler that counts.
type counter struct{ records atomic.Uint64 }

func (*counter) Enabled(context.Context, slog.Level) bool { return true }
func (c *counter) Handle(context.Context, slog.Record) error {
	c.records.Add(1)
	return nil
}
func (c *counter) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c *counter) WithGroup(string) slog.Handler      { return c }
