package wire

import (
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/codec"
)

// A Child is an actor or a supervisor to be started, as a tree.Child that can travel.
// Exactly one of Actor and Supervisor is set.
type Child struct {
	// ID is its name among its siblings; "" lets the node choose one.
	ID         string
	Actor      *Spec
	Supervisor *Supervisor

	Restart     tree.Restart
	Shutdown    time.Duration
	Significant bool
	Backoff     tree.Backoff
	Budget      tree.Budget // of an actor that has no supervisor
}

// A Supervisor is a tree.Supervisor that can travel.
type Supervisor struct {
	Name         string // to be registered under; "" for none
	Strategy     tree.Strategy
	Budget       tree.Budget
	AutoShutdown tree.AutoShutdown
	Route        Route
	Children     []Child
}

// Route says whether a supervisor passes messages on to its children, and to which.
type Route uint8

// The values of Route.
const (
	NoRoute        Route = iota // it takes none
	RoundRobin                  // to each in turn
	LeastLoaded                 // to that with the fewest unfinished
	ConsistentHash              // to the same one for the same key
)

// ChildInfo is what is known of one child of a supervisor or parent.
type ChildInfo struct {
	Address     codec.ID
	ID          string
	Type        string // "" for a supervisor
	Name        string
	State       tree.State
	Restart     tree.Restart
	Strategy    tree.Strategy // of a supervisor
	Pool        bool
	Incarnation uint64
	Pid         int
	Since       time.Time
	Restarts    uint64
	Recent      int
	Limit       int
	Last        *Reason // of the last end, if there was one
}
