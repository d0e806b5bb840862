package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/progeny-go/progeny/actor"
)

// judge looks at how processes have ended since the last time: each end has to have
// a cause that the program knows of.
func (r *runner) judge() {
	r.ledger.mu.Lock()
	ended := r.ledger.exits
	deeds := maps.Clone(r.ledger.deeds)
	r.ledger.mu.Unlock()
	r.mu.Lock()
	signals := r.signals
	r.signals = map[int]bool{}
	r.mu.Unlock()
	for _, e := range ended {
		kind := fmt.Sprintf("%T", e.reason)[len("actor."):]
		r.mu.Lock()
		r.ends[kind]++
		stuck := r.stuck[e.pid]
		delete(r.stuck, e.pid)
		r.mu.Unlock()
		if stuck {
			r.fault("pid %d (%s), which did not answer, ended with %s: %+v", e.pid, e.name, kind, e.reason)
			if s := stackOf(e.reason); s != "" {
				r.fault("its stacks:\n%s", s)
			}
		}
		if !e.linked && !explained(e.reason, deeds[e.pid], signals[e.pid]) {
			r.fault("pid %d (%s) ended without a cause: %s: %.300v; it had done %v, lived %v and said last %.400q", e.pid, e.name, kind, e.reason, deeds[e.pid], e.down.Uptime, e.down.Log)
		}
	}
}

// explained reports whether a process could end like this.
func explained(reason actor.Reason, did []deed, signalled bool) bool {
	has := func(some ...deed) bool {
		return slices.ContainsFunc(did, func(d deed) bool { return slices.Contains(some, d) })
	}
	if signalled || has(closesAll, closesOne) {
		return true // it may have ended in many ways
	}
	switch reason := reason.(type) {
	case actor.Normal:
		return has(stops)
	case actor.Shutdown, actor.Killed, actor.Recycled:
		return true // with its supervisor, by an exit signal, or of age
	case actor.Hung:
		if reason.What == "heartbeat" {
			return has(stopsItself, leaks)
		}
		return has(hangs, spins, leaks, stopsItself)
	case actor.OutOfMemory:
		return has(leaks)
	case actor.Failed:
		return strings.Contains(reason.Error(), onPurpose)
	case actor.InitFailed:
		return strings.Contains(reason.Error(), onPurpose)
	case actor.Panic:
		return has(panics, goroutinePanics, nilMap, overflows, goexits, bearsAndDies)
	case actor.ExitCode:
		return has(exits, exitsZero)
	}
	return false
}

func stackOf(reason actor.Reason) string {
	switch reason := reason.(type) {
	case actor.Panic:
		return reason.Stack
	case actor.Signal:
		return reason.Stack
	case actor.Hung:
		return reason.Stacks
	}
	return ""
}
