package node

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

var anyone = func(int) bool { return true }

func unloaded(int) int { return 0 }

// picks picks so often.
func picks(p *picker, route wire.Route, times, n int, load func(int) int, usable func(int) bool) []int {
	got := []int{}
	for range times {
		got = append(got, p.pick(route, 0, n, load, usable))
	}
	return got
}

func picksAre(t *testing.T, what string, got []int, want ...int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: picked %v, want %v", what, got, want)
	}
}

func TestPickNone(t *testing.T) {
	none := func(int) bool { return false }
	for route := range wire.ConsistentHash + 2 {
		var p picker
		for what, got := range map[string]int{
			"none usable": p.pick(route, 1, 3, unloaded, none),
			"none there":  p.pick(route, 1, 0, unloaded, anyone),
		} {
			if got != -1 {
				t.Errorf("route %d, %s: got %d, want -1", route, what, got)
			}
		}
		got := p.pick(route, 1, 1, unloaded, anyone)
		if routes := route >= wire.RoundRobin && route <= wire.ConsistentHash; routes && got != 0 || !routes && got != -1 {
			t.Errorf("route %d, one worker: got %d", route, got)
		}
	}
}

func TestRoundRobin(t *testing.T) {
	var p picker
	picksAre(t, "all", picks(&p, wire.RoundRobin, 7, 3, nil, anyone), 0, 1, 2, 0, 1, 2, 0)
	// The neighbours of those that are missing get no more than others.
	two := func(i int) bool { return i != 1 && i != 2 }
	picksAre(t, "without 1 and 2", picks(&p, wire.RoundRobin, 7, 5, nil, two), 3, 4, 0, 3, 4, 0, 3)
	picksAre(t, "one left", picks(&p, wire.RoundRobin, 3, 5, nil, func(i int) bool { return i == 2 }), 2, 2, 2)
	p.next.Store(5)
	picksAre(t, "fewer workers", picks(&p, wire.RoundRobin, 3, 2, nil, anyone), 1, 0, 1)
}

// However many pick at once, all workers get the same.
func TestRoundRobinConcurrent(t *testing.T) {
	var p picker
	const n, pickers, each = 7, 8, 700
	var counts [pickers][n]int
	var picking sync.WaitGroup
	for g := range pickers {
		picking.Go(func() {
			for range each {
				counts[g][p.pick(wire.RoundRobin, 0, n, nil, anyone)]++
			}
		})
	}
	picking.Wait()
	for i := range n {
		sum := 0
		for g := range pickers {
			sum += counts[g][i]
		}
		if sum != pickers*each/n {
			t.Errorf("worker %d was picked %d times, want %d", i, sum, pickers*each/n)
		}
	}
}

func TestLeastLoaded(t *testing.T) {
	var p picker
	loads := []int{5, 3, 4, 3, 9, 3}
	load := func(i int) int { return loads[i] }
	picksAre(t, "ties", picks(&p, wire.LeastLoaded, 5, 6, load, anyone), 1, 3, 5, 1, 3)
	picksAre(t, "without 1", picks(&p, wire.LeastLoaded, 3, 6, load, func(i int) bool { return i != 1 }), 5, 3, 5)
	loads[4] = 0
	picksAre(t, "one", picks(&p, wire.LeastLoaded, 3, 6, load, anyone), 4, 4, 4)
	loads[4] = math.MaxInt
	picksAre(t, "only the fullest is usable", picks(&p, wire.LeastLoaded, 2, 6, load, func(i int) bool { return i == 4 }), 4, 4)

	// Loads that grow with what is picked come to differ by one at most.
	loads = []int{7, 0, 3, 2}
	for range 100 - 12 {
		loads[p.pick(wire.LeastLoaded, 0, 4, load, anyone)]++
	}
	for i, l := range loads {
		if l != 25 {
			t.Errorf("worker %d has %d, want 25", i, l)
		}
	}
}

