package node

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// timerClock is a bubble's: timers whose calls are noted with the time since the start.
type timerClock struct {
	t     *testing.T
	ts    timers
	begun time.Time
	mu    sync.Mutex
	fired []string
}

// timed runs a test in a bubble, where time passes when everybody waits.
func timed(t *testing.T, test func(c *timerClock)) {
	synctest.Test(t, func(t *testing.T) {
		c := &timerClock{t: t, begun: time.Now()}
		test(c)
		c.ts.close() // a bubble waits for no timer
	})
}

func (c *timerClock) note(r *wire.TimerRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fired = append(c.fired, fmt.Sprint(r.ID, "@", time.Since(c.begun)))
}

// start starts a timer that must be taken, and says whether it took the place of another.
func (c *timerClock) start(r wire.TimerRequest) bool {
	c.t.Helper()
	return c.startWith(r, c.note)
}

func (c *timerClock) startWith(r wire.TimerRequest, fire func(*wire.TimerRequest)) bool {
	c.t.Helper()
	replaced, err := c.ts.start(&r, taken(fire))
	if err != nil {
		c.t.Fatal(err)
	}
	return replaced
}

// pass lets so much time pass, and what is due in it come to its end.
func (c *timerClock) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// expect checks what was called since the last expect.
func (c *timerClock) expect(want ...string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if fmt.Sprint(c.fired) != fmt.Sprint(want) {
		c.t.Errorf("fired %v, want %v", c.fired, want)
	}
	c.fired = nil
}

// left checks how many timers there are.
func (c *timerClock) left(want int) {
	c.t.Helper()
	c.ts.mu.Lock()
	defer c.ts.mu.Unlock()
	if len(c.ts.byID) != want || len(c.ts.byKey) > want {
		c.t.Errorf("%d timers, %d keys, want %d", len(c.ts.byID), len(c.ts.byKey), want)
	}
}

func TestTimerOnce(t *testing.T) {
	timed(t, func(c *timerClock) {
		c.start(wire.TimerRequest{ID: 3, After: 3 * time.Second})
		c.start(wire.TimerRequest{ID: 1, After: time.Second, Key: "k"})
		c.start(wire.TimerRequest{ID: 0})
		c.start(wire.TimerRequest{ID: 9, After: math.MaxInt64})
		synctest.Wait()
		c.expect("0@0s")
		c.left(3)
		c.pass(time.Second - 1)
		c.expect()
		c.pass(1)
		c.expect("1@1s")
		c.left(2)
		if c.ts.cancel(1) || c.ts.cancel(0) || c.ts.cancel(77) {
			t.Error("cancelled what is not there")
		}
		c.start(wire.TimerRequest{ID: 1, After: time.Second, Key: "k"}) // its number is free again
		c.pass(time.Hour)
		c.expect("1@2s", "3@3s")
		c.left(1)
	})
}

func TestTimerEvery(t *testing.T) {
	timed(t, func(c *timerClock) {
		c.start(wire.TimerRequest{ID: 1, After: 500 * time.Millisecond, Every: time.Second})
		c.start(wire.TimerRequest{ID: 2, Every: wire.MinTimer})
		c.pass(2 * wire.MinTimer)
		c.expect("2@0s", "2@1ms", "2@2ms")
		if !c.ts.cancel(2) {
			t.Error("not cancelled")
		}
		c.pass(3 * time.Second)
		c.expect("1@500ms", "1@1.5s", "1@2.5s")
		c.start(wire.TimerRequest{ID: 3, Every: math.MaxInt64})
		c.pass(time.Hour)
		c.mu.Lock()
		c.fired = nil
		c.mu.Unlock()
		ended := c.ts.byID[3]
		if !c.ts.cancel(3) || !c.ts.cancel(1) {
			t.Error("not cancelled")
		}
		if ended.clock.Stop() {
			t.Error("the runtime still has the timer")
		}
		c.pass(time.Hour)
		c.expect()
		c.left(0)
	})
}

// What is missed is skipped, and the rest stays on the schedule.
func TestTimerSkips(t *testing.T) {
	for _, c := range []struct {
		takes time.Duration // of the first call
		want  []string
	}{
		{0, []string{"1@1s", "1@2s", "1@3s", "1@4s", "1@5s"}},
		{999 * time.Millisecond, []string{"1@1.999s", "1@2s", "1@3s", "1@4s", "1@5s"}},
		{time.Second, []string{"1@2s", "1@3s", "1@4s", "1@5s"}},
		{1001 * time.Millisecond, []string{"1@2.001s", "1@3s", "1@4s", "1@5s"}},
		{3700 * time.Millisecond, []string{"1@4.7s", "1@5s"}},
		{4 * time.Second, []string{"1@5s"}},
	} {
		timed(t, func(k *timerClock) {
			first := true
			k.startWith(wire.TimerRequest{ID: 1, After: time.Second, Every: time.Second}, func(r *wire.TimerRequest) {
				if first {
					time.Sleep(c.takes)
				}
				first = false // unsynchronized: calls of one timer do not overlap
				k.note(r)
			})
			k.pass(5500 * time.Millisecond)
			k.expect(c.want...)
		})
	}
}

