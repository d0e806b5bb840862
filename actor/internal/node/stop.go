package node

import (
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// The rungs of the ladder that a Spec does not set.
const (
	// termLimit is the time between SIGTERM and SIGKILL.
	termLimit = time.Second
	// deathLimit is how long a killed process may take to be gone; longer
	// means that it hangs in the kernel.
	deathLimit = 5 * time.Second
)

// patience is how long the actor's process may take to stop of itself.
func (c *Cell) patience() time.Duration {
	if d := c.member.post.shutdown; d > 0 {
		return d
	}
	return tree.DefaultShutdown
}

// end carries out an order of the tree. why is for people.
func (p *process) end(limit time.Duration, why string) {
	p.ordered.Store(true)
	if limit == tree.Kill {
		switch {
		case why != "":
		case p.isUp():
			why = "it was given no time to stop"
		default:
			why = "it was stopped before it had started"
		}
		p.kill(wire.Reason{Cause: wire.Killed, Detail: why})
		return
	}
	p.stop(limit)
}

// stop asks the process to end and sees to it that it does: Stop frame, limit, SIGTERM,
// termLimit, SIGKILL; if limit is tree.Infinite it only asks. It returns at once; exited
// tells when. The ladder has its own clock: a process that reads nothing, or is stopped,
// ends as well.
func (p *process) stop(limit time.Duration) {
	if !p.stopping.Swap(true) {
		p.cell.node.tasks.Go(func() { p.ladder(limit) })
	}
}

func (p *process) ladder(limit time.Duration) {
	select {
	case <-p.attached: // within BootTimeout, whatever comes of it
	case <-p.exited:
		return
	}
	if p.link != nil {
		p.link.control(&codec.Envelope{Kind: wire.KindStop}, nil)
	}
	if limit == tree.Infinite {
		return
	}
	if p.goneWithin(limit) {
		return
	}
	late := wire.Reason{Cause: wire.Killed, Detail: "it did not stop within " + limit.String()}
	p.decide(late)
	p.terminate()
	if p.goneWithin(termLimit) {
		return
	}
	p.kill(late)
	if !p.goneWithin(deathLimit) {
		p.logStuck()
	}
}

// goneWithin waits for the exit.
func (p *process) goneWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.exited:
		return true
	case <-t.C:
		return false
	}
}
