package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/reaper"
	"github.com/progeny-go/progeny/spawn"
	"github.com/progeny-go/progeny/spawn/cgroup"
)

// Deadlines that a Spec does not set.
const (
	// closedLimit is how long a process may live on after it closed one of
	// its pipes: an exit is normally seen at once.
	closedLimit = time.Second
	// slotLimit is how long a boot may hold back others.
	slotLimit = 500 * time.Millisecond
	// forkPause is how long a restart that cannot even fork takes at least.
	forkPause = 100 * time.Millisecond
)

// A process is one incarnation of a Cell, from the tree's Boot to its burial.
//
//	boot:  slot ─> fork ─> Hello ─> Init ─> Ready ─> (work)
//	end:   exit seen ─> pipes drained ─> reason ─> mailbox detached ─> the tree is told
type process struct {
	node   *Node
	cell   *Cell // set before attached is closed; nil while it is a standby
	inc    uint64
	pid    atomic.Int64 // 0 before the fork and after the burial
	os     *spawn.Process
	page   *mailbox.Page
	told   bool            // it was sent its Init before the link was there
	link   *link           // nil until attached
	logs   *capture        // its standard output and error
	hangup *mailbox.Hangup // of its inbox; nil until attached

	greeted  chan struct{} // of a standby: closed when Hello was read, or never will be
	attached chan struct{} // closed when link is set, or never will be
	ready    chan struct{} // closed at the Ready frame
	exited   chan struct{} // closed when exit is set
	exit     reaper.Exit
	alone    bool          // it ended before Hello, and nobody here had told it to
	buried   chan struct{} // closed when down is set
	down     *wire.Down

	group   *cgroup.Group // nil if it is in none of its own
	overran *wire.Reason  // that it went over its memory limit, as its group says
	readyAt time.Time     // to be read after ready

	goodbye  atomic.Pointer[wire.Goodbye]
	outdated atomic.Pointer[string] // why it was asked to give way to a fresh one; nil if it was not
	stopping atomic.Bool            // a Stop was sent
	ordered  atomic.Bool            // the tree wanted its end
	roused   bool                   // a standby, by standbys.rouse; under its mutex
	strange  atomic.Bool            // it has not called Boot

	mu      sync.Mutex    // protects the following
	verdict wire.Reason   // what the node decided before the process was dead
	via     codec.ID      // whose end it shares
	doomed  chan struct{} // closed when it is to be killed and perhaps has no process yet
	reaped  bool          // its pid and process group may belong to others now

	startLimit *time.Timer // ends it if its start function does not return; nil if it need not
	overstay   *time.Timer // ends it if it has closed a pipe and does not exit; nil before
}

// boot begins the next incarnation. It does not wait for anything.
func (c *Cell) boot(inc uint64) {
	p := c.node.standbys.take(c, inc)
	if p == nil {
		p = newProcess(c.node)
		p.cell, p.inc = c, inc
		c.setProcess(p)
		c.node.tasks.Go(p.boot)
		return
	}
	c.setProcess(p)
	p.offerInit()
	p.announce()
	p.become(nil) // here and now: another goroutine would have to be woken
}

func (c *Cell) setProcess(p *process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proc = p
}

func newProcess(n *Node) *process {
	return &process{
		node:     n,
		attached: make(chan struct{}),
		ready:    make(chan struct{}),
		exited:   make(chan struct{}),
		buried:   make(chan struct{}),
		doomed:   make(chan struct{}),
	}
}

// boot brings the process up, or to its end; the tree is told which.
func (p *process) boot() {
	boots := p.node.boots
	select {
	case boots <- struct{}{}:
	case <-p.doomed:
		p.stillborn()
		return
	}
	// A process that says nothing must not keep others from booting.
	release := sync.OnceFunc(func() { <-boots })
	if err := p.fork(p.cell.spec, 0); err != nil {
		release()
		p.decide(p.bootFailed(err))
		if p.inc > 1 { // descriptors or processes are short: more attempts make it no better
			select {
			case <-time.After(forkPause):
			case <-p.doomed:
			}
		}
		p.stillborn()
		return
	}
	slot := time.AfterFunc(slotLimit, release)
	p.offerInit()
	p.announce()
	err := p.hello(p.cell.spec.BootTimeout)
	slot.Stop()
	release()
	if err != nil {
		if p.alone = errors.Is(err, io.EOF) && p.goneWithin(closedLimit); p.alone {
			err = p.couldNotBoot(err)
		}
	}
	p.become(err)
}