// Each worker gets its share of the keys, whether they are hashes or small numbers.
func TestConsistentHashDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for name, key := range map[string]func(i int) uint64{
		"random":  func(int) uint64 { return rng.Uint64() },
		"counted": func(i int) uint64 { return uint64(i) },
		"high":    func(i int) uint64 { return uint64(i) << 48 },
		"text":    func(i int) uint64 { return hashPayload(nil, fmt.Append(nil, "customer-", i)) },
	} {
		for _, n := range []int{2, 3, 10, 64} {
			var p picker
			counts := make([]int, n)
			each := 1000
			for i := range n * each {
				counts[p.pick(wire.ConsistentHash, key(i), n, nil, anyone)]++
			}
			for i, c := range counts {
				if math.Abs(float64(c-each)) > 5*math.Sqrt(float64(each)) { // five standard deviations
					t.Errorf("%s keys, %d workers: worker %d has %d, want about %d", name, n, i, c, each)
				}
			}
		}
	}
}

// The loss of a worker moves its keys, to all others alike, and no other keys; so does one more.
func TestConsistentHashStability(t *testing.T) {
	var p picker
	const n, keys, lost = 8, 8000, 3
	moved := make([]int, n)
	for k := range uint64(keys) {
		before := p.pick(wire.ConsistentHash, k, n, nil, anyone)
		if again := p.pick(wire.ConsistentHash, k, n, nil, anyone); again != before {
			t.Fatalf("key %d went to %d, then to %d", k, before, again)
		}
		after := p.pick(wire.ConsistentHash, k, n, nil, func(i int) bool { return i != lost })
		if before != lost && after != before {
			t.Fatalf("key %d moved from %d to %d, though %d was lost", k, before, after, lost)
		}
		if before == lost {
			moved[after]++
		}
		if more := p.pick(wire.ConsistentHash, k, n+1, nil, anyone); more != before && more != n {
			t.Fatalf("key %d moved from %d to %d, though %d is new", k, before, more, n)
		}
	}
	for i, c := range moved {
		want := keys / n / (n - 1)
		if i == lost {
			want = 0
		}
		if math.Abs(float64(c-want)) > 5*math.Sqrt(float64(want)) {
			t.Errorf("%d of the keys of %d moved to %d, want about %d", c, lost, i, want)
		}
	}
}

func TestHashPayload(t *testing.T) {
	for _, c := range []struct {
		typ, payload string
		want         uint64
	}{ // test vectors of FNV's authors
		{"", "", 0xcbf29ce484222325}, {"a", "", 0xaf63dc4c8601ec8c}, {"", "a", 0xaf63dc4c8601ec8c}, {"foo", "bar", 0x85944171f73967e8},
	} {
		if got := hashPayload([]byte(c.typ), []byte(c.payload)); got != c.want {
			t.Errorf("%q, %q: got %x, want %x", c.typ, c.payload, got, c.want)
		}
	}
	text := make([]byte, 1000)
	for i := range text {
		text[i] = byte(i * i)
	}
	h := fnv.New64a()
	h.Write(text)
	if got := hashPayload(text[:300], text[300:]); got != h.Sum64() {
		t.Errorf("got %x, want %x", got, h.Sum64())
	}
}

func TestPickAllocates(t *testing.T) {
	var p picker
	loads := make([]int, 10)
	for route := range wire.ConsistentHash + 1 {
		if n := testing.AllocsPerRun(100, func() {
			p.pick(route, 7, len(loads), func(i int) int { return loads[i] }, func(i int) bool { return loads[i] == 0 })
		}); n != 0 {
			t.Errorf("route %d: %v allocations", route, n)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	names := [...]string{wire.RoundRobin: "RoundRobin", wire.LeastLoaded: "LeastLoaded", wire.ConsistentHash: "ConsistentHash"}
	for route := wire.RoundRobin; route <= wire.ConsistentHash; route++ {
		for _, n := range []int{4, 64, 1024} {
			b.Run(fmt.Sprintf("%s/%d", names[route], n), func(b *testing.B) {
				var p picker
				loads := make([]int, n)
				b.ReportAllocs()
				for key := uint64(0); b.Loop(); key++ {
					p.pick(route, key, n, func(i int) int { return loads[i] }, func(i int) bool { return loads[i] == 0 })
				}
			})
		}
	}
}

func BenchmarkHashPayload(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			payload := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				hashPayload(nil, payload)
			}
		})
	}
}
