package main

import (
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// A target is what has a number and a name, and is told and asked: an actor or a
// pool.
type target struct {
	ordered   bool // messages of one sender are handled in order
	redeliver bool // its Spec has suspects handled again
	durable   bool // nothing ends it for good, so that it may have durable timers
	dynamic   bool // a child of the crowd, which comes and goes
}

// name is under which a target is registered, or who a sender is.
func name(n uint32) string {
	if n >= programs {
		return fmt.Sprint("program ", n-programs)
	}
	return fmt.Sprint("t", n)
}

// programs and the numbers after it are senders in the program.
const programs = 1 << 20

const (
	crowdName = "crowd"
	plenty    = 1 << 30 // restarts in a second: more than there can be
)

// forest is the tree, and who is in it.
type forest struct {
	actor.Supervisor
	targets  []target
	actors   int      // how many processes it has when it is whole
	crowd    []uint32 // those to be started under the crowd
	template Arg
}

// plant makes a tree of n actors, whose arguments begin with the template. Shares of n go to each kind of family; what
// remains is single.
func plant(n int, template Arg) *forest {
	template.Targets = uint32(len(grow(n, template).targets)) // everybody has to know how many there are
	return grow(n, template)
}

func grow(n int, template Arg) *forest {
	f := &forest{template: template}
	share := func(percent, least int) int { return max(n*percent/100, least) }
	children := []actor.Child{
		f.family("together", actor.OneForAll, f.workers(share(5, 2), target{ordered: true})),
		f.family("chain", actor.RestForOne, f.workers(share(7, 3), target{ordered: true})),
		f.pool("hash", actor.OneForOne, actor.ConsistentHash, share(8, 2)),
		f.pool("robin", actor.RestForOne, actor.RoundRobin, share(7, 2)),
		f.pool("least", actor.OneForAll, actor.LeastLoaded, share(4, 2)),
		f.family("nest", actor.RestForOne, append(f.workers(2, target{ordered: true}),
			f.family("egg", actor.OneForOne, append(f.workers(share(4, 2), target{ordered: true}),
				f.pool("inner", actor.OneForOne, actor.ConsistentHash, 2))),
		)),
		f.fragile(share(4, 2)),
		f.family("timed", actor.OneForOne, f.workers(share(6, 2), target{ordered: true, durable: true})),
		f.family("poison", actor.OneForOne, f.workers(share(4, 2), target{ordered: true, redeliver: true})),
		f.linked(share(4, 4)),
		f.watchers(share(4, 2)),
		f.parents(share(3, 2)),
		f.backoff(share(3, 2)),
		f.small(share(3, 2)),
		f.dynamic(share(8, 3)),
	}
	if rest := n - f.actors; rest > 0 {
		children = append(children, f.family("single", actor.OneForOne, f.workers(rest, target{ordered: true})))
	}
	f.Supervisor = actor.Supervisor{Name: "top", Intensity: plenty, Period: time.Second, Children: children}
	return f
}

// number gives the next number, to a target of so many processes.
func (f *forest) number(t target, processes int) uint32 {
	f.targets = append(f.targets, t)
	f.actors += processes
	return uint32(len(f.targets) - 1)
}

func (f *forest) arg(n uint32) Arg {
	a := f.template
	a.Me, a.Durable, a.Grouped = n, f.targets[n].durable, f.template.Grouped && limited(n)
	if f.targets[n].dynamic { // it has the limits of the crowd's template
		a.Grouped = f.template.Grouped && limited(f.crowd[0])
	}
	return a
}

// specOf says how an actor is treated. It is used in the program and, by actors
// that spawn others, in their processes.
func specOf(of actor.Type[Arg], arg Arg) actor.Spec {
	spec := of.With(arg).Named(name(arg.Me))
	spec.Restart = actor.Permanent
	spec.StopTimeout, spec.StartTimeout = stopTimeout, startTimeout
	spec.Mailbox.Messages = mailboxSize
	spec.HandlerTimeout, spec.Heartbeat = handlerTimeout, heartbeat
	if limited(arg.Me) {
		spec.Limits = actor.Limits{Memory: memoryLimit, BestEffort: true}
	}
	if arg.Me%5 == 1 {
		spec.Recycle = actor.Recycle{After: 20 * time.Second, Messages: 400}
	}
	return spec
}

// limited are those whose memory is limited. The others may be standby processes.
func limited(n uint32) bool { return n%2 == 0 }

func (f *forest) spec(n uint32) actor.Spec {
	spec := specOf(worker, f.arg(n))
	if f.targets[n].redeliver {
		spec.Redeliver = 3
	}
	return spec
}

func (f *forest) workers(n int, t target) (children []actor.Child) {
	for range n {
		children = append(children, f.spec(f.number(t, 1)))
	}
	return children
}

func (f *forest) family(name string, s actor.Strategy, children []actor.Child) actor.Supervisor {
	return actor.Supervisor{
		Name: name, Strategy: s, Intensity: plenty, Period: time.Second, Restart: actor.Permanent, Children: children,
	}
}

func (f *forest) pool(label string, s actor.Strategy, route actor.Routing, size int) actor.Child {
	n := f.number(target{ordered: route == actor.ConsistentHash}, size)
	of := f.spec(n)
	of.Name = ""
	sup := f.family(label, s, nil)
	sup.Name = name(n)
	return actor.Pool{Supervisor: sup, Of: of, Size: size, Route: route}
}

// fragile gives up often, and comes back.
func (f *forest) fragile(n int) actor.Child {
	sup := f.family("fragile", actor.OneForOne, f.workers(n, target{ordered: true}))
	sup.Intensity, sup.Period = 1, 20*time.Second
	return sup
}

// linked are pairs: the second of each links to the first.
func (f *forest) linked(n int) actor.Child {
	children := f.workers(n-n%2, target{ordered: true})
	for i := 1; i < len(children); i += 2 {
		first := uint32(len(f.targets) - len(children) + i - 1)
		arg := f.arg(first + 1)
		arg.Link = []uint32{first}
		children[i] = specOf(worker, arg)
	}
	return f.family("linked", actor.OneForOne, children)
}

// watchers monitor others, and trap exits.
func (f *forest) watchers(n int) actor.Child {
	var children []actor.Child
	for range n {
		me := f.number(target{ordered: true}, 1)
		arg := f.arg(me)
		for i := range min(me, 3) {
			arg.Watch = append(arg.Watch, me*(i+1)/4)
		}
		arg.Link = arg.Watch[:1]
		children = append(children, specOf(watcher, arg))
	}
	return f.family("watchers", actor.OneForOne, children)
}

// parents spawn two actors each.
func (f *forest) parents(n int) actor.Child {
	var children []actor.Child
	for range n {
		me := f.number(target{ordered: true}, 1)
		arg := f.arg(me)
		for range 2 {
			arg.Brood = append(arg.Brood, f.number(target{ordered: true}, 1))
		}
		children = append(children, specOf(parent, arg))
	}
	return f.family("parents", actor.OneForOne, children)
}

// backoff waits before each restart.
func (f *forest) backoff(n int) actor.Child {
	children := f.workers(n, target{ordered: true})
	for i, c := range children {
		spec := c.(actor.Spec)
		spec.Backoff = actor.Backoff{Min: 20 * time.Millisecond, Max: 500 * time.Millisecond, Jitter: 0.5}
		children[i] = spec
	}
	return f.family("backoff", actor.OneForOne, children)
}

// small have mailboxes that are soon full: the first waits, the others refuse.
func (f *forest) small(n int) actor.Child {
	children := f.workers(n, target{ordered: true})
	for i, c := range children {
		spec := c.(actor.Spec)
		spec.Mailbox = actor.Mailbox{Messages: 4, Reject: i > 0}
		spec.Asks = actor.AsksFail
		children[i] = spec
	}
	return f.family("small", actor.OneForOne, children)
}

// dynamic is the crowd, which the program fills.
func (f *forest) dynamic(n int) actor.Child {
	for range n {
		f.crowd = append(f.crowd, f.number(target{ordered: true, dynamic: true}, 1))
	}
	template := f.spec(f.crowd[0])
	template.Name = ""
	return f.family(crowdName, actor.Dynamic, []actor.Child{template})
}