// couldNotBoot is what the process said of its end before Hello, or else err.
func (p *process) couldNotBoot(err error) error {
	if p.exit.Code == spawn.ExitCannotBoot {
		p.logs.drain()
		for _, line := range slices.Backward(p.logs.tail()) {
			if why, ok := strings.CutPrefix(line, spawn.CannotBoot); ok {
				return errors.New("it cannot boot: " + why)
			}
		}
	}
	return err
}

// become makes a process that has said Hello the actor; err is why it has not. It does
// not wait for anything.
func (p *process) become(err error) {
	if err == nil {
		err = p.attach()
	}
	if err != nil {
		p.kill(p.bootFailed(err)) // first: bury will ask why
	} else {
		p.limitStart()
	}
	close(p.attached)
}

// limitStart sees to it that the start function returns in time, or the process ends.
func (p *process) limitStart() {
	limit := p.cell.spec.StartTimeout
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isUp() || p.hasEnded() {
		return
	}
	p.startLimit = time.AfterFunc(limit, func() {
		if !p.isUp() {
			p.kill(wire.Reason{Cause: wire.BootFailed, Detail: fmt.Sprintf("its start function has not returned within %v", limit)})
		}
	})
}

// fork starts the process and gives it to the reaper. room is for a longer title.
func (p *process) fork(spec *wire.Spec, room int) error {
	p.node.chores.do() // it needs descriptors
	page, file, err := mailbox.NewPage()
	if err != nil {
		return err
	}
	defer file.Close() // the child has its own
	cmd := &spawn.Command{
		Name:  spec.Type,
		Room:  room,
		Env:   spec.Env,
		Dir:   spec.Dir,
		Procs: spec.Procs,
		Files: []*os.File{file},
	}
	var sp *spawn.Process
	var group *cgroup.Group
	if err = enclose(cmd, spec.Sandbox); err == nil {
		sp, group, err = startLimited(cmd, spec)
	}
	if err != nil {
		page.Close()
		return err
	}
	p.mu.Lock()
	p.os, p.page, p.group = sp, page, group
	p.mu.Unlock()
	p.pid.Store(int64(sp.Pid))
	if p.logs, err = newCapture(p); err != nil {
		return p.abandon(err)
	}
	if isClosed(p.doomed) {
		p.kill(wire.Reason{})
	}
	if err := reaper.WatchBefore(sp.OS, p.exiting, p.hasExited); err != nil {
		return p.abandon(err)
	}
	if p.cell != nil {
		p.cell.guard.take(p)
	}
	return nil
}

// abandon ends here and now a process that cannot be watched: it would become a zombie.
func (p *process) abandon(err error) error {
	p.exiting()
	p.os.OS.Wait()
	p.sweep()
	p.dissolve()
	if p.logs != nil {
		p.logs.close()
	}
	p.os.Close()
	p.page.Close()
	return err
}

// announce tells observers that there is a process.
func (p *process) announce() {
	c := p.cell
	if c.node.events.wanted() {
		c.node.events.publish(&Event{Time: time.Now(), Kind: Started, ID: c.id, Type: c.spec.Type, Name: c.spec.Name,
			Incarnation: p.inc, Pid: p.os.Pid})
	}
}

