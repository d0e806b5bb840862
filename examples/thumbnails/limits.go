package main

import (
	"time"

	"github.com/progeny-go/progeny/actor"
)

// limitsInForce says whether limited limits anything. Without, the set that the
// program makes has no bombs.
const limitsInForce = true

// limited is what a worker may have, and what it may do: nothing but to decode. What the machine
// cannot keep is left out. Where it has no control groups, somebody looks at the memory
// now and then.
func limited(s actor.Spec) actor.Spec {
	s.Limits = actor.Limits{Memory: 256 << 20, NoCoreDumps: true, BestEffort: true}
	s.HandlerTimeout = 2 * time.Second
	s.Sandbox = actor.Strict()
	s.Sandbox.BestEffort = true
	return s
}
