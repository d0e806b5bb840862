package node

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Waking a goroutine on another thread takes 30 to 50 µs, a whole Ask of an actor
// that is at it 2 to 5. So an asker whose last answer came quickly looks for the
// next one itself before it parks: never longer than mailbox.PollLimit, never more askers
// at once than there are processors to spare, never where there is only one.

// quickAnswer is how long an answer may take for the next one to be polled for.
const quickAnswer = 100 * time.Microsecond

// pollers is how many askers poll now.
var pollers atomic.Int32

// poll looks for the answer by reading the actor's pipe, if that is likely to pay.
// It reports whether the answer has come; if not, the caller waits, and then tells waited.
func (c *Cell) poll(call *call) (w wait, answered bool) {
	l := c.link.Load()
	if l == nil {
		return wait{}, false
	}
	if l.in.Lingers() {
		return wait{idle: true}, false // somebody looks already
	}
	if !c.quick.Load() || !c.quick.CompareAndSwap(true, false) {
		return wait{since: time.Now()}, false
	}
	if pollers.Add(1) > int32(min(runtime.NumCPU(), runtime.GOMAXPROCS(0))/2) {
		pollers.Add(-1)
		return wait{}, false
	}
	defer pollers.Add(-1)
	if !l.in.Poll(call.answered) {
		return wait{}, false
	}
	<-call.done
	c.quick.Store(true)
	return wait{}, true
}

// wait is an asker's for its answer.
type wait struct {
	since time.Time // if the time it takes says whether to poll for the next; else zero
	idle  bool      // it says nothing
}

// waited draws the conclusion from a wait that has ended with the answer.
func (c *Cell) waited(w wait) {
	if !w.idle {
		c.quick.Store(!w.since.IsZero() && time.Since(w.since) < quickAnswer)
	}
}