// stillborn ends what never got a process, or not one that was watched.
func (p *process) stillborn() {
	close(p.attached)
	close(p.exited)
	c := p.cell
	p.down = &wire.Down{ID: c.id, Type: c.spec.Type, Name: c.spec.Name, Incarnation: p.inc}
	p.mu.Lock()
	p.down.Reason = p.verdict
	p.mu.Unlock()
	p.pid.Store(0)
	close(p.buried)
	p.report()
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
	p.mu.Lock()
	close(p.exited)
	for _, limit := range []*time.Timer{p.startLimit, p.overstay} {
		if limit != nil {
			limit.Stop()
		}
	}
	standby := p.cell == nil
	p.mu.Unlock()
	if standby {
		p.node.tasks.Go(p.discard)
		return
	}
	p.node.standbys.rouseAfter(p)
	p.node.tasks.Go(p.bury)
}

// initFrame makes the first frame of an actor's process.
func (n *Node) initFrame(p *post, id codec.ID, inc uint64) ([]byte, error) {
	spec := p.actor
	return codec.AppendMessage(nil, &codec.Envelope{Kind: wire.KindInit, To: id}, &wire.Init{
		ID:          id,
		Type:        spec.Type,
		Name:        spec.Name,
		Arg:         spec.Arg,
		Incarnation: inc,
		FrameLimit:  n.cfg.FrameLimit,
		AckMessages: max(1, spec.Messages/4),
		AckBytes:    max(1, spec.Bytes/4),
		LogLevel:    n.logs.level,
		Recycle:     spec.Recycle.Messages,
		Withdraw:    inc > 1 && spec.Absent != wire.AbsentQueue,
	}, n.cfg.FrameLimit)
}

// bootFailed is the reason of a process that did not come up. Package spawn names
// the actor in its errors, and so will whoever shows the reason.
func (p *process) bootFailed(err error) wire.Reason {
	if errors.Is(err, spawn.ErrNotBooted) {
		p.strange.Store(true)
	}
	return wire.Reason{Cause: wire.BootFailed, Detail: strings.TrimPrefix(err.Error(), "spawn "+p.cell.spec.Type+": ")}
}

func (p *process) hello(limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit,
		fmt.Errorf("no Hello within %v; does its main call actor.Main or actor.Boot first?", limit))
	defer cancel()
	err := p.os.Hello(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w; does its main call actor.Main or actor.Boot before anything else?", err)
	}
	return err
}

// offerInit sends Init ahead of all else, where it can: so a standby is at it while the node still
// attaches, and a new process need not wait for its Hello to be read, and for the answer.
func (p *process) offerInit() {
	frame, err := p.node.initFrame(p.cell.member.post, p.cell.id, p.inc)
	p.told = err == nil && p.os.Offer(frame)
}

// attach connects the mailbox and the link, sends Init, unless it has it, and what waits in the mailbox,
// and makes the actor's address known.
func (p *process) attach() error {
	c := p.cell
	var frame []byte
	if !p.told {
		var err error
		if frame, err = c.node.initFrame(c.member.post, c.id, p.inc); err != nil {
			return err
		}
	}
	p.link = newLink(c, p, mailbox.NewReader(p.os.TakeOutbox(), c.node.cfg.FrameLimit+wire.ForwardSlack))
	p.link.in.UseRing(p.page.Outbox(), c.mailbox)
	p.link.in.Linger()
	c.attachments++
	p.link.attachment = c.attachments
	c.link.Store(p.link) // whoever gives up and finds none, is seen by withdraw
	if c.spec.Absent != wire.AbsentQueue {
		c.withdraw()
	}
	if err := p.connectInbox(frame); err != nil {
		p.link.in.Close()
		p.link = nil
		return err
	}
	c.catchUp()
	routes.Store(c.id, c)
	c.node.names.publish(c.spec.Name, c.id)
	c.bindWaiting()
	c.node.tasks.Go(p.link.run)
	return nil
}

// connectInbox attaches the mailbox to the process, and has it noticed at once when the process closes its end:
// what goes into a ring is no write, and cannot fail.
func (p *process) connectInbox(first []byte) error {
	inbox := p.os.TakeInbox()
	var err error
	p.hangup, err = p.node.outputs.OnHangup(inbox, func() { p.closed("inbox") })
	if err != nil {
		inbox.Close()
		return err
	}
	_, err = p.cell.mailbox.Attach(inbox, first, p.finished, p.page.Inbox())
	return err
}

