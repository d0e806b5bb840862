package node

import (
	"sync/atomic"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// A picker chooses the worker of a pool that gets a message. The zero value begins with the
// first one. It is safe for concurrent use.
type picker struct {
	next atomic.Int64 // where RoundRobin, and the search of LeastLoaded, goes on
}

// pick returns which of n workers is next, counted from 0, or -1 if none is usable or route
// is none. It asks load, which says how much a worker has to do, for LeastLoaded only, and
// needs key for ConsistentHash only. It does not allocate.
//
// RoundRobin goes through the usable ones in turn. LeastLoaded takes the one with the lowest
// load, and those that have the same in turn. ConsistentHash takes the same one for the same key:
// with one worker less only the keys of that one go elsewhere, evenly to all others, and come
// back with it.
func (p *picker) pick(route wire.Route, key uint64, n int, load func(i int) int, usable func(i int) bool) int {
	switch route {
	case wire.RoundRobin:
		return p.inTurn(n, usable)
	case wire.LeastLoaded:
		return p.leastLoaded(n, load, usable)
	case wire.ConsistentHash:
		return rendezvous(key, n, usable)
	}
	return -1
}

func (p *picker) inTurn(n int, usable func(i int) bool) int {
	for {
		next, found := p.next.Load(), -1
		for step := range n {
			if i := int((next + int64(step)) % int64(n)); usable(i) {
				found = i
				break
			}
		}
		if found < 0 || p.next.CompareAndSwap(next, int64(found)+1) {
			return found
		}
	}
}

// leastLoaded begins behind its last choice and takes the first of the best. Two who
// choose at the same time may choose the same.
func (p *picker) leastLoaded(n int, load func(i int) int, usable func(i int) bool) int {
	next, best, lowest := p.next.Load(), -1, 0
	for step := range n {
		i := int((next + int64(step)) % int64(n))
		if !usable(i) {
			continue
		}
		if l := load(i); best < 0 || l < lowest {
			best, lowest = i, l
		}
	}
	if best >= 0 {
		p.next.Store(int64(best) + 1)
	}
	return best
}

// rendezvous is highest random weight hashing (Thaler and Ravishankar, 1996): each worker
// has a weight of its own for each key, and the highest wins.
func rendezvous(key uint64, n int, usable func(i int) bool) int {
	best, highest := -1, uint64(0)
	for i := range n {
		if !usable(i) {
			continue
		}
		if w := mix(key ^ mix(uint64(i)+1)); best < 0 || w > highest {
			best, highest = i, w
		}
	}
	return best
}

// mix is the finalizer of splitmix64, a bijection in which each bit depends on all.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hashPayload is the key of a message that has none: 64-bit FNV-1a of its type and payload, one
// after the other. It takes about a nanosecond for each byte.
func hashPayload(typ, payload []byte) uint64 {
	return wire.HashKey(wire.HashKey(wire.HashBasis, typ), payload)
}
