package main

import (
	"time"

	"github.com/progeny-go/progeny/actor"
)

// Within a minute so many restarts are fine where the scene is not about that.
const plenty = 100

// tree is what the tour is through: a literal.
func tree() actor.Supervisor {
	return actor.Supervisor{
		Name: "tour", Intensity: plenty, Period: time.Minute,
		Children: []actor.Child{
			single(),
			group("together", actor.OneForAll, "un", "deux", "trois"),
			group("chain", actor.RestForOne, "first", "second", "third"),
			crowd(),
			actor.Pool{
				Supervisor: actor.Supervisor{Name: "pool", Intensity: plenty, Period: time.Minute},
				Of:         mortal, Size: 3,
			},
			fragile(),
			job(),
		},
	}
}

// single has actors that each die for themselves.
func single() actor.Supervisor {
	ann := named("ann")
	bob := named("bob")
	bob.StopTimeout = 100 * time.Millisecond
	kit := named("kit")
	kit.Redeliver = 2
	eve := mortal.With(Life{Stillborn: []uint64{2, 3}}).Named("eve")
	eve.Backoff = actor.Backoff{Min: 20 * time.Millisecond}
	mia := mortal.With(Life{Children: []string{"max", "moe"}}).Named("mia")
	tim := named("tim")
	tim.Restart = actor.Temporary
	pat := named("pat")
	pat.Restart = actor.Permanent
	gus := guest.With(Life{}).Named("gus")
	return actor.Supervisor{
		Name: "single", Intensity: plenty, Period: time.Minute,
		Children: []actor.Child{ann, bob, eve, gus, kit, mia, pat, tim},
	}
}

// group has actors that depend on one another.
func group(name string, strategy actor.Strategy, members ...string) actor.Supervisor {
	g := actor.Supervisor{Name: name, Strategy: strategy, Intensity: plenty, Period: time.Minute}
	for _, m := range members {
		g.Children = append(g.Children, named(m))
	}
	return g
}

// crowd has none at first.
func crowd() actor.Supervisor {
	return actor.Supervisor{
		Name: "crowd", Strategy: actor.Dynamic, Intensity: plenty, Period: time.Minute,
		Children: []actor.Child{mortal},
	}
}

// fragile gives up at the second crash. Permanent, it is then restarted itself.
func fragile() actor.Supervisor {
	return actor.Supervisor{
		Name: "fragile", Restart: actor.Permanent, Intensity: 1, Period: time.Minute,
		Children: []actor.Child{named("cup"), named("jug")},
	}
}

// job is over when its boss is done.
func job() actor.Supervisor {
	boss := named("boss")
	boss.Significant = true
	return actor.Supervisor{
		Name: "job", AutoShutdown: actor.AnySignificant,
		Children: []actor.Child{named("clerk"), boss},
	}
}

func named(name string) actor.Spec { return mortal.With(Life{}).Named(name) }
