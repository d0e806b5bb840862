//go:build unix

package actor_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// long is for those who have more time than CI: go test ./actor -run Lost -long.
var long = flag.Bool("long", false, "run the evidence with its full numbers")

// svTrial sends numbered messages at full speed while processes are killed, and
// then accounts for every one of them.
type svTrial struct {
	*testing.T
	sys     *actor.System
	target  actor.Ref
	inbox   *actor.Inbox
	events  *actor.Subscription[actor.Event]
	letters *actor.Subscription[actor.DeadLetter]

	tells, asks int // numbers below tells are told, the others asked
	askers      int
	keys        int // of the Tells; they are in order for each
	workers     int
	kills       int

	progress  atomic.Int64 // numbers received
	mu        sync.Mutex   // protects the following
	accounted map[int]bool // numbers that were received, or are dead letters
}

// svLedger is what became of them. Each goroutine that fills one in has its own part.
type svLedger struct {
	received  []int            // how often each number was proved
	handled   []svProof        // in the order in which they were
	answered  []bool           // Asks
	refused   map[int]error    // those that failed
	suspects  map[int]*suspect // dead letters
	killed    map[int]bool     // pids
	victims   map[int]bool     // of these, those whose death was told as such
	deaths    int              // Exited events
	inStart   int              // of the victims, those that had not begun to work
	addressed []time.Duration  // since the start, of the kills
}

// suspect is a message that was in progress when its process died.
type suspect struct {
	pid         int
	incarnation uint64
}

// run does it all and returns the ledger.
func (s *svTrial) run() *svLedger {
	s.Helper()
	total := s.tells + s.asks
	ledger := &svLedger{
		received: make([]int, total), answered: make([]bool, s.asks), refused: map[int]error{},
		suspects: map[int]*suspect{}, killed: map[int]bool{}, victims: map[int]bool{},
	}
	ctx, stop := context.WithCancel(s.Context())
	defer stop()
	var senders, observers sync.WaitGroup
	collected := make(chan struct{})
	observers.Go(func() { defer close(collected); s.collect(ctx, ledger) })
	observers.Go(func() { s.post(ctx, ledger) })
	senders.Go(s.tell)
	var mu sync.Mutex // of refused
	for a := range s.askers {
		senders.Go(func() { s.ask(a, ledger, &mu) })
	}
	senders.Go(func() { s.kill(ledger) })
	senders.Wait()
	// Whatever was accepted has been handled, or is a suspect, when each worker
	// answers this: it stands behind.
	for _, ref := range s.everyWorker() {
		ask[string](s.T, ref, Echo{"the end"})
	}
	// What was proved before the answer may still wait for room in the inbox. If
	// something is lost, balance says what.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience / 3); s.account() < total && time.Now().Before(deadline); {
		<-tick.C
	}
	tell(s.T, s.inbox.Ref(), svProof{N: -1})
	<-collected
	stop()
	observers.Wait()
	return ledger
}

// account notes numbers, and returns how many are accounted for.
func (s *svTrial) account(numbers ...int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range numbers {
		s.accounted[n] = true
	}
	return len(s.accounted)
}

func (s *svTrial) everyWorker() []actor.Ref {
	if s.workers == 1 {
		return []actor.Ref{s.target}
	}
	var refs []actor.Ref
	for _, w := range svWorkers(s, s.target) {
		refs = append(refs, w.Ref)
	}
	return refs
}

// tell sends the first numbers, one after the other.
func (s *svTrial) tell() {
	for n := range s.tells {
		if err := s.target.Tell(s.Context(), svNumber{N: n, Key: s.key(n)}); err != nil {
			s.Errorf("tell %d: %v", n, err)
			return
		}
	}
}

func (s *svTrial) key(n int) string { return fmt.Sprint("key ", n%s.keys) }

// ask sends every askers-th of the others, each when the one before is answered.
func (s *svTrial) ask(asker int, l *svLedger, mu *sync.Mutex) {
	for i := asker; i < s.asks; i += s.askers {
		n := s.tells + i
		p, err := actor.Ask[svProof](s.Context(), s.target, svNumber{N: n, Key: fmt.Sprint("asker ", asker)})
		switch {
		case err != nil:
			mu.Lock()
			l.refused[n] = err
			mu.Unlock()
		case p.N != n:
			s.Errorf("the answer to %d was %d", n, p.N)
		default:
			l.answered[i] = true
		}
	}
}

// collect takes the proofs, up to the one that ends it.
func (s *svTrial) collect(ctx context.Context, l *svLedger) {
	for {
		m, err := s.inbox.Receive(ctx)
		if err != nil {
			s.Error("collect:", err)
			return
		}
		p := m.Value.(svProof)
		if p.N < 0 {
			return
		}
		l.received[p.N]++
		l.handled = append(l.handled, p)
		s.account(p.N)
		s.progress.Add(1)
	}
}

