package tree

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// crowded returns a tree in which n actors are up, each supervised by itself, and restarted
// however often.
func crowded(b *testing.B, n int) *Tree {
	b.Helper()
	t := New(Config{})
	spec := &Child{Name: "a", Restart: Permanent, Budget: Budget{Intensity: math.MaxInt, Period: 1}}
	for range n {
		for _, e := range t.Step(0, StartChild{Child: spec}) {
			if boot, ok := e.(Boot); ok {
				t.Step(0, Ready{ID: boot.ID, Inc: boot.Inc})
			}
		}
	}
	return t
}

// restart ends an incarnation and brings up the next, of which it returns the number.
func restart(b *testing.B, t *Tree, now time.Duration, id ID, inc uint64) uint64 {
	for _, e := range t.Step(now, Exited{ID: id, Inc: inc}) {
		if boot, ok := e.(Boot); ok {
			t.Step(now, Ready{ID: boot.ID, Inc: boot.Inc})
			return boot.Inc
		}
	}
	b.Fatal("it is not restarted")
	return 0
}

// BenchmarkRestartAmong is what the tree has to do with a crash and the restart after it, with so many
// others there.
func BenchmarkRestartAmong(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint("actors=", n), func(b *testing.B) {
			t := crowded(b, n)
			inc, now := uint64(1), time.Duration(0)
			b.ReportAllocs()
			for b.Loop() {
				now += 10 // so that the budget's period is always over
				inc = restart(b, t, now, 1, inc)
			}
		})
	}
}

// BenchmarkRestartAll is the same where all the children of a supervisor are restarted for one.
func BenchmarkRestartAll(b *testing.B) {
	const n = 100
	t := New(Config{})
	s := &Supervisor{Strategy: OneForAll, Budget: Budget{Intensity: math.MaxInt, Period: 1}}
	for i := range n {
		s.Children = append(s.Children, Child{Name: fmt.Sprint(i), Restart: Permanent})
	}
	incs := make(map[ID]uint64) // of those that are up
	now := time.Duration(0)
	var obey func([]Effect)
	obey = func(effects []Effect) {
		for _, e := range effects {
			switch e := e.(type) {
			case Boot:
				incs[e.ID] = e.Inc
				obey(t.Step(now, Ready{ID: e.ID, Inc: e.Inc}))
			case Stop:
				obey(t.Step(now, Exited{ID: e.ID, Inc: e.Inc, Reason: shutdown}))
			}
		}
	}
	obey(t.Step(now, StartChild{Child: &Child{Name: "s", Supervisor: s}}))
	if len(incs) != n {
		b.Fatalf("%d of %d are up", len(incs), n)
	}
	const first = ID(2) // after the supervisor
	b.ReportAllocs()
	for b.Loop() {
		now += 10
		before := incs[first]
		obey(t.Step(now, Exited{ID: first, Inc: before}))
		if incs[first] == before {
			b.Fatal("it was not restarted")
		}
	}
}

// BenchmarkStart is a start, and the stop after it, with so many others there.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint("actors=", n), func(b *testing.B) {
			t := crowded(b, n)
			spec := &Child{Name: "a"}
			b.ReportAllocs()
			for b.Loop() {
				var id ID
				for _, e := range t.Step(0, StartChild{Call: 1, Child: spec}) {
					if boot, ok := e.(Boot); ok {
						id = boot.ID
						t.Step(0, Ready{ID: id, Inc: boot.Inc})
					}
				}
				t.Step(0, TerminateChild{Call: 2, ID: id})
				t.Step(0, Exited{ID: id, Inc: 1, Reason: shutdown})
			}
			if len(t.nodes) != n+1 { // and the root
				b.Errorf("%d nodes are left of %d", len(t.nodes), n+1)
			}
		})
	}
}
