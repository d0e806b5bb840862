package actor

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strconv"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
)

// MaxPoolSize is the largest Size of a Pool.
const MaxPoolSize = 1024

// A Pool is a supervisor of workers that are all alike, with one Ref for all of
// them: what it is told or asked goes on to one of the workers, as Route says. A
// message that a worker has not begun when it dies waits for its next process,
// like any other. What is sent to a full worker is not given to another.
//
// Between one sender and a pool there is no order: two messages may be handled by
// two workers at the same time. With ConsistentHash those with the same key stay
// in order.
type Pool struct {
	// Supervisor says how the workers are supervised. Children must be empty, and
	// Strategy not Dynamic.
	Supervisor
	// Of is what the workers are: a Type, or a Spec without a Name.
	Of Child
	// Size is how many there are; zero means runtime.GOMAXPROCS(0), at most
	// MaxPoolSize. Their IDs are "1" to "Size".
	Size  int
	Route Routing
}

// Routing says which worker of a Pool gets a message.
type Routing uint8

// The ways of routing.
const (
	// RoundRobin: each in turn.
	RoundRobin Routing = iota
	// LeastLoaded: the one with the fewest unfinished messages.
	LeastLoaded
	// ConsistentHash: always the same one for the same key; see Keyed.
	ConsistentHash
)

// String returns a notation like "round-robin".
func (r Routing) String() string {
	switch r {
	case RoundRobin:
		return "round-robin"
	case LeastLoaded:
		return "least-loaded"
	case ConsistentHash:
		return "consistent-hash"
	}
	return "invalid"
}

// Keyed is a message that says by itself to which worker of a ConsistentHash pool
// it belongs: to the same one as all others with that key. RoutingKey is called
// by the sender. Of a message that is not Keyed its type and encoded content are
// the key.
type Keyed interface{ RoutingKey() string }

func (p Pool) label() (actorType, name string) { return "pool", p.Name }

func (p Pool) child() (wire.Child, error) {
	size := p.Size
	if size == 0 {
		size = min(runtime.GOMAXPROCS(0), MaxPoolSize)
	}
	switch {
	case len(p.Children) > 0:
		return wire.Child{}, errors.New("a pool has no Children but those that Of and Size make")
	case p.Strategy == Dynamic:
		return wire.Child{}, errors.New("the workers of a pool are its fixed children: its Strategy cannot be Dynamic")
	case size < 1 || size > MaxPoolSize:
		return wire.Child{}, fmt.Errorf("a pool of %d workers; 1 to %d are possible", size, MaxPoolSize)
	case p.Route > ConsistentHash:
		return wire.Child{}, fmt.Errorf("invalid Route %d", p.Route)
	}
	worker, err := wireChild(p.Of)
	switch {
	case err != nil:
		return wire.Child{}, fmt.Errorf("worker%s: %w", described(p.Of), err)
	case worker.Actor == nil:
		return wire.Child{}, fmt.Errorf("worker%s: the workers of a pool are actors", described(p.Of))
	case worker.Actor.Name != "":
		return wire.Child{}, fmt.Errorf("worker%s: the workers of a pool have no Name, only one can have it", described(p.Of))
	case worker.Budget != (tree.Budget{}):
		return wire.Child{}, fmt.Errorf("worker%s: %w", described(p.Of), errOwnBudget)
	}
	w := p.Supervisor.wire()
	w.Supervisor.Route = wire.RoundRobin + wire.Route(p.Route)
	for i := range size {
		c := *worker
		c.ID = strconv.Itoa(i + 1)
		w.Supervisor.Children = append(w.Supervisor.Children, c)
	}
	return w, nil
}

// keyOf returns the function that finds the routing key of messages of type t;
// nil if they have none. A message of type T has one also if only *T is Keyed.
func keyOf(t reflect.Type) func(message any) uint64 {
	keyed := reflect.TypeFor[Keyed]()
	switch {
	case t.Implements(keyed):
		pointer := t.Kind() == reflect.Pointer
		return func(message any) uint64 {
			if pointer && reflect.ValueOf(message).IsNil() {
				return 0
			}
			return hashKey(message.(Keyed).RoutingKey())
		}
	case reflect.PointerTo(t).Implements(keyed):
		return func(message any) uint64 {
			p := reflect.New(t)
			p.Elem().Set(reflect.ValueOf(message))
			return hashKey(p.Interface().(Keyed).RoutingKey())
		}
	}
	return nil
}

// hashKey is never zero, which is for messages without a key.
func hashKey(key string) uint64 { return max(wire.HashKey(wire.HashBasis, key), 1) }
