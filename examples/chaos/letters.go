package main

import (
	"fmt"

	"github.com/progeny-go/progeny/actor"
)

// lettersLimit is how many dead letters wait for the ledger at most: more than the end of
// the largest subtree makes at once, mailboxes and flood together.
const lettersLimit = 16384

// A backlog is a queue of dead letters that has a bound, its capacity.
type backlog chan actor.DeadLetter

// An overload is the error of a backlog that is full.
type overload struct{ limit int }

func (e overload) Error() string {
	return fmt.Sprintf("overload: %d dead letters wait for the ledger, which is the limit", e.limit)
}

// put adds a letter. It never blocks: what finds the backlog full is not in it.
func (b backlog) put(l actor.DeadLetter) error {
	select {
	case b <- l:
		return nil
	default:
		return overload{cap(b)}
	}
}
