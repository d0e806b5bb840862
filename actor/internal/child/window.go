package child

import (
	"context"
	"errors"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A window is what this process has sent to one destination and not been given
// credit for: the counterpart of the node's channel.
type window struct {
	messages int
	bytes    int
	trusted  bool          // a Tell need not be acknowledged
	room     chan struct{} // closed when there may be room; nil while nobody waits
}

// errStranger says that a Tell to a destination must be acknowledged.
var errStranger = errors.New("the destination is not known yet")

// acquire waits for room in the window to a destination, and takes it. If known, it returns errStranger for one that is
// not trusted.
func (c *Child) acquire(ctx context.Context, to codec.ID, size int, known bool) error {
	for {
		c.mu.Lock()
		w := c.recent.window
		if c.recent.to != to {
			w = c.windows[to]
			c.recent.to, c.recent.window = to, w
		}
		if known && (w == nil || !w.trusted) {
			c.mu.Unlock()
			return errStranger
		}
		if w == nil {
			w = new(window)
			c.windows[to] = w
			c.recent.window = w
		}
		if w.messages < wire.WindowMessages && w.bytes < wire.WindowBytes {
			w.messages++
			w.bytes += size
			c.mu.Unlock()
			return nil
		}
		if w.room == nil {
			w.room = make(chan struct{})
		}
		room := w.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return &wire.GivenUp{Fate: wire.FateNotSent, Err: context.Cause(ctx)}
		}
	}
}

// credit gives room back. The next Tell to a destination that is gone is acknowledged
// again, and so learns the truth.
func (c *Child) credit(to codec.ID, credit wire.Credit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.windows[to]
	if w == nil {
		return
	}
	w.messages -= credit.Messages
	w.bytes -= credit.Bytes
	if credit.Gone {
		w.trusted = false
		if w.messages <= 0 && w.bytes <= 0 {
			delete(c.windows, to)
			if c.recent.to == to {
				c.recent.window = nil
			}
		}
	}
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
}

func (c *Child) trust(to codec.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.windows[to]; w != nil {
		w.trusted = true
	}
}
