package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// A strike is a fault that comes from the program.
type strike struct {
	name   string
	weight int
	do     func(*runner, *rand.Rand)
}

var strikes = []strike{
	{"SIGKILL", 12, func(r *runner, dice *rand.Rand) { r.signalOne(dice, syscall.SIGKILL) }},
	{"SIGSEGV", 2, func(r *runner, dice *rand.Rand) { r.signalOne(dice, syscall.SIGSEGV) }},
	{"SIGTERM", 2, func(r *runner, dice *rand.Rand) { r.signalOne(dice, syscall.SIGTERM) }},
	{"SIGKILL of a process that boots", 3, (*runner).killBooting},
	{"SIGSTOP and SIGCONT", 8, (*runner).stopAndContinue},
	{"SIGSTOP, then stopped by its supervisor", 2, (*runner).stopUntilBound},
	{"SIGSTOP, until the heartbeat is missed", 3, (*runner).stopUntilHung},
	{"exit signal", 3, (*runner).exitSignal},
	{"stop and restart of a child", 4, (*runner).stopOne},
	{"kill of a subtree", 1, (*runner).killTree},
}

// weights of deeds, for which the actor is told.
var weights = [deeds]int{
	panics: 6, goroutinePanics: 4, nilMap: 2, overflows: 1, exits: 4, exitsZero: 2, goexits: 1, fails: 3, failsForGood: 3, stops: 3,
	hangs: 3, spins: 3, leaks: 2, closesAll: 2, closesOne: 4, stopsItself: 1,
	floodsMessages: 4, floodsLogs: 2, floodsOutput: 2, bears: 2, bearsFar: 1, bearsAndDies: 2,
}

// faultSender is who tells actors to do deeds, and the numbers after it.
const faultSender = programs + 1000

// strike strikes until ctx is done.
func (r *runner) strike(ctx context.Context, who uint64) {
	dice := rand.New(rand.NewPCG(r.seed, 1000+who))
	for {
		wait := time.Duration(dice.ExpFloat64() * float64(r.every) * faulters)
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(wait, time.Minute)):
		}
		r.gate.RLock()
		if ctx.Err() == nil {
			r.strikeOnce(dice, uint32(faultSender+who))
		}
		r.gate.RUnlock()
	}
}

func (r *runner) strikeOnce(dice *rand.Rand, me uint32) {
	total := 0
	for _, s := range strikes {
		total += s.weight
	}
	for _, w := range weights {
		total += w
	}
	n := dice.IntN(total)
	for _, s := range strikes {
		if n -= s.weight; n < 0 {
			s.do(r, dice)
			r.count(s.name)
			return
		}
	}
	for d, w := range weights {
		if n -= w; n < 0 {
			d := deed(d)
			if r.victim && (d == bears || d == bearsFar || d == bearsAndDies) {
				return // what an actor has started outlives a SIGKILL of the program: a documented limit
			}
			if r.sendOne(me, dice, d) {
				r.count(d.String())
			}
			return
		}
	}
}

func (r *runner) count(name string) {
	r.faults.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.struck[name]++
}

// signal sends a signal to a child of this process, and to nobody else: the handle
// is taken before it is looked at.
func (r *runner) signal(pid int, s syscall.Signal) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	if info, ok := readProcess(pid); !ok || info.parent != os.Getpid() {
		return false
	}
	r.mu.Lock()
	r.signals[pid] = true
	r.mu.Unlock()
	return p.Signal(s) == nil
}

// choose returns an actor that the condition fits.
func (r *runner) choose(dice *rand.Rand, fits func(leaf) bool) (leaf, bool) {
	leaves, _, _ := r.walk()
	dice.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	for _, l := range leaves {
		if fits(l) {
			return l, true
		}
	}
	return leaf{}, false
}

func hasProcess(l leaf) bool { return l.info.Pid != 0 }

func (r *runner) signalOne(dice *rand.Rand, s syscall.Signal) {
	if l, ok := r.choose(dice, hasProcess); ok {
		r.signal(l.info.Pid, s)
	}
}

// killBooting kills somebody and then, as soon as it is there, his next process.
func (r *runner) killBooting(dice *rand.Rand) {
	l, ok := r.choose(dice, hasProcess)
	if !ok || !r.signal(l.info.Pid, syscall.SIGKILL) {
		return
	}
	for begin := time.Now(); time.Since(begin) < time.Second; time.Sleep(200 * time.Microsecond) {
		leaves, _, _ := r.walk()
		for _, next := range leaves {
			if next.info.Ref == l.info.Ref && next.info.Pid != 0 && next.info.Pid != l.info.Pid {
				time.Sleep(time.Duration(dice.IntN(3000)) * time.Microsecond)
				r.signal(next.info.Pid, syscall.SIGKILL)
				return
			}
		}
	}
}