func TestFollowing(t *testing.T) {
	start := time.Now()
	for _, c := range []struct{ due, every, now, want time.Duration }{
		{0, 10, 0, 10}, {0, 10, 9, 10}, {0, 10, 10, 20}, {0, 10, 11, 20}, {0, 10, 19, 20}, {0, 10, 20, 30}, {0, 10, 21, 30},
		{5, 10, 100, 105}, {5, 10, 105, 115}, {5, 1, 1 << 60, 1<<60 + 1}, {5, 10, 0, 15},
		{0, math.MaxInt64, 0, math.MaxInt64}, {0, math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64},
	} {
		got := following(start.Add(c.due), c.every, start.Add(c.now)).Sub(start)
		if got != c.want {
			t.Errorf("due %d, every %d, now %d: got %d, want %d", c.due, c.every, c.now, got, c.want)
		}
	}
}

func TestTimerKey(t *testing.T) {
	timed(t, func(c *timerClock) {
		for id, want := range []bool{false, true, true} {
			r := wire.TimerRequest{ID: uint64(id), After: time.Second, Key: "k", Every: time.Duration(id) * time.Second}
			if got := c.start(r); got != want {
				t.Errorf("timer %d: replaced %t, want %t", id, got, want)
			}
		}
		if c.start(wire.TimerRequest{ID: 5, After: time.Second, Key: "other"}) ||
			c.start(wire.TimerRequest{ID: 6, After: time.Second}) || c.start(wire.TimerRequest{ID: 7, After: time.Second}) {
			t.Error("replaced what has another key, or none")
		}
		c.left(4)
		if c.ts.cancel(0) || c.ts.cancel(1) {
			t.Error("a timer that was replaced is still there")
		}
		for _, id := range []uint64{5, 6, 7} {
			if !c.ts.cancel(id) {
				t.Errorf("timer %d is gone", id)
			}
		}
		c.pass(3500 * time.Millisecond)
		c.expect("2@1s", "2@3s")
		c.ts.cancel(2)
		if c.start(wire.TimerRequest{ID: 8, After: time.Second, Key: "k"}) {
			t.Error("replaced what was cancelled")
		}
		c.pass(time.Second)
		if c.start(wire.TimerRequest{ID: 9, After: time.Second, Key: "k"}) {
			t.Error("replaced what has been")
		}
		c.expect("8@4.5s")
	})
}

// A timer that is being fired is there only if it comes again; the call under way is the last.
func TestTimerEndsWhileFiring(t *testing.T) {
	type ending func(c *timerClock) (was bool)
	for name, end := range map[string]ending{
		"cancel":  func(c *timerClock) bool { return c.ts.cancel(1) },
		"replace": func(c *timerClock) bool { return c.start(wire.TimerRequest{ID: 2, Key: "k", After: math.MaxInt64}) },
		"drop":    func(c *timerClock) bool { c.ts.dropVolatile(); return false },
		"close":   func(c *timerClock) bool { c.ts.close(); return false },
	} {
		for _, every := range []time.Duration{0, time.Second} {
			there := every > 0 && (name == "cancel" || name == "replace")
			for _, inside := range []bool{false, true} {
				timed(t, func(c *timerClock) {
					release := make(chan bool)
					c.startWith(wire.TimerRequest{ID: 1, Key: "k", Every: every}, func(r *wire.TimerRequest) {
						if inside && end(c) != there {
							t.Errorf("%s, every %v: from within it is there: %t", name, every, !there)
						}
						<-release
						c.note(r)
					})
					synctest.Wait()
					if !inside && end(c) != there {
						t.Errorf("%s, every %v: it is there: %t", name, every, !there)
					}
					close(release)
					c.pass(time.Hour)
					c.expect("1@0s")
				})
			}
		}
	}
}

// A volatile timer ends with the process, a durable one with the actor.
func TestTimerDurable(t *testing.T) {
	timed(t, func(c *timerClock) {
		for id := range uint64(8) {
			c.start(wire.TimerRequest{ID: id, After: time.Second, Durable: id%2 == 1, Key: strings.Repeat("k", int(id/4*id))})
		}
		c.ts.dropVolatile()
		c.left(4)
		c.start(wire.TimerRequest{ID: 10, After: time.Second}) // the next process's
		c.ts.cancel(7)
		c.pass(time.Second)
		c.mu.Lock()
		if len(c.fired) != 4 {
			t.Errorf("fired %v, want 1, 3, 5, 10", c.fired)
		}
		c.fired = nil
		c.mu.Unlock()
		c.start(wire.TimerRequest{ID: 1, After: time.Second, Durable: true})
		c.start(wire.TimerRequest{ID: 2, Every: time.Second, Durable: true, After: time.Second})
		c.ts.close()
		c.ts.close()
		c.ts.dropVolatile()
		c.left(0)
		c.pass(time.Hour)
		c.expect()
	})
}

