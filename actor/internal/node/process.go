package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/reaper"
	"github.com/progeny-go/progeny/spawn"
)

// Deadlines that a Spec does not set.
const (
	// closedLimit is how long a process may live on after it closed one of
	// its pipes: an exit is normally seen at once.
	closedLimit = time.Second
	// slotLimit is how long a boot may hold back others.
	slotLimit = 500 * time.Millisecond
)

// A process is one operating-system process of a Cell, from fork to burial.
//
//	boot:  start ─> Hello ─> Init ─> Ready ─> (work)
//	end:   exit seen ─> pipes drained ─> reason ─> asks failed ─> Downs ─> dead
type process struct {
	cell *Cell
	os   *spawn.Process
	page *mailbox.Page
	link *link    // nil until attached
	logs *capture // its standard output and error

	attached chan struct{} // closed when link is set, or never will be
	ready    chan struct{} // closed at the Ready frame
	exited   chan struct{} // closed when exit is set
	exit     reaper.Exit

	goodbye  atomic.Pointer[wire.Goodbye]
	stopping atomic.Bool // a Stop was sent

	mu      sync.Mutex  // protects the following
	verdict wire.Reason // what the node decided before the process was dead
	reaped  bool        // its pid and process group may belong to others now
}

// start forks the process and gives it to the reaper.
func (c *Cell) start() (*process, error) {
	page, file, err := mailbox.NewPage()
	if err != nil {
		return nil, fmt.Errorf("spawn %s: %w", c.spec.Type, err)
	}
	defer file.Close() // the child has its own
	sp, err := spawn.Start(&spawn.Command{
		Name:  c.spec.Type,
		Env:   c.spec.Env,
		Dir:   c.spec.Dir,
		Procs: c.spec.Procs,
		Files: []*os.File{file},
	})
	if err != nil {
		page.Close()
		return nil, err
	}
	p := &process{
		cell:     c,
		os:       sp,
		page:     page,
		attached: make(chan struct{}),
		ready:    make(chan struct{}),
		exited:   make(chan struct{}),
	}
	p.logs = newCapture(p)
	c.mu.Lock()
	c.proc = p
	doomed := c.doomed
	c.mu.Unlock()
	if doomed {
		p.kill(wire.Reason{Cause: wire.Killed, Detail: "it was stopped before it had started"})
	}
	if err := reaper.WatchBefore(sp.OS, p.exiting, p.hasExited); err != nil {
		// Unwatched, it would become a zombie: end it here and now.
		p.exiting()
		sp.OS.Wait()
		close(p.attached)
		close(p.exited)
		p.logs.close()
		sp.Close()
		page.Close()
		return nil, fmt.Errorf("spawn %s: %w", c.spec.Type, err)
	}
	return p, nil
}

// exiting runs when the process has ended and still has its pid: what it
// started in its process group goes with it.
func (p *process) exiting() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.os.KillGroup()
	p.reaped = true
}

// hasExited runs on the reaper's goroutine.
func (p *process) hasExited(e reaper.Exit) {
	p.exit = e
	close(p.exited)
	p.cell.node.tasks.Go(p.bury)
}

// encodeInit makes the first frame of the actor's process.
func (c *Cell) encodeInit() error {
	var err error
	c.init, err = codec.AppendMessage(nil, &codec.Envelope{Kind: wire.KindInit, To: c.id}, &wire.Init{
		ID:          c.id,
		Type:        c.spec.Type,
		Name:        c.spec.Name,
		Arg:         c.spec.Arg,
		Incarnation: 1,
		FrameLimit:  c.node.cfg.FrameLimit,
		AckMessages: max(1, c.spec.Messages/4),
		AckBytes:    max(1, c.spec.Bytes/4),
		LogLevel:    c.node.logs.level,
	}, c.node.cfg.FrameLimit)
	return err
}

// givenUp is the reason of a process whose Spawn had no patience.
var givenUp = wire.Reason{Cause: wire.Killed, Detail: "its Spawn was given up"}

// boot brings a reserved cell to life. When it returns an error, the process
// is gone and so is its name.
func (c *Cell) boot(ctx context.Context) error {
	select {
	case c.node.boots <- struct{}{}:
	case <-ctx.Done():
		c.abort()
		return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
	}
	p, err := c.start()
	if err != nil {
		<-c.node.boots
		c.abort()
		return &wire.Failure{Code: wire.StartFailed, Fate: wire.FateNotSent,
			Down: &wire.Down{ID: c.id, Type: c.spec.Type, Name: c.spec.Name, Reason: c.bootFailed(err)}}
	}
	// A process that says nothing must not keep others from booting.
	release := sync.OnceFunc(func() { <-c.node.boots })
	slot := time.AfterFunc(slotLimit, release)
	err = p.hello(ctx)
	slot.Stop()
	release()
	if err == nil {
		err = p.attach()
	}
	close(p.attached)
	if err != nil {
		if ctx.Err() != nil {
			p.kill(givenUp)
		} else {
			p.kill(c.bootFailed(err))
		}
		<-c.ended
		return c.startFailure(ctx, errors.Is(err, spawn.ErrNotBooted))
	}
	limit := time.NewTimer(c.spec.StartTimeout)
	defer limit.Stop()
	select {
	case <-p.ready:
		return nil
	case <-c.ended:
	case <-limit.C:
		p.kill(wire.Reason{Cause: wire.BootFailed,
			Detail: fmt.Sprintf("its start function has not returned within %v", c.spec.StartTimeout)})
	case <-ctx.Done():
		p.kill(givenUp)
	}
	<-c.ended
	return c.startFailure(ctx, false)
}

