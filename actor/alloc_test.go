//go:build linux && !race

// Not under the race detector: there sync.Pool drops items on purpose, which allocates.

package actor_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// What allocates on a message's way. The counts of TestAllocations are sums of these.
const (
	boxed    = 1      // a struct that is passed as an any
	contexts = 1. / 8 // the handler's Context: they are made eight at a time; Tells of one sender share one
	asked    = 1      // in the actor, for a Cancel to find
	replied  = 1      // the reply, on the heap of who sends it and of who gets it
	relayed  = 2      // in the program, what waits to be taken in, and what is to be done then

	// dust is what is allocated for many messages at once: memory for those that wait, a chunk of
	// bytes, a goroutine's start.
	dust = 0.1
)

// Tick is a message that holds no memory of its own.
type Tick struct{ N, At int64 }

type (
	// Allocations is answered with a Meter.
	Allocations struct{}
	// Meter is how often a process has allocated, ever.
	Meter struct {
		Pid     int
		Mallocs uint64
	}
	// Spread has the meter tell To so many Ticks.
	Spread struct {
		To actor.Ref
		N  int64
	}
)

// meter takes Ticks and knows what they cost.
type meter struct{}

func (*meter) Tick(_ *actor.Context, m Tick) (Tick, error) { return m, nil }

func (*meter) Allocations(*actor.Context, Allocations) (Meter, error) {
	return Meter{os.Getpid(), mallocs()}, nil
}

func (*meter) Spread(c *actor.Context, m Spread) error {
	for i := range m.N {
		if err := m.To.Tell(c, Tick{N: i}); err != nil {
			return err
		}
	}
	return nil
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}

var meters = actor.Define("meter", actor.Zero[meter],
	actor.On((*meter).Tick), actor.On((*meter).Allocations), actor.OnTell((*meter).Spread))

// spawnMeter returns an actor that collects no garbage: a collection empties pools.
func spawnMeter(t *testing.T, sys *actor.System) actor.Ref {
	t.Helper()
	spec := meters.With(struct{}{})
	spec.Env = append(os.Environ(), "GOGC=off")
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// A span is how often something may allocate for each message, but for dust.
type span struct{ least, most float64 }

// TestAllocations counts in the program and in the actor's process, all goroutines included.
func TestAllocations(t *testing.T) {
	const rounds, burst = 20, 500 // less than what makes a sender wait
	sys := actortest.New(t, actor.Options{})
	ref, other := spawnMeter(t, sys), spawnMeter(t, sys)
	pid := ask[Meter](t, ref, Allocations{}).Pid
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	tell := func(message func() any) {
		// Stopped, so that it gets them all at once and need not be woken for each.
		sendSignal(t, pid, syscall.SIGSTOP)
		for range burst {
			if err := ref.Tell(t.Context(), message()); err != nil {
				t.Error(err)
			}
		}
		sendSignal(t, pid, syscall.SIGCONT)
		ask[Tick](t, ref, Tick{})
	}
	ticks := int64(0)
	for _, c := range []struct {
		name           string
		send           func() // burst messages
		program, actor span
	}{
		{
			name:    "Tell",
			send:    func() { tell(func() any { ticks++; return Tick{N: ticks} }) },
			program: span{boxed, boxed},
		},
		{
			name: "Tell of a pointer",
			send: func() { tick := new(Tick); tell(func() any { return tick }) },
		},
		{
			name: "Ask",
			send: func() {
				for range burst {
					ticks++
					if got := ask[Tick](t, ref, Tick{N: ticks}); got.N != ticks {
						t.Fatalf("got %d, want %d", got.N, ticks)
					}
				}
			},
			program: span{boxed + replied, boxed + replied},
			actor:   span{asked + contexts + replied, asked + contexts + replied},
		},
		{
			name: "Tell from one actor to another",
			send: func() {
				ask[actor.None](t, ref, Spread{other, burst})
				ask[Tick](t, other, Tick{})
			},
			program: span{0, relayed},
			actor:   span{boxed, boxed},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.send() // the pools are full then
			there, here := ask[Meter](t, ref, Allocations{}), mallocs()
			for range rounds {
				c.send()
			}
			inProgram := mallocs() - here
			inActor := ask[Meter](t, ref, Allocations{}).Mallocs - there.Mallocs
			check := func(side string, n uint64, want span) {
				if got := float64(n) / (rounds * burst); got < want.least || got > want.most+dust {
					t.Errorf("in the %s: %.3f allocations for each message, want %v to %v", side, got, want.least, want.most)
				}
			}
			check("program", inProgram, c.program)
			check("actor", inActor, c.actor)
		})
	}
}