// withdraw takes out of the mailbox, before it goes to the next process, the Asks whose
// askers have given up.
func (c *Cell) withdraw() {
	oldest := true
	c.mailbox.Filter(func(frame []byte) bool {
		var env codec.Envelope
		err := codec.DecodeEnvelope(content(frame), &env)
		keep := err != nil || env.Kind != wire.KindAsk || c.isAwaited(env.Corr)
		if oldest && !keep {
			c.mu.Lock()
			c.blame = 0
			c.mu.Unlock()
		}
		oldest = false
		return keep
	})
}

// finished is what the mailbox is told when it asks: what the page says or, as a reply is on its way before that, the
// last answer.
func (p *process) finished() uint64 {
	_, finished := p.page.Progress()
	return max(finished, p.link.answered.Load())
}

// isReady is called by the link at a Ready frame.
func (p *process) isReady() error {
	if p.isUp() {
		return breach("Ready twice")
	}
	p.readyAt = time.Now()
	p.mu.Lock()
	close(p.ready)
	if p.startLimit != nil {
		p.startLimit.Stop()
	}
	p.mu.Unlock()
	p.cell.guard.take(p)
	p.cell.absent.Store(false)
	p.cell.node.tree.step(tree.Ready{ID: p.cell.member.id, Inc: p.inc})
	p.node.standbys.refill()
	return nil
}

func (p *process) isUp() bool     { return isClosed(p.ready) }
func (p *process) hasEnded() bool { return isClosed(p.exited) }

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// failed is called by the link for an error that nobody asked for.
func (p *process) failed(f *wire.Failure, messageType []byte) {
	if p.isUp() {
		p.cell.node.handlerErrors.Add(1)
		p.logHandlerError(f, messageType)
		return
	}
	p.decide(own(wire.Reason{Cause: wire.InitFailed, Detail: f.Text, Init: f}))
}

// saysGoodbye is called by the link for the last frame of an orderly end.
func (p *process) saysGoodbye(g *wire.Goodbye) error {
	switch g.Reason.Cause {
	case wire.Normal, wire.Shutdown, wire.Failed:
	case wire.Ignored:
		if p.isUp() {
			return breach("it has been ready, and chooses not to run")
		}
	case wire.Recycled:
		if !p.mayRecycle() {
			return breach("it was not to be recycled")
		}
		if why := p.outdated.Load(); why != nil {
			g.Reason.Detail = *why
		}
	default:
		return breach(fmt.Sprintf("a goodbye because of %q", g.Reason.Cause))
	}
	g.Reason = own(g.Reason)
	p.goodbye.Store(g)
	p.stop(p.cell.patience()) // it has as long for its exit as if it had been asked
	return nil
}

// reasonText is how much an actor may say of its own reasons, in bytes.
const reasonText = 64 << 10

// own is what counts of a reason that an actor gives.
func own(r wire.Reason) wire.Reason {
	said := wire.Reason{Cause: r.Cause, Detail: beginning(r.Detail, reasonText)}
	if r.Init != nil {
		said.Init = briefFailure(r.Init, reasonText)
		said.Init.Code = wire.Remote
	}
	return said
}

// linkEnded is called by the link when it stops reading. What broke the protocol
// is the reason, also if the process has exited since.
func (p *process) linkEnded(err error) {
	_, rude := errors.AsType[breach](err)
	_, large := errors.AsType[*codec.LimitError](err)
	_, malformed := errors.AsType[*codec.MalformedError](err)
	if rude || large || malformed || errors.Is(err, mailbox.ErrRing) {
		p.kill(wire.Reason{Cause: wire.Protocol, Detail: err.Error()})
		return
	}
	p.hush()
	p.closed("outbox")
}

// inboxBroken is called by the mailbox.
func (c *Cell) inboxBroken(attachment uint64, err error) {
	l := c.link.Load()
	switch {
	case l == nil || l.attachment != attachment:
	case errors.Is(err, mailbox.ErrRing):
		l.proc.kill(wire.Reason{Cause: wire.Protocol, Detail: err.Error()})
	default:
		l.proc.closed("inbox")
	}
}