// bootFailed is the reason of a process that did not come up. Package spawn names
// the actor in its errors, and so will whoever shows the reason.
func (c *Cell) bootFailed(err error) wire.Reason {
	return wire.Reason{Cause: wire.BootFailed, Detail: strings.TrimPrefix(err.Error(), "spawn "+c.spec.Type+": ")}
}

// abort ends a cell that never had a process.
func (c *Cell) abort() {
	c.node.release(c)
	close(c.ended)
}

// startFailure says why the actor did not come up. It is gone by now.
func (c *Cell) startFailure(ctx context.Context, notBooted bool) error {
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	switch {
	case notBooted:
		return &wire.Failure{Code: wire.NotBooted, Fate: wire.FateNotSent, Down: down}
	case down.Reason.Cause == wire.Killed && ctx.Err() != nil:
		return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
	}
	return &wire.Failure{Code: wire.StartFailed, Fate: wire.FateNotSent, Down: down}
}

func (p *process) hello(ctx context.Context) error {
	limit := p.cell.spec.BootTimeout
	hctx, cancel := context.WithTimeoutCause(ctx, limit,
		fmt.Errorf("no Hello within %v; does its main call actor.Main or actor.Boot first?", limit))
	defer cancel()
	err := p.os.Hello(hctx)
	switch {
	case err != nil && hctx.Err() != nil && ctx.Err() == nil:
		return context.Cause(hctx)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w; does its main call actor.Main or actor.Boot before anything else?", err)
	}
	return err
}

// attach connects the mailbox and the link, sends Init, and makes the actor's
// address known.
func (p *process) attach() error {
	c := p.cell
	w := mailbox.NewWriter(p.os.TakeInbox(), mailbox.WriterConfig{
		Capacity: mailbox.Capacity{Messages: c.spec.Messages, Bytes: c.spec.Bytes},
		Retain:   true,
		Progress: p.finished,
		Broken:   func() { c.node.tasks.Go(func() { p.closed("inbox") }) },
	})
	p.link = newLink(c, p, mailbox.NewReader(p.os.TakeOutbox(), c.node.cfg.FrameLimit+wire.ForwardSlack))
	c.mu.Lock()
	c.mailbox = w
	c.mu.Unlock()
	err := w.Push(c.init)
	c.init = nil // it may be large, and the mailbox has adopted it then
	routes.Store(c.id, c)
	c.node.publish(c)
	c.node.tasks.Go(p.link.run)
	return err
}

func (p *process) finished() uint64 {
	_, finished := p.page.Progress()
	return finished
}

// isReady is called by the link at a Ready frame.
func (p *process) isReady() error {
	select {
	case <-p.ready:
		return breach("Ready twice")
	default:
		close(p.ready)
		return nil
	}
}

// failed is called by the link for an error that nobody asked for.
func (p *process) failed(f *wire.Failure, messageType []byte) {
	select {
	case <-p.ready:
		p.cell.node.handlerErrors.Add(1)
		p.logHandlerError(f, messageType)
	default:
		p.decide(wire.Reason{Cause: wire.InitFailed, Detail: f.Text, Init: f})
	}
}

// linkEnded is called by the link when it stops reading. What broke the protocol
// is the reason, also if the process has exited since.
func (p *process) linkEnded(err error) {
	_, rude := errors.AsType[breach](err)
	_, large := errors.AsType[*codec.LimitError](err)
	_, malformed := errors.AsType[*codec.MalformedError](err)
	if rude || large || malformed {
		p.kill(wire.Reason{Cause: wire.Protocol, Detail: err.Error()})
		return
	}
	p.closed("outbox")
}

// closed is called when the process has closed one of its pipes. An exit follows,
// or it is no actor any more, and whoever waits for it would wait for ever.
func (p *process) closed(pipe string) {
	if !p.goneWithin(closedLimit) {
		p.kill(wire.Reason{Cause: wire.Protocol, Detail: "it closed its " + pipe + " and did not exit"})
	}
}

// decide keeps the first thing that the node has found wrong, or done.
func (p *process) decide(r wire.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verdict.Cause == "" {
		p.verdict = r
	}
}

// kill ends the process and its process group. It does not wait.
func (p *process) kill(r wire.Reason) {
	p.decide(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.os.KillGroup()
	}
}

// terminate sends SIGTERM, the last request before kill.
func (p *process) terminate() { p.os.Signal(syscall.SIGTERM) }

// bury runs once, after the exit. The order is the promise: first what the
// process wrote, then the answers that it owes, then its name is free, then
// whoever watches is told.
func (p *process) bury() {
	<-p.attached
	if p.link != nil {
		p.link.in.Drain()
		<-p.link.done
	}
	p.logs.close()
	p.cell.end(p)
	if p.link != nil {
		p.link.in.Close()
	}
	p.os.Close()
	p.page.Close()
	close(p.cell.ended)
}
