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
	Corr    uint64 // zero for a Tell
	Type    []byte
	Trace   []byte
	Payload []byte

	seq      uint64
	size     int
	deadline int64

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
func (d *Delivery) Asked() bool { return d.Corr != 0 }

// Deadline returns the asker's.
func (d *Delivery) Deadline() (time.Time, bool) {
	if d.deadline == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, d.deadline), true
}

// Done is closed when the asker gives up, at its deadline, and when the handler
// has returned. It is nil for a Tell, which nobody waits for. The channel is
// made, and the deadline watched, only for those who ask: most handlers don't.
func (d *Delivery) Done() <-chan struct{} {
	if d.Corr == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done != nil {
		return d.done
	}
	d.done = make(chan struct{})
	if d.err != nil {
		close(d.done)
	} else if d.deadline != 0 {
		d.timer = time.AfterFunc(time.Until(time.Unix(0, d.deadline)), d.expire)
	}
	return d.done
}

// Err says why Done is closed, or would be if it had been asked for.
func (d *Delivery) Err() error {
	if d.Corr == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil && d.deadline != 0 && time.Now().UnixNano() >= d.deadline {
		d.endLocked(context.DeadlineExceeded)
	}
	return d.err
}

func (d *Delivery) expire() { d.end(context.DeadlineExceeded) }

func (d *Delivery) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.endLocked(err)
}

func (d *Delivery) endLocked(err error) {
	if d.err != nil {
		return
	}
	d.err = err
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.done != nil {
		close(d.done)
	}
}