// closed is called when the process has closed one of its pipes. An exit follows,
// or it is no actor any more, and whoever waits for it would wait for ever. It does not wait: a goroutine
// that did would be one more to wake at each death, and the link's end would be later than the process's.
func (p *process) closed(pipe string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.overstay == nil && !p.hasEnded() {
		p.overstay = time.AfterFunc(closedLimit, func() {
			p.kill(wire.Reason{Cause: wire.Protocol, Detail: "it closed its " + pipe + " and did not exit"})
		})
	}
}

// hush has the process's other pipes tell of nothing more. One that ends closes them one after the other, the outbox
// first, and the kernel likes to wake the node on the processor that it ends on: it would be interrupted for each.
// What they hold is read when it is buried.
func (p *process) hush() {
	if p.hangup != nil {
		p.hangup.Stop()
	}
	p.logs.hush()
}

// decide keeps the first thing that the node has found wrong, or done.
func (p *process) decide(r wire.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verdict.Cause == "" {
		p.verdict = r
	}
}

// kill ends the process and its process group. It does not wait. If there is no
// process yet, there will be none, or not for long.
func (p *process) kill(r wire.Reason) {
	p.decide(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.os != nil && !p.reaped:
		p.os.KillGroup()
	case p.os == nil && !isClosed(p.doomed):
		close(p.doomed)
	}
}

// terminate sends SIGTERM, the last request before kill.
func (p *process) terminate() { p.os.Signal(syscall.SIGTERM) }

// bury runs once, after the exit. First comes what the process wrote; then what it
// leaves behind is sorted, and the tree decides what becomes of the actor. Nobody
// waits for what is given back after that.
func (p *process) bury() {
	<-p.attached
	c := p.cell
	c.guard.leave(p)
	p.sweep()
	c.link.Store(nil)
	if p.link != nil {
		select {
		case <-p.link.done: // it has seen the pipe's end, which mostly comes first
		default:
			p.link.in.Drain()
			<-p.link.done
		}
	}
	p.hush() // before the inbox is closed
	p.logs.drain()
	begun, finished := p.page.Progress()
	c.bereave(begun, finished)
	p.down = p.flight()
	if p.link != nil {
		p.link.close()
	}
	p.pid.Store(0)
	close(p.buried)
	p.report()
	if !p.isUp() { // else it was done
		p.node.standbys.refill()
	}
	if p.node.standbys.serves(c.spec) { // the next process is there already; nor is there a group to wait for
		p.node.chores.later(p.clear)
		return
	}
	runtime.Gosched() // first who was told of it: another thread would have to be woken for him
	p.clear()
}

// clear gives back what a buried process had.
func (p *process) clear() {
	if p.link != nil {
		p.link.in.Close()
	}
	p.logs.close()
	p.os.Close()
	p.page.Close()
	p.dissolve()
}

// report tells the tree of the process's end.
func (p *process) report() {
	c := p.cell
	if g := p.goodbye.Load(); g != nil && g.Reason.Cause == wire.Ignored && p.down.Reason.Cause == wire.Normal {
		c.node.tree.step(tree.Ignored{ID: c.member.id, Inc: p.inc})
		return
	}
	c.node.tree.step(tree.Exited{ID: c.member.id, Inc: p.inc, Reason: p.class()})
}

// class is the reason as the tree knows it.
func (p *process) class() tree.Reason {
	r := &p.down.Reason
	switch {
	case r.Cause == wire.Normal:
		return tree.Reason{Class: tree.Normal}
	case r.Cause == wire.Shutdown:
		return tree.Reason{Class: tree.Shutdown, Cause: r.Detail}
	case r.Cause == wire.Recycled:
		return tree.Reason{Class: tree.Recycled}
	case r.Cause == wire.Killed && p.ordered.Load():
		return tree.Reason{Cause: tree.KilledCause}
	case p.cell.proto.Fatal(r):
		return tree.Reason{Cause: fatalCause}
	}
	return tree.Reason{Cause: string(r.Cause)}
}
