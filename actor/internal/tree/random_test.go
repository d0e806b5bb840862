package tree

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestRandom drives random trees with random events; the checker sees to it
// that they keep their promises.
func TestRandom(t *testing.T) {
	runs := 3000
	if testing.Short() {
		runs = 300
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range runs {
		data := make([]byte, 50+r.IntN(600))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		if drive(t, data); t.Failed() {
			t.Fatalf("input: %x", data)
		}
	}
}

func FuzzTree(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for size := 16; size < 2000; size *= 2 {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { drive(t, data[:min(len(data), 4096)]) })
}

// A driver makes decisions out of bytes; when there are none left, all are 0.
type driver struct {
	*checker
	bytes           []byte
	booted, stopped []ID // those that may be unanswered
	lastCall        Call
}

func (d *driver) choose(n int) int {
	if len(d.bytes) == 0 || n < 2 {
		return 0
	}
	b := int(d.bytes[0])
	d.bytes = d.bytes[1:]
	return b % n
}

func drive(t *testing.T, data []byte) {
	d := &driver{checker: newChecker(t, nil), bytes: data}
	d.tree = New(Config{Random: func() float64 { return float64(d.choose(4)) / 4 }})
	d.do(StartChild{Call: d.call(), Child: d.child(nil, 0)})
	for len(d.bytes) > 0 {
		d.act()
	}
	// Whatever it is in the middle of, it comes to rest when all is answered:
	// well, or badly.
	d.settle(Reason{Cause: "init"})
	d.quiet()
	for range 3 {
		d.now += time.Hour
		d.do(Tick{})
	}
	d.settle(Reason{Class: Normal})
	d.quiet()
	d.do(TerminateChild{Call: d.call()})
	d.settle(Reason{Class: Normal})
	d.quiet()
	if len(d.live) > 0 || len(d.tree.nodes) != 1 || len(d.parent) > 0 {
		d.fail("left at the end: processes %v, nodes %v", d.live, d.parent)
	}
	if at, ok := d.tree.Next(); ok {
		d.fail("a tree without anything wants a tick at %v", at)
	}
}

func (d *driver) call() Call {
	d.lastCall++
	return d.lastCall
}

func (d *driver) do(e Event) {
	for _, f := range d.step(d.now, e) {
		switch f := f.(type) {
		case Boot:
			d.booted = append(d.booted, f.ID)
		case Stop:
			d.stopped = append(d.stopped, f.ID)
		}
	}
}

// quiet fails if anybody still waits for an answer.
func (d *driver) quiet() {
	if len(d.calls) > 0 {
		d.fail("without a reply: %v", d.calls)
	}
	for _, n := range d.tree.nodes {
		if n.state == Booting || n.state == Stopping || n.state == Dead || n.op != nil {
			d.fail("%d is %v, with nothing to wait for", n.id, n.state)
		}
	}
}

// settle answers everything; a boot with a failure for that reason or, if that
// is normal, with Ready.
func (d *driver) settle(r Reason) {
	for steps := 0; len(d.booted)+len(d.stopped) > 0; steps++ {
		if steps > 100_000 {
			d.fail("it does not come to rest")
		}
		if len(d.stopped) > 0 {
			id := d.stopped[0]
			d.stopped = d.stopped[1:]
			if d.live[id] != 0 && d.tree.nodes[id].state == Stopping {
				d.do(Exited{ID: id, Inc: d.inc[id], Reason: shutdown})
			}
			continue
		}
		id := d.booted[0]
		d.booted = d.booted[1:]
		switch {
		case d.live[id] == 0 || d.tree.nodes[id].state != Booting:
		case r.Class == Normal:
			d.do(Ready{ID: id, Inc: d.inc[id]})
		default:
			d.do(Exited{ID: id, Inc: d.inc[id], Reason: r})
		}
	}
}

// act does one thing to a node.
func (d *driver) act() {
	ids := slices.Sorted(maps.Keys(d.tree.nodes))
	id := ids[d.choose(len(ids))]
	n := d.tree.nodes[id]
	switch what := d.choose(16); what {
	default:
		d.report(n)
	case 10:
		d.now += time.Duration(d.choose(40)) * 100 * time.Millisecond
		d.do(Tick{})
	case 11:
		s := StartChild{Call: d.call(), Under: id, Child: d.child(n, 1)}
		if n.isDynamic() {
			s.Child = nil
		}
		d.do(s)
	case 12:
		if id != 0 || d.choose(16) == 0 {
			d.do(TerminateChild{Call: d.call(), ID: id, Kill: d.choose(4) == 0})
		}
	case 13:
		d.do(RestartChild{Call: d.call(), ID: id})
	case 14:
		d.do(DeleteChild{Call: d.call(), ID: id})
	case 15: // a report from another time
		d.do(Exited{ID: id, Inc: n.inc + 1})
		d.do(Ready{ID: id, Inc: n.inc - 1})
	}
}

// report lets something happen to an actor's process: mostly what is to be
// expected.
func (d *driver) report(n *node) {
	if n.isRoot() || n.isSupervisor() || d.live[n.id] == 0 {
		// Not a process. Take one that is waited for instead.
		for _, id := range slices.Sorted(maps.Keys(d.live)) {
			if s := d.tree.nodes[id].state; s == Booting || s == Stopping {
				n = d.tree.nodes[id]
				break
			}
		}
	}
	what := d.choose(8)
	switch {
	case n.isRoot() || d.live[n.id] == 0:
	case n.state == Booting && what < 5:
		d.do(Ready{ID: n.id, Inc: n.inc})
	case n.state == Booting && what == 5:
		d.do(Ignored{ID: n.id, Inc: n.inc})
	case n.state == Stopping && what < 5:
		d.do(Exited{ID: n.id, Inc: n.inc, Reason: shutdown})
	default:
		reasons := []Reason{{Cause: "panic"}, {Cause: "panic"}, {Cause: "config"}, {Class: Normal}, shutdown, killed, {Class: Recycled}}
		d.do(Exited{ID: n.id, Inc: n.inc, Reason: reasons[d.choose(len(reasons))]})
	}
}

// child makes up a specification that is fit for under.
func (d *driver) child(under *node, depth int) *Child {
	var s *Supervisor
	if under != nil && under.isSupervisor() {
		s = under.spec.Supervisor
	}
	c := d.spec(s, depth)
	return &c
}

func (d *driver) spec(under *Supervisor, depth int) Child {
	c := Child{
		Name:    string(rune('a' + d.choose(8))),
		Restart: Restart(d.choose(3)),
	}
	switch d.choose(6) {
	case 0:
		c.Shutdown = Kill
	case 1:
		c.Shutdown = time.Second
	}
	if d.choose(4) == 0 {
		c.Backoff = Backoff{Min: time.Duration(1+d.choose(20)) * 100 * time.Millisecond, Jitter: float64(d.choose(2))}
	}
	if d.choose(4) == 0 {
		c.Fatal = []string{"config"}
	}
	if under != nil && under.AutoShutdown != Never && c.Restart != Permanent {
		c.Significant = d.choose(2) == 0
	}
	budget := Budget{Intensity: d.choose(6) - 1, Period: time.Duration(d.choose(6)) * time.Second}
	if depth < 4 && d.choose(depth+2) == 0 {
		c.Supervisor = d.supervisor(budget, depth+1)
	} else if under == nil {
		c.Budget = budget
	}
	return c
}

func (d *driver) supervisor(b Budget, depth int) *Supervisor {
	s := &Supervisor{Strategy: Strategy(d.choose(4)), Budget: b}
	n := 1 + d.choose(4)
	if s.Strategy == Dynamic {
		n = 1
	} else {
		s.AutoShutdown = AutoShutdown(d.choose(3))
	}
	for i := range n {
		c := d.spec(s, depth)
		c.Name = string(rune('a' + i))
		s.Children = append(s.Children, c)
	}
	return s
}
