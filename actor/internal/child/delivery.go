package child

import (
	"context"
	"sync"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// A Delivery is one message on its way through the actor, and the part of its
// context that comes from the asker. Done, Err and Deadline are context's.
type Delivery struct {
	From    codec.ID
	Type    []byte
	Trace   []byte
	Payload []byte

	size    int
	monitor uint64 // of a Down that the node sent: the monitor it answers
	ask     *ask   // nil for a Tell, which nobody waits for
}

// ask is what a Delivery has of its asker.
type ask struct {
	corr     uint64
	deadline int64 // Unix nanoseconds; zero is none

	mu    sync.Mutex // protects the following
	done  chan struct{}
	err   error
	timer *time.Timer
}

// deliveries makes Deliveries a few dozen at a time, which takes a quarter of the
// time that one by one does. One that is kept keeps those made with it.
type deliveries []Delivery

func (s *deliveries) next() *Delivery {
	if len(*s) == 0 {
		*s = make(deliveries, 32)
	}
	d := &(*s)[0]
	*s = (*s)[1:]
	return d
}

// Asked reports whether the sender waits for a reply.
func (d *Delivery) Asked() bool { return d.ask != nil }

// Deadline returns the asker's.
func (d *Delivery) Deadline() (time.Time, bool) {
	if d.ask == nil || d.ask.deadline == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, d.ask.deadline), true
}

// Done is closed when the asker gives up, at its deadline, and when the handler
// has returned. It is nil for a Tell. The channel is made, and the deadline
// watched, only for those who ask: most handlers don't.
func (d *Delivery) Done() <-chan struct{} {
	a := d.ask
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done != nil {
		return a.done
	}
	a.done = make(chan struct{})
	if a.err != nil {
		close(a.done)
	} else if a.deadline != 0 {
		a.timer = time.AfterFunc(time.Until(time.Unix(0, a.deadline)), a.expire)
	}
	return a.done
}

// Err says why Done is closed, or would be if it had been asked for.
func (d *Delivery) Err() error {
	a := d.ask
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil && a.deadline != 0 && time.Now().UnixNano() >= a.deadline {
		a.endLocked(context.DeadlineExceeded)
	}
	return a.err
}

func (a *ask) expire() { a.end(context.DeadlineExceeded) }

func (a *ask) end(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endLocked(err)
}

func (a *ask) endLocked(err error) {
	if a.err != nil {
		return
	}
	a.err = err
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.done != nil {
		close(a.done)
	}
}