// post takes the dead letters.
func (s *svTrial) post(ctx context.Context, l *svLedger) {
	take := func(letter actor.DeadLetter) {
		down, ok := errors.AsType[*actor.DownError](letter.Reason)
		if !letter.Suspect || !ok || !isSignal9(down.Down.Reason) || letter.Attempts != 1 {
			s.Errorf("a dead letter that is no suspect of a kill: %+v", letter)
			return
		}
		var m svNumber
		if err := letter.Message.Decode(&m); err != nil || letter.Message.Type != string(typeOf("svNumber")) {
			s.Errorf("got %v, %v", letter, err)
			return
		}
		if l.suspects[m.N] != nil {
			s.Errorf("%d is a dead letter twice", m.N)
		}
		l.suspects[m.N] = &suspect{down.Down.Pid, down.Down.Incarnation}
		s.account(m.N)
	}
	for {
		select {
		case letter := <-s.letters.C:
			take(letter)
		case <-ctx.Done():
			for len(s.letters.C) > 0 {
				take(<-s.letters.C)
			}
			return
		}
	}
}

// kill sends SIGKILL at random moments of the work, to processes that boot, work,
// or are stopped because of others. It returns when all that it has killed have
// ended and all workers are up.
func (s *svTrial) kill(l *svLedger) {
	total := s.tells + s.asks
	var moments []int64
	for range s.kills {
		moments = append(moments, rand.Int64N(int64(total)*9/10))
	}
	slices.Sort(moments)
	alive, ready := map[int]bool{}, map[int]bool{}
	var patients []int // who lives and was not killed
	note := func(e actor.Event) {
		switch e.Kind {
		case actor.EventStarted:
			if e.Pid != 0 {
				alive[e.Pid] = true
			}
		case actor.EventReady:
			if alive[e.Pid] {
				ready[e.Pid] = true
			}
		case actor.EventExited:
			if e.Pid == 0 {
				return
			}
			l.deaths++
			_, inBoot := e.Reason.(actor.BootFailed)
			switch inBoot = inBoot && !ready[e.Pid]; {
			case l.killed[e.Pid] && (isSignal9(e.Reason) || inBoot):
				l.victims[e.Pid] = true
				if !ready[e.Pid] {
					l.inStart++
				}
			case s.workers == 1 || isSignal9(e.Reason): // a pool's others are stopped
				s.Errorf("pid %d ended with %v; killed: %t", e.Pid, e.Reason, l.killed[e.Pid])
			}
			delete(alive, e.Pid)
			delete(ready, e.Pid)
		}
		patients = patients[:0]
		for pid := range alive {
			if !l.killed[pid] {
				patients = append(patients, pid)
			}
		}
	}
	deadline := time.After(10 * patience)
	begin := time.Now()
	for _, moment := range moments {
		tick := time.NewTicker(20 * time.Microsecond)
		// Some of them right after the one before, when the next process boots.
		for s.progress.Load() < moment || len(patients) == 0 || len(s.events.C) > 0 {
			select {
			case e := <-s.events.C:
				note(e)
			case <-tick.C:
			case <-deadline:
				s.Errorf("only %d of %d kills, %d received", len(l.killed), s.kills, s.progress.Load())
				return
			}
		}
		tick.Stop()
		pid := patients[rand.IntN(len(patients))]
		l.killed[pid] = true
		patients = slices.DeleteFunc(patients, func(p int) bool { return p == pid })
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && s.workers == 1 {
			s.Errorf("kill %d: %v", pid, err)
		}
		l.addressed = append(l.addressed, time.Since(begin))
	}
	for len(ready) < s.workers || slices.ContainsFunc(slices.Collect(maps.Keys(alive)), func(pid int) bool { return l.killed[pid] }) {
		select {
		case e := <-s.events.C:
			note(e)
		case <-deadline:
			s.Errorf("%d of %d workers are up", len(ready), s.workers)
			return
		}
	}
}