func (r *runner) stopAndContinue(dice *rand.Rand) {
	if l, ok := r.choose(dice, hasProcess); ok && r.signal(l.info.Pid, syscall.SIGSTOP) {
		time.Sleep(time.Duration(50+dice.IntN(1500)) * time.Millisecond)
		r.signal(l.info.Pid, syscall.SIGCONT)
	}
}

// movable are those that may be ended for good: they have no durable timers, and a
// supervisor.
func (r *runner) movable(l leaf) bool {
	return l.info.Pid != 0 && l.supervised && !r.target(l).durable
}

func (r *runner) target(l leaf) target {
	if n, err := strconv.Atoi(strings.TrimPrefix(l.info.Name, "t")); err == nil && n < len(r.forest.targets) {
		return r.forest.targets[n]
	}
	return target{} // a worker of a pool
}

func (r *runner) stopUntilBound(dice *rand.Rand) {
	if l, ok := r.choose(dice, r.movable); ok && r.signal(l.info.Pid, syscall.SIGSTOP) {
		r.terminate(l)
	}
}

// stopUntilHung leaves it to the heartbeat.
func (r *runner) stopUntilHung(dice *rand.Rand) {
	const bound = 2*heartbeat + time.Second + grace
	l, ok := r.choose(dice, func(l leaf) bool { return l.info.State == actor.Running })
	if !ok || !r.signal(l.info.Pid, syscall.SIGSTOP) {
		return
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if p, ok := readProcess(l.info.Pid); !ok || p.state != 'T' {
			return
		}
		if took := time.Since(begin); took > bound {
			r.fault("%s, pid %d, is still stopped after %v", l.path, l.info.Pid, took)
			r.signal(l.info.Pid, syscall.SIGKILL)
			return
		}
	}
}

func (r *runner) stopOne(dice *rand.Rand) {
	if l, ok := r.choose(dice, r.movable); ok {
		r.terminate(l)
	}
}

// grace is what a bound may be exceeded by on a busy machine.
const grace = 5 * time.Second

// terminate stops a child within its bound, and starts it again.
func (r *runner) terminate(l leaf) {
	const bound = stopTimeout + time.Second + grace
	ctx, cancel := context.WithTimeout(context.Background(), 2*bound)
	defer cancel()
	begin := time.Now()
	err := l.sup.TerminateChild(ctx, l.info.Ref)
	if took := time.Since(begin); took > bound {
		r.fault("the stop of %s, pid %d, took %v: %v", l.path, l.info.Pid, took, err)
	}
	r.mend()
}

func (r *runner) exitSignal(dice *rand.Rand) {
	if l, ok := r.choose(dice, hasProcess); ok {
		reasons := []error{fmt.Errorf("enough %s", onPurpose), actor.Killed{}, actor.Shutdown{Detail: onPurpose}}
		l.info.Ref.Exit(context.Background(), reasons[dice.IntN(len(reasons))])
	}
}

// killTree kills a supervisor with all that is under it.
func (r *runner) killTree(dice *rand.Rand) {
	_, sups, _ := r.walk()
	if len(sups) == 0 {
		return
	}
	s := sups[dice.IntN(len(sups))]
	if s.info.Name == "timed" {
		return // it has durable timers
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*grace)
	defer cancel()
	if err := s.info.Ref.Kill(ctx); err != nil && errors.Is(err, context.DeadlineExceeded) {
		r.fault("the kill of %s took more than %v", s.path, 2*grace)
	}
	r.mend()
}

// mend starts what was stopped, and fills the crowd.
func (r *runner) mend() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*grace)
	defer cancel()
	leaves, sups, err := r.walk()
	if err != nil {
		return
	}
	crowd, present := actor.Ref{}, map[string]bool{}
	for _, l := range append(sups, leaves...) {
		present[l.info.Name] = true
		if l.info.Name == crowdName {
			crowd = l.info.Ref
		}
		if l.info.State == actor.Stopped && l.supervised {
			l.sup.RestartChild(ctx, l.info.Ref) // if it fails, next time
		}
	}
	for _, n := range r.forest.crowd {
		if !crowd.IsZero() && !present[name(n)] {
			crowd.StartChild(ctx, r.forest.spec(n))
		}
	}
}
