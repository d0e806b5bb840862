package node

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// timers are those that one actor has. They belong to its Cell, not to a process. The zero
// value has none. All methods are safe for concurrent use, and none calls fire.
//
// A timer that is not yet due is only an entry in the runtime's timers. When it is due, fire
// is called on a goroutine of its own, for one timer never twice at the same time. fire may
// take its time, within reason, and may call any method here.
type timers struct {
	mu     sync.Mutex // protects the following
	closed bool
	owed   int   // those that were due once, and whose message is not yet taken in
	bytes  int   // of all their messages, and of those owed
	rate   int64 // how often all are due that are again and again, in millionths of a time per second
	byID   map[uint64]*timer
	byKey  map[string]*timer // those with a key
}

// timer is one of them. timers.mu protects it.
//
//	waiting ──due──> firing ──once──> over
//	   ^                │
//	   └──────every─────┘       cancel, replace, drop, close: over, from anywhere
type timer struct {
	request *wire.TimerRequest
	fire    func(*wire.TimerRequest, func())
	clock   *time.Timer
	due     time.Time
	over    bool // it is in neither map, and fire is not called any more, but for a call under way
}

// start starts the timer that r asks for, and keeps r. fire is called with it r.After from
// now, and then, unless r.Every is zero, each time that r.Every has passed, as counted from
// the first time: what was missed because fire took too long is skipped.
//
// If the actor has a timer with the same Key, that one ends; a Key of "" is none.
//
// Of one that is due once, fire calls done when the message is taken in by whom it is for, or never
// will be: until then it counts, so that nobody is sent more than that.
//
// The error is a *wire.Failure, and then nothing has changed: the times are out of range, r.ID is
// in use, the actor has wire.MaxTimers already, or close was called.
func (ts *timers) start(r *wire.TimerRequest, fire func(r *wire.TimerRequest, done func())) (replaced bool, err error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	old := ts.byKey[r.Key] // nil for "": that is never in it
	if err := ts.checkLocked(r, old); err != nil {
		return false, err
	}
	if old != nil {
		ts.endLocked(old)
	}
	if ts.byID == nil {
		ts.byID, ts.byKey = make(map[uint64]*timer), make(map[string]*timer)
	}
	t := &timer{request: r, fire: fire, due: time.Now().Add(r.After)}
	ts.byID[r.ID] = t
	ts.bytes += weight(r)
	ts.rate += rate(r)
	if r.Key != "" {
		ts.byKey[r.Key] = t
	}
	t.clock = time.AfterFunc(r.After, func() { ts.ring(t) })
	return old != nil, nil
}

// checkLocked is why r is refused; old is the timer that it would replace, if any.
func (ts *timers) checkLocked(r *wire.TimerRequest, old *timer) error {
	ended := int64(0)
	if old != nil {
		ended = rate(old.request)
	}
	switch {
	case r.After < 0:
		return refused(fmt.Sprintf("a timer after %v", r.After))
	case r.Every < 0 || r.Every > 0 && r.Every < wire.MinTimer:
		return refused(fmt.Sprintf("a timer every %v; the shortest time is %v", r.Every, wire.MinTimer))
	case ts.closed:
		return refused("a timer of an actor that has ended")
	case ts.byID[r.ID] != nil:
		return refused(fmt.Sprintf("timer %d is there already", r.ID))
	case old == nil && len(ts.byID)+ts.owed >= wire.MaxTimers:
		return refused(fmt.Sprintf("an actor can have %d timers", wire.MaxTimers))
	case r.Every > 0 && ts.rate-ended+rate(r) > wire.MaxTimerRate*millionths:
		return refused(fmt.Sprintf("an actor can have timers that are due %d times a second in all", wire.MaxTimerRate))
	case ts.bytes >= wire.MaxTimerBytes:
		return refused(fmt.Sprintf("an actor can have timers with messages of %d bytes in all", wire.MaxTimerBytes))
	}
	return nil
}

// ring is called when t is due.
func (ts *timers) ring(t *timer) {
	ts.mu.Lock()
	if t.over {
		ts.mu.Unlock()
		return
	}
	done := func() {}
	if t.request.Every == 0 {
		ts.endLocked(t)
		ts.owed++
		ts.bytes += weight(t.request)
		done = func() { ts.paid(t.request) }
	}
	ts.mu.Unlock()

	t.fire(t.request, done)

	ts.mu.Lock()
	defer ts.mu.Unlock()
	if !t.over {
		now := time.Now()
		t.due = following(t.due, t.request.Every, now)
		t.clock.Reset(t.due.Sub(now))
	}
}

// paid is called when the message of a timer that was due once is taken in, or never will be.
func (ts *timers) paid(r *wire.TimerRequest) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.owed--
	ts.bytes -= weight(r)
}

// weight is what a timer counts for, in bytes.
func weight(r *wire.TimerRequest) int { return len(r.Payload) + len(r.Type) + len(r.Key) }

const millionths = 1_000_000

// rate is how often a timer is due, in millionths of a time per second.
func rate(r *wire.TimerRequest) int64 {
	if r.Every == 0 {
		return 0
	}
	return int64(time.Second) * millionths / int64(r.Every)
}

// following returns the first time after now on the schedule that due is on.
func following(due time.Time, every time.Duration, now time.Time) time.Time {
	if late := now.Sub(due); late >= every {
		due = due.Add(late - late%every)
	}
	return due.Add(every)
}

// cancel ends a timer, and reports whether there is one of that number: one that was due only
// once is none as soon as fire is about to be called. Of one that comes again a call of fire
// can be under way, and is then the last.
func (ts *timers) cancel(id uint64) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.byID[id]
	if t != nil {
		ts.endLocked(t)
	}
	return t != nil
}

func (ts *timers) endLocked(t *timer) {
	t.over = true
	t.clock.Stop() // ring finds out if that is too late
	if ts.byID[t.request.ID] == t {
		ts.bytes -= weight(t.request)
		ts.rate -= rate(t.request)
	}
	delete(ts.byID, t.request.ID)
	delete(ts.byKey, t.request.Key) // a later one under this key has ended t first
}

// dropVolatile ends the timers that do not survive the process that they were started by.
// Calls of fire that are under way, or about to be made, can outlast it.
func (ts *timers) dropVolatile() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.byID {
		if !t.request.Durable {
			ts.endLocked(t)
		}
	}
}

// close ends all timers, and refuses new ones. Calls of fire that are under way, or about to
// be made, can outlast it. Closing again does nothing.
func (ts *timers) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for _, t := range ts.byID {
		ts.endLocked(t)
	}
}

// timer starts or cancels one of the actor's timers. It reports whether there was one to
// replace or to cancel.
func (c *Cell) timer(r *wire.TimerRequest) (bool, error) {
	if r.Cancel {
		return c.timers.cancel(r.ID), nil
	}
	return c.timers.start(r, c.fire)
}

// fire sends a timer's message. If there is no room it waits; but of a timer that is due
// again and again it is a dead letter: the next one will do.
func (c *Cell) fire(r *wire.TimerRequest, done func()) {
	env := codec.Envelope{Kind: wire.KindTell, To: r.To, From: c.id, Type: []byte(r.Type), Payload: r.Payload, Key: r.Routing}
	err := error(gone(r.To))
	if t, ok := routes.Load(r.To); ok {
		err = t.deliver(&env, r.Every > 0, done)
	}
	if f, ok := errors.AsType[*wire.Failure](err); ok {
		done()
		c.node.deadLetter(&env, f, letter{})
	}
}