// balance checks that the sums are right.
func (s *svTrial) balance(l *svLedger) {
	s.Helper()
	both, lost := 0, 0
	for n, times := range l.received {
		suspected := l.suspects[n] != nil
		switch {
		case times > 1:
			s.Errorf("%d was received %d times", n, times)
		case times == 0 && !suspected:
			s.Errorf("%d was neither received nor is it a dead letter", n)
		case times == 0:
			lost++
		case suspected: // its effects were out before it was marked as finished
			both++
		}
	}
	// Order: of each key, and of a single actor of all the Tells.
	last := map[string]int{}
	told := -1
	for _, p := range l.handled {
		if before, ok := last[p.Key]; ok && p.N <= before {
			s.Fatalf("%s: %d was handled after %d", p.Key, p.N, before)
		}
		last[p.Key] = p.N
		if s.workers == 1 && p.N < s.tells {
			if p.N <= told {
				s.Fatalf("%d was handled after %d", p.N, told)
			}
			told = p.N
		}
	}
	// Suspects: of a kill, and one of each.
	of := map[int]int{}
	for n, suspect := range l.suspects {
		if other, ok := of[suspect.pid]; ok {
			s.Errorf("process %d died in the messages %d and %d", suspect.pid, n, other)
		}
		of[suspect.pid] = n
		if !l.victims[suspect.pid] {
			s.Errorf("%d is the suspect of process %d, which was not killed", n, suspect.pid)
		}
	}
	// Asks.
	failed := 0
	for i, answered := range l.answered {
		n := s.tells + i
		err := l.refused[n]
		switch {
		case answered && (l.received[n] != 1 || l.suspects[n] != nil):
			s.Errorf("the Ask %d was answered; received %d times, a dead letter: %t", n, l.received[n], l.suspects[n] != nil)
		case !answered && err == nil:
			s.Errorf("the Ask %d was neither answered nor refused", n)
		case !answered:
			failed++
			down, ok := errors.AsType[*actor.DownError](err)
			if svFate(s, err, actor.InProgress); !ok || !l.victims[down.Down.Pid] || l.suspects[n] == nil {
				s.Errorf("the Ask %d failed with %v, and it is a suspect: %t", n, err, l.suspects[n] != nil)
			}
		}
	}
	if len(l.killed) != s.kills || s.workers == 1 && len(l.victims) != s.kills {
		s.Errorf("%d processes were killed and %d died of it, want %d", len(l.killed), len(l.victims), s.kills)
	}
	if got := s.sys.Stats().DeadLetters; got != uint64(len(l.suspects)) || len(l.suspects) > len(l.victims) {
		s.Errorf("%d dead letters, %d suspects of %d kills", got, len(l.suspects), len(l.victims))
	}
	if s.events.Dropped() != 0 || s.letters.Dropped() != 0 {
		s.Errorf("%d events and %d dead letters were dropped by the test", s.events.Dropped(), s.letters.Dropped())
	}
	s.Logf("%d Tells and %d Asks, %d kills (%d of them in the start), %d processes ended: %d received once, %d suspects, of which %d had had their effects already and %d were lost; %d Asks failed",
		s.tells, s.asks, len(l.killed), l.inStart, l.deaths, len(l.handled), len(l.suspects), both, lost, failed)
	if len(l.addressed) > 0 {
		s.Logf("kills from %v to %v", l.addressed[0], l.addressed[len(l.addressed)-1])
	}
}

// newSvTrial has the numbers of the short form, or with -long the full ones.
func newSvTrial(t *testing.T) *svTrial {
	t.Helper()
	sys := actortest.New(t, actor.Options{})
	s := &svTrial{T: t, sys: sys, accounted: map[int]bool{}, inbox: svInbox(t, sys), events: sys.Events(), letters: sys.DeadLetters(),
		tells: 10_000, asks: 1_000, askers: 16, keys: 64, workers: 1, kills: 20}
	if *long {
		s.tells, s.asks, s.askers, s.kills = 100_000, 10_000, 64, 200
	}
	t.Cleanup(s.events.Stop)
	t.Cleanup(s.letters.Stop)
	return s
}

// unlimited is a budget that is not used up.
const svUnlimited = 1 << 30

// However often and whenever a permanent actor is killed: each message is handled
// once, in order, or is the dead letter of the one kill that hit it. Nothing is
// left behind: actortest sees to that.
func TestNothingIsLost(t *testing.T) {
	s := newSvTrial(t)
	spec := survivors.With(svArg{Proof: s.inbox.Ref()})
	spec.Restart, spec.Intensity, spec.Period = actor.Permanent, svUnlimited, time.Second
	s.target = svSpawn(t, s.sys, spec)
	s.balance(s.run())
}

// The same with a pool, all of whose workers are restarted for each kill.
func TestNothingIsLostThroughAPool(t *testing.T) {
	s := newSvTrial(t)
	s.workers = 4
	worker := survivors.With(svArg{Proof: s.inbox.Ref()})
	worker.Restart = actor.Permanent
	s.target = svSpawn(t, s.sys, actor.Pool{
		Supervisor: actor.Supervisor{Name: "pool", Strategy: actor.OneForAll, Intensity: svUnlimited, Period: time.Second},
		Of:         worker,
		Size:       s.workers,
		Route:      actor.ConsistentHash,
	})
	s.balance(s.run())
}
