//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// svPool is a pool of survivors.
func svPool(size int, route actor.Routing, arg svArg) actor.Pool {
	return actor.Pool{
		Supervisor: actor.Supervisor{Name: "pool", Intensity: 1000},
		Of:         survivors.With(arg),
		Size:       size,
		Route:      route,
	}
}

// svWorkers are the workers of a pool, in the order of their starts.
func svWorkers(t testing.TB, pool actor.Ref) (workers []actor.ChildInfo) {
	t.Helper()
	children, err := pool.Children(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(children)
}

// Each worker in turn, whatever it is and wherever it comes from.
func TestPoolRoundRobin(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	const size = 3
	pool := svSpawn(t, sys, svPool(size, actor.RoundRobin, svArg{Proof: inbox.Ref()}))
	workers := svWorkers(t, pool)
	if len(workers) != size {
		t.Fatalf("%d workers", len(workers))
	}
	for i, w := range workers {
		if w.ID != fmt.Sprint(i+1) || w.Type != "survivor" || w.Name != "" || w.State != actor.Running || w.Pid == 0 || w.Ref == pool {
			t.Errorf("got %+v", w)
		}
	}
	if again, err := sys.Lookup("pool"); err != nil || again != pool {
		t.Errorf("got %v, %v", again, err)
	}
	var order []actor.Ref
	next := func(who actor.Ref) {
		t.Helper()
		if order = append(order, who); who != workers[(len(order)-1)%size].Ref {
			t.Fatalf("got %v as number %d of %v", who, len(order), workers)
		}
	}
	for i := range 4 * size {
		next(ask[svProof](t, pool, svNumber{N: i}).Who)
		receive[svProof](t, inbox)
	}
	for i := range 4 * size {
		tell(t, pool, svNumber{N: i})
		_, p := receive[svProof](t, inbox)
		next(p.Who)
	}
	rig := spawnRig(t, sys, rigArg{})
	for range 2 * size {
		ask[Poured](t, rig, Pour{To: pool, N: 1})
		_, p := receive[svProof](t, inbox)
		next(p.Who)
		if got := ask[int](t, rig, Relay{To: pool, Text: "four"}); got != 4 {
			t.Errorf("relayed: got %d", got)
		}
		order = append(order, order[len(order)-size]) // an Echo does not say who
	}
	for _, w := range workers {
		if !slices.Contains(order, w.Ref) {
			t.Errorf("worker %s did nothing", w.ID)
		}
	}
	// Many at once are spread just as evenly.
	const n = 100 * size
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range n / 4 {
				if _, err := actor.Ask[svProof](t.Context(), pool, svNumber{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	count := map[actor.Ref]int{}
	for _, p := range svNumbers(t, inbox, n) {
		count[p.Who]++
	}
	wg.Wait()
	for _, w := range workers {
		if count[w.Ref] != n/size {
			t.Errorf("worker %s handled %d of %d", w.ID, count[w.Ref], n)
		}
	}
}

// The one that has least to do gets the next: never one that is busy while another
// is idle.
func TestPoolLeastLoaded(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	pool := svSpawn(t, sys, svPool(3, actor.LeastLoaded, svArg{}))
	busy := map[actor.Ref]bool{}
	var gates []*actor.Message
	for range 2 {
		tell(t, pool, Hold{inbox.Ref()})
		gate, _ := receive[Held](t, inbox)
		busy[gate.From] = true
		gates = append(gates, gate)
	}
	if len(busy) != 2 {
		t.Fatalf("two messages that last are with %d workers", len(busy))
	}
	for i := range 50 {
		select {
		case a := <-svAsk[svProof](t.Context(), pool, svNumber{}):
			if a.Err != nil || busy[a.Value.Who] {
				t.Fatalf("got %+v", a)
			}
		case <-time.After(patience / 10): // it would wait for ever
			t.Fatalf("Ask %d waits behind a busy worker", i+1)
		}
	}
	// One that has two is busier than one that has one.
	var last *actor.Message
	for range 4 { // the third worker has one, and then all get a second
		tell(t, pool, Hold{inbox.Ref()})
		if last == nil {
			last, _ = receive[Held](t, inbox)
		}
	}
	if busy[last.From] {
		t.Errorf("%v got the third", last.From)
	}
	for _, gate := range append(gates, last) {
		svPass(t, gate)
	}
	seconds := map[actor.Ref]int{}
	for range 3 {
		m, _ := receive[Held](t, inbox)
		seconds[m.From]++
		svPass(t, m)
	}
	if len(seconds) != 3 {
		t.Errorf("the next three went to %v", seconds)
	}
}

// Equal keys go to the same worker, as long as the pool lives; unequal ones are
// spread.
func TestPoolConsistentHash(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	const size, keys = 4, 200
	pool := svSpawn(t, sys, svPool(size, actor.ConsistentHash, svArg{Proof: inbox.Ref()}))
	rig := svSpawn(t, sys, svRelays)
	owner := map[string]actor.Ref{}
	check := func(round string, p svProof) {
		t.Helper()
		if who, ok := owner[p.Key]; ok && who != p.Who {
			t.Fatalf("%s: the key %q was with %v and is with %v", round, p.Key, who, p.Who)
		}
		owner[p.Key] = p.Who
	}
	each := func(round string) {
		t.Helper()
		for i := range keys {
			m := svNumber{N: i, Key: fmt.Sprint("key ", i)}
			check(round, ask[svProof](t, pool, m))
			receive[svProof](t, inbox)
			tell(t, pool, m)
			_, p := receive[svProof](t, inbox)
			check(round, p)
			check(round, ask[svProof](t, rig, svRelay{To: pool, Message: m}))
			receive[svProof](t, inbox)
		}
	}
	each("at first")
	load := map[actor.Ref]int{}
	for _, who := range owner {
		load[who]++
	}
	for _, w := range svWorkers(t, pool) {
		if load[w.Ref] < keys/size/4 {
			t.Errorf("worker %s has %d of %d keys", w.ID, load[w.Ref], keys)
		}
	}
	for _, w := range svWorkers(t, pool) {
		m := sys.Monitor(w.Ref)
		sendSignal(t, w.Pid, syscall.SIGKILL)
		ended(t, m)
	}
	each("after crashes")

	// Without a key of their own, equal messages belong together.
	pids := map[string]string{}
	spread := map[string]bool{}
	for range 2 {
		for i := range 40 {
			text := fmt.Sprint("text ", i)
			pid := ask[string](t, pool, svWho{text})
			if known, ok := pids[text]; ok && known != pid {
				t.Fatalf("%q was with %s and is with %s", text, known, pid)
			}
			pids[text], spread[pid] = pid, true
		}
	}
	if len(spread) != size {
		t.Errorf("40 texts are with %d workers, want %d", len(spread), size)
	}
}

// svRelayer asks others with messages that have keys.
type svRelayer struct{}

// svRelay passes the message on.
type svRelay struct {
	To      actor.Ref
	Message svNumber
}

func (*svRelayer) Relay(c *actor.Context, m svRelay) (svProof, error) {
	return actor.Ask[svProof](c, m.To, m.Message)
}

var svRelays = actor.Define("relayer", actor.Zero[svRelayer], actor.On((*svRelayer).Relay))

// Messages with the same key are handled in their order, none twice, although their
// workers are killed.
func TestPoolKeepsOrderPerKey(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	letters := sys.DeadLetters()
	defer letters.Stop()
	inbox := svInbox(t, sys)
	const size, keys, n = 3, 10, 6000
	pool := svSpawn(t, sys, svPool(size, actor.ConsistentHash, svArg{Proof: inbox.Ref()}))
	told := make(chan error, 1)
	go func() {
		for i := range n {
			if err := pool.Tell(t.Context(), svNumber{N: i, Key: fmt.Sprint(i % keys)}); err != nil {
				told <- err
				return
			}
		}
		told <- nil
	}()
	next := map[string]int{}
	owner := map[string]actor.Ref{}
	killed := map[int]bool{}
	got, lost := map[int]bool{}, map[int]bool{}
	for deadline := time.Now().Add(patience); len(got)+len(lost) < n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d received and %d lost of %d", len(got), len(lost), n)
		}
		for len(letters.C) > 0 {
			l := <-letters.C
			if m := svDecode[svNumber](t, l); !l.Suspect {
				t.Errorf("got %+v", l)
			} else if !got[m.N] {
				lost[m.N] = true
			}
		}
		m, err := inbox.Receive(impatient(t)) // the last may be a letter
		if errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		p := m.Value.(svProof)
		if got[p.N] {
			t.Fatalf("%d came twice", p.N)
		}
		got[p.N] = true
		delete(lost, p.N) // its effects were out before it was finished
		if p.N < next[p.Key] {
			t.Fatalf("key %s: %d came after %d", p.Key, p.N, next[p.Key])
		}
		next[p.Key] = p.N
		if who, ok := owner[p.Key]; ok && who != p.Who {
			t.Fatalf("key %s has another worker", p.Key)
		}
		owner[p.Key] = p.Who
		if len(got) > n/6*(len(killed)+1) && !killed[p.Pid] {
			killed[p.Pid] = true
			sendSignal(t, p.Pid, syscall.SIGKILL)
		}
	}
	if err := within(t, told); err != nil {
		t.Error(err)
	}
	if len(lost) > len(killed) || len(killed) < 3 {
		t.Errorf("%d lost by %d kills", len(lost), len(killed))
	}
	t.Logf("%d kills, %d suspects that were not handled", len(killed), len(lost))
}

// A worker's crash is its own: messages wait for it, the one in progress fails.
func TestPoolWorkerCrash(t *testing.T) {
	for _, strategy := range []actor.Strategy{actor.OneForOne, actor.OneForAll} {
		t.Run(strategy.String(), func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			inbox := svInbox(t, sys)
			p := svPool(3, actor.RoundRobin, svArg{})
			p.Strategy = strategy
			pool := svSpawn(t, sys, p)
			before := svWorkers(t, pool)
			suspect := svAsk[string](t.Context(), pool, svEnd{How: "kill", Gate: inbox.Ref()})
			gate, _ := receive[Held](t, inbox)
			m := sys.Monitor(gate.From)
			var waiting []<-chan svAnswer[svProof]
			for i := range 9 { // three of them behind the suspect
				waiting = append(waiting, svAsk[svProof](t.Context(), pool, svNumber{N: i}))
			}
			svPass(t, gate)
			if a := within(t, suspect); !isSignal9(a.Err) {
				t.Errorf("got %+v", a)
			} else {
				svFate(t, a.Err, actor.InProgress)
			}
			if d := ended(t, m); !d.Restarting {
				t.Errorf("got %+v", d)
			}
			for _, a := range waiting {
				if a := within(t, a); a.Err != nil {
					t.Error(a.Err)
				}
			}
			eventually(t, "all are back", func() bool {
				for _, w := range svWorkers(t, pool) {
					if w.State != actor.Running {
						return false
					}
				}
				return true
			})
			for i, w := range svWorkers(t, pool) {
				if w.Ref != before[i].Ref || w.ID != before[i].ID {
					t.Errorf("worker %d is another", i+1)
				}
				if again := w.Pid != before[i].Pid; again != (strategy == actor.OneForAll || w.Ref == gate.From) {
					t.Errorf("worker %d: another process: %t", i+1, again)
				}
			}
		})
	}
}

// A pool without workers does not make anybody wait.
func TestPoolWithoutWorkers(t *testing.T) {
	for _, route := range []actor.Routing{actor.RoundRobin, actor.LeastLoaded, actor.ConsistentHash} {
		for _, restart := range []actor.Restart{actor.Temporary, actor.Transient} {
			t.Run(fmt.Sprint(route, " ", restart), func(t *testing.T) {
				sys := actortest.New(t, actor.Options{})
				p := svPool(2, route, svArg{})
				spec := survivors.With(svArg{})
				spec.Restart = restart
				p.Of = spec
				pool := svSpawn(t, sys, p)
				end := "panic"
				if restart == actor.Transient {
					end = "stop"
				}
				for i, w := range svWorkers(t, pool) {
					m := sys.Watch(w.Ref)
					tell(t, w.Ref, svEnd{How: end})
					if restart == actor.Temporary {
						ended(t, m)
					} else {
						eventually(t, "it has stopped", func() bool { return svWorkers(t, pool)[i].State == actor.Stopped })
						m.Stop()
					}
					if i == 0 { // the other one does all the work
						for n := range 10 {
							ask[svProof](t, pool, svNumber{N: n, Key: fmt.Sprint(n)})
						}
					}
				}
				_, err := actor.Ask[svProof](t.Context(), pool, svNumber{})
				svFate(t, err, actor.NotSent)
				svFate(t, pool.Tell(t.Context(), svNumber{}), actor.NotSent)
				rig := spawnRig(t, sys, rigArg{})
				if _, err := actor.Ask[int](t.Context(), rig, Relay{To: pool}); err == nil {
					t.Error("an actor got an answer")
				}
				if restart == actor.Temporary {
					return
				}
				// Workers that are back are used again.
				if err := pool.RestartChild(t.Context(), svWorkers(t, pool)[1].Ref); err != nil {
					t.Fatal(err)
				}
				if p := ask[svProof](t, pool, svNumber{}); p.Who != svWorkers(t, pool)[1].Ref {
					t.Errorf("got %+v", p)
				}
			})
		}
	}
}

// While all its workers restart, those who ask a pool wait; when it gives up, they
// are told.
func TestPoolRestarting(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := svInbox(t, sys)
	p := svPool(1, actor.RoundRobin, svArg{Gate: inbox.Ref()})
	p.Intensity = 2
	pool := svSpawn(t, sys, p)
	gate := svCrash(t, pool, inbox)
	asked := svAsk[svProof](t.Context(), pool, svNumber{N: 1})
	svQuiet(t, "answer", asked)
	svPass(t, gate)
	if a := within(t, asked); a.Err != nil || a.Value.Incarnation != 2 {
		t.Errorf("got %+v", a)
	}
	gate = svCrash(t, pool, inbox)
	asked = svAsk[svProof](t.Context(), pool, svNumber{N: 2})
	watch := sys.Watch(pool)
	gate.Reply(nil, errProbe)
	if d := ended(t, watch); d.Ref != pool || d.Restarting {
		t.Errorf("got %+v", d)
	}
	if a := within(t, asked); a.Err == nil {
		t.Errorf("got %+v", a)
	} else {
		svFate(t, a.Err, actor.NotBegun, actor.NotSent)
	}
	if _, err := actor.Ask[svProof](t.Context(), pool, svNumber{}); err == nil {
		t.Error("a pool that has ended answered")
	}
}

// A pool is a supervised child like any other.
func TestPoolAsChild(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	p := svPool(2, actor.RoundRobin, svArg{})
	p.Intensity, p.Restart = actor.NoRestarts, actor.Permanent
	top := svSpawn(t, sys, actor.Supervisor{Children: []actor.Child{survivors.With(svArg{}).Named("sibling"), p}})
	pool, err := sys.Lookup("pool")
	if err != nil {
		t.Fatal(err)
	}
	infos := svWorkers(t, top)
	if len(infos) != 2 || infos[1].Ref != pool || !infos[1].Supervisor || !infos[1].Pool || infos[0].Pool || infos[1].Type != "supervisor" {
		t.Errorf("got %+v", infos)
	}
	if n, err := pool.Count(t.Context()); err != nil || n != (actor.ChildCount{Specs: 2, Active: 2, Workers: 2}) {
		t.Errorf("got %+v, %v", n, err)
	}
	// It gives up at the first crash, and is restarted as a whole.
	before := svWorkers(t, pool)
	sendSignal(t, before[0].Pid, syscall.SIGKILL)
	eventually(t, "two other processes", func() bool {
		now := svWorkers(t, pool)
		return len(now) == 2 && now[0].State == actor.Running && now[1].State == actor.Running &&
			now[0].Pid != before[0].Pid && now[1].Pid != before[1].Pid
	})
	if got := ask[svProof](t, pool, svNumber{N: 5}); got.N != 5 {
		t.Errorf("got %+v", got)
	}
	if again, err := sys.Lookup("pool"); err != nil || again != pool {
		t.Errorf("got %v, %v; want the same Ref", again, err)
	}
	if err := top.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// What a pool is told must be something that its workers handle.
func TestPoolUnhandled(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	pool := svSpawn(t, sys, svPool(2, actor.RoundRobin, svArg{}))
	if err := pool.Tell(t.Context(), Unknown{}); !errors.Is(err, actor.ErrUnhandled) {
		t.Errorf("tell: got %v, want ErrUnhandled", err)
	}
	if _, err := actor.Ask[string](t.Context(), pool, Unknown{}); !errors.Is(err, actor.ErrUnhandled) {
		t.Errorf("ask: got %v, want ErrUnhandled", err)
	}
	plain := svSpawn(t, sys, actor.Supervisor{Children: []actor.Child{survivors}})
	if err := plain.Tell(t.Context(), svNumber{}); !errors.Is(err, actor.ErrUnhandled) {
		t.Errorf("a supervisor: got %v, want ErrUnhandled", err)
	}
	if n := sys.Stats().DeadLetters; n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

// What can be no pool is refused before there is a process.
func TestPoolMisuse(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for name, change := range map[string]func(*actor.Pool){
		"negative":      func(p *actor.Pool) { p.Size = -1 },
		"too many":      func(p *actor.Pool) { p.Size = 1025 },
		"nothing":       func(p *actor.Pool) { p.Of = nil },
		"named workers": func(p *actor.Pool) { p.Of = survivors.With(svArg{}).Named("all") },
		"supervisors":   func(p *actor.Pool) { p.Of = actor.Supervisor{} },
		"children":      func(p *actor.Pool) { p.Children = []actor.Child{survivors} },
		"dynamic":       func(p *actor.Pool) { p.Strategy = actor.Dynamic },
		"route":         func(p *actor.Pool) { p.Route = actor.ConsistentHash + 1 },
		"own budget":    func(p *actor.Pool) { p.Of = svSpec(svArg{}) },
	} {
		p := svPool(2, actor.RoundRobin, svArg{})
		change(&p)
		_, err := sys.Spawn(t.Context(), p)
		if e, ok := errors.AsType[*actor.SpawnError](err); !ok || e.Down != nil || e.Name != "pool" {
			t.Errorf("%s: got %v, want a SpawnError", name, err)
		}
	}
	if n := sys.Stats().Actors; n != 0 {
		t.Errorf("%d actors", n)
	}
	for size, want := range map[int]int{1: 1, 0: runtime.GOMAXPROCS(0)} {
		pool := svSpawn(t, sys, svPool(size, actor.LeastLoaded, svArg{}))
		if got := len(svWorkers(t, pool)); got != want {
			t.Errorf("Size %d: %d workers, want %d", size, got, want)
		}
		if err := pool.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// MaxPoolSize is the largest pool. That many processes need a while, and room.
func TestPoolOfMaxSize(t *testing.T) {
	if !*long {
		t.Skip("only with -long")
	}
	sys := actortest.New(t, actor.Options{})
	pool := svSpawn(t, sys, svPool(actor.MaxPoolSize, actor.RoundRobin, svArg{}))
	seen := map[int]bool{}
	for i := range actor.MaxPoolSize {
		seen[ask[svProof](t, pool, svNumber{N: i}).Pid] = true
	}
	if len(seen) != actor.MaxPoolSize {
		t.Errorf("%d workers, want %d", len(seen), actor.MaxPoolSize)
	}
}
