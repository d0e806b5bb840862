package child

import (
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// recycle ends the actor after the message in progress, for a fresh process to go on.
func (c *Child) recycle(why string) {
	c.queue.stop(wire.Reason{Cause: wire.Recycled, Detail: why})
}

// recycleIfDue is called after each message.
func (c *Child) recycleIfDue() {
	if n := c.init.Recycle; n > 0 && c.finished >= n {
		c.recycle(fmt.Sprintf("it has handled %d messages", c.finished))
	}
}
