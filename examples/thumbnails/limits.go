package main

import "github.com/progeny-go/progeny/actor"

// limitsInForce says whether limited limits anything. Until it does, the set that the
// program makes has no bombs.
const limitsInForce = false

// limited is what a worker may have.
func limited(s actor.Spec) actor.Spec { return s }
