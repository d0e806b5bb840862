//go:build unix

package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// guarded is a cell without a process, whose guard has p as its charge, which is only a page.
func guarded(t *testing.T, spec wire.Spec) (*guard, *process, *mailbox.Page) {
	t.Helper()
	page, file, err := mailbox.NewPage()
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	t.Cleanup(func() { page.Close() })
	spec.Messages, spec.Bytes = 100, 1<<20
	n := &Node{}
	c := newCell(&member{node: n, post: &post{actor: &spec}})
	p := newProcess(n)
	p.cell, p.page, p.readyAt = c, page, time.Now()
	close(p.ready)
	t.Cleanup(func() { n.watchdog.close(); n.tasks.Wait(); c.mailbox.Close() })
	return c.guard, p, page
}

// Who has nothing to look for has no guard, and a guard whose actor has no messages sets no timer: an idle
// system wakes nobody.
func TestGuardIsIdle(t *testing.T) {
	spawntest.Check(t)
	if g, _, _ := guarded(t, wire.Spec{}); g != nil {
		t.Error("a guard for nothing")
	}
	synctest.Test(t, func(t *testing.T) {
		g, p, page := guarded(t, wire.Spec{HandlerTimeout: time.Second})
		g.take(p)
		timer := func() bool {
			synctest.Wait()
			g.dog.mu.Lock()
			defer g.dog.mu.Unlock()
			return g.dog.timer != nil
		}
		time.Sleep(time.Millisecond)
		if timer() {
			t.Error("a timer, and no messages")
		}
		if err := g.cell.mailbox.Force([]byte{0xc4, 1, 0}); err != nil {
			t.Fatal(err)
		}
		g.wake()
		if !timer() {
			t.Error("no timer, and a message")
		}
		page.Begin(1)
		time.Sleep(900 * time.Millisecond)
		if p.verdict.Cause != "" || !timer() {
			t.Errorf("%q after 0.9 s, the limit is 1 s", p.verdict.Cause)
		}
		g.leave(p)
		if timer() {
			t.Error("a timer, and no process")
		}
	})
}

// A message is over its time at the limit, and at a quarter more at latest.
func TestGuardTime(t *testing.T) {
	spawntest.Check(t)
	const limit = 800 * time.Millisecond
	for _, offset := range []time.Duration{0, 1, 30, 50, 99, 100, 101, 399} { // of the beginning, in ms
		synctest.Test(t, func(t *testing.T) {
			g, p, page := guarded(t, wire.Spec{HandlerTimeout: limit})
			p.reaped = true // so that nothing is sent to it
			close(p.exited)
			g.take(p)
			if err := g.cell.mailbox.Force([]byte{0xc4, 1, 0}); err != nil {
				t.Fatal(err)
			}
			g.wake()
			time.Sleep(offset * time.Millisecond)
			page.Begin(1)
			begun := time.Now()
			for {
				time.Sleep(time.Millisecond)
				synctest.Wait()
				p.mu.Lock()
				cause := p.verdict.Cause
				p.mu.Unlock()
				if took := time.Since(begun); cause == "" && took <= limit+limit/4 {
					continue
				} else if cause != wire.Hung || took < limit {
					t.Errorf("begun after %d ms: %q after %v, the limit is %v", offset, cause, took, limit)
				}
				return
			}
		})
	}
}

// Of several guards each looks when it is due, and none after its end.
func TestWatchdogOrder(t *testing.T) {
	spawntest.Check(t)
	synctest.Test(t, func(t *testing.T) {
		n := &Node{}
		var looked []time.Duration
		begun := time.Now()
		all := make([]*guard, 20)
		for i := range all {
			c := &Cell{node: n, spec: &wire.Spec{Recycle: wire.Recycle{After: time.Duration(len(all)-i) * time.Second}}}
			all[i] = newGuard(c)
			p := newProcess(n)
			p.cell, p.readyAt = c, begun
			close(p.ready)
			why := ""
			p.outdated.Store(&why) // asked already
			all[i].charge.Store(p)
			all[i].dog.schedule(all[i], begun.Add(c.spec.Recycle.After))
		}
		for _, g := range all[:10] {
			g.leave(g.charge.Load())
		}
		for range 30 {
			n.watchdog.mu.Lock()
			if len(n.watchdog.due) > 0 {
				looked = append(looked, n.watchdog.due[0].at.Sub(begun))
			}
			n.watchdog.mu.Unlock()
			time.Sleep(time.Second)
			synctest.Wait()
		}
		for i, at := range looked {
			if want := time.Duration(i+1) * time.Second; at != want {
				t.Errorf("look %d at %v, want %v", i, at, want)
			}
		}
		if len(looked) != 10 {
			t.Errorf("%d looks, want 10", len(looked))
		}
		n.watchdog.close()
		n.watchdog.schedule(all[0], time.Now())
		if n.watchdog.timer != nil {
			t.Error("a timer after close")
		}
	})
}
