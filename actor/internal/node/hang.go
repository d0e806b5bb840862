package node

import (
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// stacksLimit is how long a process that hangs may take to say where.
const stacksLimit = time.Second

// hang ends a process that has overrun its time: SIGQUIT, so that Go's runtime tells the stacks of
// its goroutines, then SIGKILL. It does not wait.
func (p *process) hang(what string, limit time.Duration) {
	why := wire.Reason{Cause: wire.Hung, What: what, Timeout: limit}
	p.decide(why)
	p.node.tasks.Go(func() {
		if p.quit() == nil && p.goneWithin(stacksLimit) {
			return
		}
		p.kill(why)
		if !p.goneWithin(deathLimit) {
			p.logStuck()
		}
	})
}

// quit asks the runtime for its last words.
func (p *process) quit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return nil
	}
	return p.os.Quit()
}

// recycle asks the process to end between two messages, for a fresh one to take its place. It does
// not wait, and asks once.
func (p *process) recycle(why string) {
	if p.outdated.CompareAndSwap(nil, &why) {
		_ = p.link.control(&codec.Envelope{Kind: wire.KindRecycle}, nil) // else it is at its end
	}
}

// mayRecycle reports whether there is a reason for it to end so.
func (p *process) mayRecycle() bool {
	n := p.cell.spec.Recycle.Messages
	return p.isUp() && (p.outdated.Load() != nil || n > 0 && p.finished() >= n)
}
