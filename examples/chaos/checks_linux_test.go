package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// testRunner has no tree.
func testRunner() *runner {
	r := &runner{
		started: time.Now(), says: io.Discard, struck: map[string]int{}, signals: map[int]bool{}, ends: map[string]int{}, stuck: map[int]bool{},
		forest: &forest{actors: 4, targets: []target{{}}},
	}
	r.ledger = newLedger(r.forest.targets, r.fault)
	r.watch = newWatch(r.fault)
	return r
}

// TestPost gives letters to a program whose ledger is busy.
func TestPost(t *testing.T) {
	for _, n := range []int{lettersLimit, lettersLimit + 3} { // the ledger may have one in its hands, and post another
		r := testRunner()
		letters := make(chan actor.DeadLetter)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { r.post(ctx, letters) })
		r.ledger.mu.Lock()
		for range n {
			letters <- actor.DeadLetter{Message: &actor.Raw{Type: "another"}}
		}
		r.ledger.mu.Unlock()
		cancel()
		wg.Wait()
		if got := int(r.ledger.snapshot().OtherLetters) + r.overload; got != n {
			t.Errorf("%d letters: %d are accounted for", n, got)
		}
		if (r.overload > 0) != (n > lettersLimit) || (r.wrong > 0) != (n > lettersLimit) || r.backlog > lettersLimit {
			t.Errorf("%d letters: %d overloads, %d failed checks, at most %d waited", n, r.overload, r.wrong, r.backlog)
		}
	}
}

// TestJudge has processes end with and without a cause.
func TestJudge(t *testing.T) {
	for _, test := range []struct {
		reason   actor.Reason
		did      deed
		signaled bool
		ok       bool
	}{
		{actor.Signal{Signal: syscall.SIGKILL}, nothing, false, false},
		{actor.Signal{Signal: syscall.SIGKILL}, nothing, true, true},
		{actor.Signal{Signal: syscall.SIGSEGV}, closesOne, false, true},
		{actor.Normal{}, nothing, false, false},
		{actor.Normal{}, stops, false, true},
		{actor.Shutdown{}, nothing, false, true},
		{actor.Hung{What: "handler"}, nothing, false, false},
		{actor.Hung{What: "handler"}, spins, false, true},
		{actor.Hung{What: "heartbeat"}, spins, false, false},
		{actor.Hung{What: "heartbeat"}, stopsItself, false, true},
		{actor.OutOfMemory{}, nothing, false, false},
		{actor.OutOfMemory{}, leaks, false, true},
		{actor.Panic{}, nothing, false, false},
		{actor.Panic{}, nilMap, false, true},
		{actor.ExitCode{Code: 3}, nothing, false, false},
		{actor.ExitCode{Code: 3}, exits, false, true},
		{actor.Failed{Err: errors.New("by itself")}, failsForGood, false, false},
		{actor.Failed{Err: errors.New(onPurpose)}, failsForGood, false, true},
	} {
		r := testRunner()
		const pid = 7
		r.ledger.take(record{Kind: booted, Life: 1, Pid: pid})
		if test.did != nothing {
			r.ledger.take(record{Kind: doing, Life: 1, Pid: pid, Deed: test.did})
		}
		r.signals[pid] = test.signaled
		r.ledger.exited(actor.Event{Kind: actor.EventExited, Pid: pid, Reason: test.reason, Down: &actor.Down{}})
		r.judge()
		if (r.wrong == 0) != test.ok {
			t.Errorf("%#v after %v, signalled %t: got %q", test.reason, test.did, test.signaled, r.faulty)
		}
	}
}

func TestGrowth(t *testing.T) {
	const first = 100 << 20
	const slack = first/10 + 16<<20 // of the RSS
	for _, test := range []struct {
		pauses int
		last   int64 // RSS of the last third
		want   string
	}{
		{leastPauses, first, "none"}, {leastPauses, first + slack, "none"}, {leastPauses, first + slack + 1, "yes"},
		{leastPauses - 1, 2 * first, "not judged: that takes 9 pauses"}, {leastPauses + 1, 2 * first, "yes"},
	} {
		r := testRunner()
		for i := range test.pauses {
			s := sample{RSS: first}
			if i >= test.pauses-test.pauses/3 {
				s.RSS = test.last
			}
			r.watch.points = append(r.watch.points, s)
		}
		if got := r.growth(); got != test.want || (r.wrong > 0) != (test.want == "yes") {
			t.Errorf("%+v: got %q, %q", test, got, r.faulty)
		}
	}
	if r := testRunner(); r.growth() == "none" || r.wrong != 1 {
		t.Errorf("no pause: got %q", r.faulty)
	}
}

func TestBeyond(t *testing.T) {
	first := sample{FDs: 10, Goroutines: 20, Groups: 3}
	for want, s := range map[string]sample{
		"[]":                                {FDs: 10, Goroutines: 19, Groups: 3, RSS: 1 << 40},
		"[11 descriptors, in the first 10]": {FDs: 11, Goroutines: 20, Groups: 3},
		"[21 goroutines, in the first 20 4 control groups, in the first 3]": {FDs: 9, Goroutines: 21, Groups: 4},
	} {
		if got := fmt.Sprint(s.beyond(first)); got != want {
			t.Errorf("%+v: got %s, want %s", s, got, want)
		}
	}
}

// TestWatch has children that nobody waits for.
func TestWatch(t *testing.T) {
	spawntest.Check(t)
	r := testRunner()
	zombie, left := exec.Command("true"), exec.Command("sleep", "1000")
	for _, cmd := range []*exec.Cmd{zombie, left} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for p, ok := readProcess(zombie.Process.Pid); !ok || p.state != 'Z'; p, ok = readProcess(zombie.Process.Pid) {
		time.Sleep(time.Millisecond) // look again
	}
	at := time.Now()
	r.watch.look(at)
	if r.watch.look(at.Add(suspectFor - 1)); r.wrong > 0 {
		t.Errorf("it may only be late: %q", r.faulty)
	}
	r.watch.look(at.Add(suspectFor))
	r.watch.look(at.Add(2 * suspectFor))
	if r.watch.zombies != 1 || r.wrong != 1 || !strings.Contains(r.faulty[0], "a zombie") {
		t.Errorf("%d zombies, %q", r.watch.zombies, r.faulty)
	}
	zombie.Wait()
	r.watch.afterClose(0)
	if r.watch.left != 1 || r.wrong != 2 || !strings.Contains(r.faulty[1], fmt.Sprintf("process %d (sleep) is left after Close", left.Process.Pid)) {
		t.Errorf("%d are left, %q", r.watch.left, r.faulty)
	}
	left.Process.Kill()
	left.Wait()
}
