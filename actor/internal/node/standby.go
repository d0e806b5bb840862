package node

import (
	"runtime"
	"sync"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// standbys are processes that have booted and wait to be told what they are: a start that takes
// one saves the fork, the exec and the runtime's start. Each is used once. What must be
// fixed before the exec is that of a Spec that says nothing of it.
type standbys struct {
	node *Node
	want int

	mu      sync.Mutex // protects the following
	waiting []*process // the oldest first
	booting map[*process]struct{}
	closed  bool
}

const (
	// standbyTitle is what ps shows of one, with room for the name of its type.
	standbyTitle = "standby"
	standbyRoom  = 128
	// standbyLimit is how long it may take to say Hello.
	standbyLimit = 10 * time.Second
)

func newStandbys(n *Node, want int) *standbys {
	return &standbys{node: n, want: want, booting: make(map[*process]struct{})}
}

// refill is called after each start: a fork would slow down what has started.
func (s *standbys) refill() {
	if s.want > 0 {
		s.node.chores.later(s.fill)
	}
}

// fill boots as many as are missing. It does not wait.
func (s *standbys) fill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && len(s.waiting)+len(s.booting) < s.want {
		p := newProcess(s.node)
		p.greeted = make(chan struct{})
		s.booting[p] = struct{}{}
		s.node.tasks.Go(func() { s.boot(p) })
	}
}

// boot brings one up. One that does not come up is not tried again before the next take: the
// start of an actor will find out why.
func (s *standbys) boot(p *process) {
	select {
	case s.node.boots <- struct{}{}:
	case <-p.doomed:
		s.remove(p)
		return
	}
	if p.fork(&wire.Spec{Type: standbyTitle}, standbyRoom) != nil {
		<-s.node.boots
		s.remove(p)
		return
	}
	err := p.hello(standbyLimit)
	<-s.node.boots
	close(p.greeted)
	s.mu.Lock()
	delete(s.booting, p)
	useful := err == nil && !s.closed
	if useful {
		s.waiting = append(s.waiting, p)
	}
	s.mu.Unlock()
	if !useful {
		p.kill(wire.Reason{Cause: wire.Killed})
		<-p.buried
	}
}

func (s *standbys) remove(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.booting, p)
}

// take returns a standby that is now c's, or nil if there is none that fits.
func (s *standbys) take(c *Cell, inc uint64) *process {
	if !s.serves(c.spec) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 {
		p := s.waiting[0]
		s.waiting = s.waiting[1:]
		if p.adopt(c, inc) {
			return p
		}
	}
	return nil
}

// serves reports whether a standby can become an actor of that Spec.
func (s *standbys) serves(spec *wire.Spec) bool {
	return s.want > 0 && spec.Env == nil && spec.Dir == "" && spec.Procs <= 1 && spec.Sandbox == nil && spec.Limits == (wire.Limits{})
}

// roused is what a standby is roused with.
var roused, _ = codec.AppendFrame(nil, &codec.Envelope{Kind: wire.KindPing}, codec.DefaultFrameLimit)

// rouse wakes the next standby, if that serves spec, which takes 50 µs and more, while the node is still
// at what comes before its Init. It does not wait. Each is roused once at most: so the pipe takes it.
func (s *standbys) rouse(spec *wire.Spec) {
	if !s.serves(spec) || runtime.NumCPU() == 1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.waiting {
		if !p.roused {
			p.roused = true
			p.os.Offer(roused) // in vain if it is dead
			return
		}
	}
}

// rouseAfter does so for the restart of p's actor, if there is likely to be one.
func (s *standbys) rouseAfter(p *process) {
	if p.cell.member.spec.Restart != tree.Temporary && !p.ordered.Load() {
		s.rouse(p.cell.spec)
	}
}

// adopt makes a standby c's process, unless it has died.
func (p *process) adopt(c *Cell, inc uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return false
	}
	p.cell, p.inc = c, inc
	return true
}

// discard buries a standby that nobody has taken.
func (p *process) discard() {
	<-p.greeted
	p.clear()
	close(p.buried)
}

// close ends them all, and waits until those that had booted are gone, up to deathLimit. The
// others are tasks of the node.
func (s *standbys) close() {
	s.mu.Lock()
	waiting := s.waiting
	s.closed, s.waiting = true, nil
	for p := range s.booting {
		p.kill(wire.Reason{Cause: wire.Killed})
	}
	s.mu.Unlock()
	for _, p := range waiting {
		p.kill(wire.Reason{Cause: wire.Killed})
	}
	limit := time.NewTimer(deathLimit)
	defer limit.Stop()
	for _, p := range waiting {
		select {
		case <-p.buried:
		case <-limit.C:
			return
		}
	}
}
