package child

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// A Delivery is one message while it is handled.
type Delivery struct {
	Origin
	Type    []byte
	Trace   []byte
	Payload []byte

	// Same says that it has the Type, the From and the Trace of the one that was handled before, and that both are Tells or
	// both are Asks. It may be false although that is so.
	Same bool

	kept bool // see Keep

	// corr is 0 but for what the node itself tells: of a Down it is the monitor's
	// number, of an Exit the incarnation that it is for.
	corr uint64
}

// Keep says that the payload's memory is needed after the handler has returned.
func (d *Delivery) Keep() { d.kept = true }

// An Origin says where a message came from, and is the part of its context that
// comes from the asker: Done, Err and Deadline are context's. It is all that
// may outlive the handler. The zero Origin is the program's, which waits for
// nothing.
type Origin struct {
	From codec.ID
	ask  *ask // nil for a Tell, which nobody waits for
}

// ask is what an Origin has of its asker.
type ask struct {
	corr     uint64
	deadline int64 // Unix nanoseconds; zero is none
	early    bool  // it came before the actor was ready

	over atomic.Bool // err is set

	mu    sync.Mutex // protects the following
	done  chan struct{}
	err   error
	timer *time.Timer
}

// Asked reports whether the sender waits for a reply.
func (o *Origin) Asked() bool { return o.ask != nil }

// Deadline returns the asker's.
func (o *Origin) Deadline() (time.Time, bool) {
	if o.ask == nil || o.ask.deadline == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, o.ask.deadline), true
}

// Done is closed when the asker gives up, at its deadline, and when the handler
// has returned. It is nil for a Tell. The channel is made, and the deadline
// watched, only for those who ask: most handlers don't.
func (o *Origin) Done() <-chan struct{} {
	a := o.ask
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
func (o *Origin) Err() error {
	a := o.ask
	if a == nil || !a.over.Load() && !a.late() {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.endLocked(context.DeadlineExceeded)
	}
	return a.err
}

// late reports whether the deadline is over.
func (a *ask) late() bool { return a.deadline != 0 && time.Now().UnixNano() >= a.deadline }

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
	a.over.Store(true)
	if a.timer != nil {
		a.timer.Stop()
	}
	if a.done != nil {
		close(a.done)
	}
}
