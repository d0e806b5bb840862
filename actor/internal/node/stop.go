package node

import (
	"context"
	"time"

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

// Stop asks the actor to end and sees to it that it does: Stop frame, Spec's
// StopTimeout, SIGTERM, termLimit, SIGKILL. It returns at once; ended tells
// when. The ladder has its own clock: a process that reads nothing, or is
// stopped, ends as well.
func (c *Cell) Stop() {
	p := c.process()
	if p != nil && !p.stopping.Swap(true) {
		c.node.tasks.Go(p.ladder)
	}
}

// process returns the actor's process. If it has none yet, the one it gets
// will be killed.
func (c *Cell) process() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doomed = c.doomed || c.proc == nil
	return c.proc
}

// Kill ends the actor at once, without notice.
func (c *Cell) Kill() {
	if p := c.process(); p != nil {
		p.kill(wire.Reason{Cause: wire.Killed, Detail: "Kill was called"})
	}
}

func (p *process) ladder() {
	select {
	case <-p.attached: // within BootTimeout, whatever comes of it
	case <-p.exited:
		return
	}
	if p.link != nil {
		p.cell.control(&codec.Envelope{Kind: wire.KindStop}, nil)
	}
	if p.goneWithin(p.cell.spec.StopTimeout) {
		return
	}
	late := wire.Reason{Cause: wire.Killed, Detail: "it did not stop within " + p.cell.spec.StopTimeout.String()}
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

func (c *Cell) wait(ctx context.Context) error {
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return &wire.GivenUp{Fate: wire.FateUnknown, Err: context.Cause(ctx)}
	}
}