func TestTimerRefused(t *testing.T) {
	timed(t, func(c *timerClock) {
		refuse := func(what, text string, r wire.TimerRequest) {
			t.Helper()
			replaced, err := c.ts.start(&r, func(*wire.TimerRequest, func()) { t.Errorf("%s: fired", what) })
			f, ok := errors.AsType[*wire.Failure](err)
			if replaced || !ok || f.Code != wire.Refused || f.Fate != wire.FateNotSent || !strings.Contains(f.Text, text) {
				t.Errorf("%s: got %t, %#v", what, replaced, err)
			}
		}
		c.start(wire.TimerRequest{ID: 1, After: time.Second, Key: "k"})
		c.start(wire.TimerRequest{ID: 2, After: time.Second})
		refuse("After", "-1ns", wire.TimerRequest{ID: 3, After: -1, Key: "k"})
		refuse("Every", "-1ns", wire.TimerRequest{ID: 3, Every: -1, Key: "k"})
		refuse("Every too short", "1ms", wire.TimerRequest{ID: 3, Every: wire.MinTimer - 1, Key: "k"})
		refuse("the ID", "timer 2", wire.TimerRequest{ID: 2, Key: "k"})
		refuse("the ID of the one to replace", "timer 1", wire.TimerRequest{ID: 1, Key: "k"})
		c.left(2)
		for id := uint64(3); id <= wire.MaxTimers; id++ {
			c.start(wire.TimerRequest{ID: id, After: time.Hour})
		}
		refuse("too many", fmt.Sprint(wire.MaxTimers), wire.TimerRequest{ID: 1 << 32})
		if !c.start(wire.TimerRequest{ID: 1 << 32, After: time.Minute, Key: "k"}) {
			t.Error("not replaced")
		}
		c.left(wire.MaxTimers)
		refuse("too many again", fmt.Sprint(wire.MaxTimers), wire.TimerRequest{ID: 1 << 33})
		c.pass(time.Second)
		c.expect("2@1s")
		c.start(wire.TimerRequest{ID: 1 << 33, After: time.Hour})
		c.ts.close()
		refuse("after close", "ended", wire.TimerRequest{ID: 1})
	})
}

// A timer that is not due has no goroutine.
func TestTimerIdle(t *testing.T) {
	timed(t, func(c *timerClock) {
		before := runtime.NumGoroutine()
		for id := range uint64(1000) {
			c.start(wire.TimerRequest{ID: id, After: time.Hour, Every: time.Duration(id%2) * time.Hour})
		}
		c.pass(90 * time.Minute)
		c.left(500)
		if n := runtime.NumGoroutine(); n > before+100 {
			t.Errorf("%d goroutines more", n-before)
		}
	})
}

// Of all that goes on at once: what was cancelled or replaced in time is not fired, and all else is.
func TestTimerStress(t *testing.T) {
	const actors, each = 4, 2000
	var ts timers
	var ids, all atomic.Uint64
	var fired, prevented [actors*each + 1]atomic.Int32
	fire := func(r *wire.TimerRequest) {
		if prevented[r.ID].Load() > 0 {
			t.Errorf("timer %d was fired, though it was ended", r.ID)
		}
		fired[r.ID].Add(1)
		all.Add(1)
	}
	var starting sync.WaitGroup
	for a := range actors {
		starting.Go(func() {
			rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
			key, last := fmt.Sprint(a), uint64(0)
			for range each {
				r := &wire.TimerRequest{ID: ids.Add(1), After: time.Duration(rng.IntN(300)) * time.Microsecond}
				if rng.IntN(2) == 0 {
					r.Key = key
				}
				replaced, err := ts.start(r, taken(fire))
				if err != nil {
					t.Error(err)
				}
				if r.Key != "" {
					if replaced {
						prevented[last].Add(1)
					}
					last = r.ID
				} else if rng.IntN(2) == 0 {
					runtime.Gosched()
					if ts.cancel(r.ID) {
						prevented[r.ID].Add(1)
					}
				}
			}
		})
	}
	starting.Wait()
	missing := func() int {
		n := 0
		for id := range fired[1:] {
			if fired[id+1].Load()+prevented[id+1].Load() == 0 {
				n++
			}
		}
		return n
	}
	for deadline := time.Now().Add(20 * time.Second); missing() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d timers are neither fired nor ended", missing())
		}
	}
	ts.close()
	for id := range fired {
		if f, p := fired[id].Load(), prevented[id].Load(); f+p > 1 {
			t.Errorf("timer %d: fired %d times, prevented %d times", id, f, p)
		}
	}
	if n := all.Load(); n == 0 || n == actors*each {
		t.Errorf("%d of %d were fired", n, actors*each)
	}
}

// taken is a fire whose message is taken in at once.
func taken(fire func(*wire.TimerRequest)) func(*wire.TimerRequest, func()) {
	return func(r *wire.TimerRequest, done func()) {
		fire(r)
		done()
	}
}
