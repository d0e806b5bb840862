package actor

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/actor/internal/node"
)

// subscriptionSize is how many values wait in a Subscription.
const subscriptionSize = 1024

// A Subscription is a stream of what happens in a [System], from the moment it was
// made. It never holds the system up: what does not fit is dropped and counted.
type Subscription[T any] struct {
	// C has room for 1024. It is never closed, and after Stop still has what was in
	// it.
	C <-chan T

	in      chan T
	dropped atomic.Uint64
	stop    func()
}

func newSubscription[T any]() *Subscription[T] {
	c := make(chan T, subscriptionSize)
	return &Subscription[T]{C: c, in: c}
}

func (s *Subscription[T]) put(v T) {
	select {
	case s.in <- v:
	default:
		s.dropped.Add(1)
	}
}

// Stop ends it. It may be called more than once. One that is never stopped lasts
// as long as the System.
func (s *Subscription[T]) Stop() { s.stop() }

// Dropped returns how many values have been dropped so far because C was full.
func (s *Subscription[T]) Dropped() uint64 { return s.dropped.Load() }

// Events returns a stream of everything that befalls actors and supervisors.
// What befalls one of them comes in order; so does what befalls a supervisor and
// its children.
func (s *System) Events() *Subscription[Event] {
	sub := newSubscription[Event]()
	stopEvents := s.node.Events(func(e *node.Event) { sub.put(newEvent(e)) })
	stopLetters := s.node.DeadLetters(func(d *node.DeadLetter) {
		l := newDeadLetter(d)
		sub.put(Event{Time: l.Time, Kind: EventDeadLetter, Ref: l.To, Letter: &l})
	})
	sub.stop = sync.OnceFunc(func() { stopEvents(); stopLetters() })
	return sub
}

// DeadLetters returns a stream of the messages that reach nobody, or whose actor
// has died while it handled them. They are counted in [Stats] also when nobody
// listens.
func (s *System) DeadLetters() *Subscription[DeadLetter] {
	sub := newSubscription[DeadLetter]()
	sub.stop = sync.OnceFunc(s.node.DeadLetters(func(d *node.DeadLetter) { sub.put(newDeadLetter(d)) }))
	return sub
}

// A DeadLetter is a message that was accepted, or sent without waiting for that,
// and not handled to the end. Others may have got it too: do not change what is in
// the Message.
type DeadLetter struct {
	Time     time.Time
	From     Ref // zero if the program itself sent it
	To       Ref
	Message  *Raw
	Reason   error // *DownError with the death of its receiver, ErrNoActor, ErrMailboxFull, …
	Suspect  bool  // it was in progress when its receiver died
	Attempts int   // how many processes have begun with it
}

// String names the message and why it is one.
func (l DeadLetter) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dead letter: %s to %v", l.Message.Type, l.To)
	switch {
	case l.Suspect && l.Attempts > 1:
		fmt.Fprintf(&b, ", in progress for the %d. time", l.Attempts)
	case l.Suspect:
		b.WriteString(", in progress")
	}
	if l.Reason != nil {
		fmt.Fprintf(&b, ": %v", l.Reason)
	}
	return b.String()
}

func newDeadLetter(d *node.DeadLetter) DeadLetter {
	l := DeadLetter{
		Time:     d.Time,
		From:     Ref{d.From},
		To:       Ref{d.To},
		Message:  &Raw{Type: d.Type, Payload: d.Payload},
		Suspect:  d.Suspect,
		Attempts: d.Attempts,
	}
	if d.Reason != nil {
		l.Reason = public(d.Reason)
	}
	return l
}

// An Event is something that has befallen an actor or a supervisor.
type Event struct {
	Time        time.Time
	Kind        EventKind
	Ref         Ref    // whom
	Type        string // "supervisor" for one, and for a pool
	Name        string // "" if it has none
	Incarnation uint64 // from 1
	Pid         int    // 0 for a supervisor, and where there is no process

	Down   *Down         // of EventExited: how its process, or the supervisor, ended
	Reason Reason        // of EventExited and EventGaveUp
	In     time.Duration // of EventRestarting: when the next attempt is due
	Letter *DeadLetter   // of EventDeadLetter
}

// EventKind is what has happened.
type EventKind uint8

// The kinds of events.
const (
	// EventStarted: it has a process, which is booting.
	EventStarted = EventKind(node.Started)
	// EventReady: its start function has returned; a supervisor's children are ready.
	EventReady = EventKind(node.Ready)
	// EventExited: its process, or the supervisor, has ended, or never came to be.
	// Event.Reason says why.
	EventExited = EventKind(node.Exited)
	// EventRestarting: it is to be started again in Event.In, or as soon as those
	// that are restarted with it have stopped.
	EventRestarting = EventKind(node.Restarting)
	// EventGaveUp: a supervisor has used up its budget of restarts, and ends; an actor
	// has used up its own, or ended by a fatal cause ([Type.Fatal]), and stays down.
	// Event.Reason is that of the last death.
	EventGaveUp = EventKind(node.GaveUp)
	// EventDeadLetter: a message to Event.Ref came to nothing; Event.Letter is it.
	EventDeadLetter = EventGaveUp + 1
)

// String returns a word or two.
func (k EventKind) String() string {
	switch k {
	case EventStarted:
		return "started"
	case EventReady:
		return "ready"
	case EventExited:
		return "exited"
	case EventRestarting:
		return "restarting"
	case EventGaveUp:
		return "gave up"
	case EventDeadLetter:
		return "dead letter"
	}
	return "invalid"
}

// String tells it in a line.
func (e Event) String() string {
	if e.Kind == EventDeadLetter && e.Letter != nil {
		return e.Letter.String()
	}
	var b strings.Builder
	b.WriteString(who(e.Ref, e.Type, e.Name))
	switch {
	case e.Pid != 0 && e.Incarnation > 1:
		fmt.Fprintf(&b, " (pid %d, incarnation %d)", e.Pid, e.Incarnation)
	case e.Pid != 0:
		fmt.Fprintf(&b, " (pid %d)", e.Pid)
	}
	fmt.Fprintf(&b, " %v", e.Kind)
	if e.Kind == EventRestarting && e.In > 0 {
		fmt.Fprintf(&b, " in %v", e.In)
	}
	if e.Reason != nil {
		fmt.Fprintf(&b, ": %v", e.Reason)
	}
	return b.String()
}

func newEvent(w *node.Event) Event {
	e := Event{
		Time:        w.Time,
		Kind:        EventKind(w.Kind),
		Ref:         Ref{w.ID},
		Type:        w.Type,
		Name:        w.Name,
		Incarnation: w.Incarnation,
		Pid:         w.Pid,
		In:          w.In,
	}
	if e.Type == "" {
		e.Type = supervisorType
	}
	if w.Down != nil {
		down := newDown(w.Down)
		e.Down, e.Reason = &down, down.Reason
	}
	if w.Reason != nil {
		e.Reason = newReason(*w.Reason)
	}
	return e
}
