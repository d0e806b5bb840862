package mailbox

import (
	"fmt"
	"os"
	"sync"
)

// OnHangup calls gone, once, when the last reader of a pipe has closed it, or had done so before.
// f is the write end, nonblocking; it stays the caller's, who calls Stop before f is closed. To write
// to f meanwhile is no matter.
//
// A write would tell as well (EPIPE), but only when there is something to write, and frames that go
// into a [Ring] are no writes. An idle pipe costs nothing, nor does one in use.
//
// gone is called by the Collector's goroutine, which reads no pipe while it runs, so it should not wait for
// anything. It must not call Stop of its own Hangup, nor Close of the Collector.
//
// It fails as Watch does. On platforms other than Linux gone is never called.
func (c *Collector) OnHangup(f *os.File, gone func()) (*Hangup, error) {
	h := &Hangup{gone: gone}
	if err := h.begin(&c.readers, f); err != nil {
		return nil, fmt.Errorf("mailbox: watch %s: %w", f.Name(), err)
	}
	return h, nil
}

// Hangup is one wait for the end of a pipe's readers. See [Collector.OnHangup].
type Hangup struct {
	tap // the platform's

	mu   sync.Mutex // held while gone runs; protects the following
	gone func()     // nil when it has been called, or never will be
}

// Stop ends it: when it has returned, gone does not run, and is not called any more. Stopping again does
// nothing.
func (h *Hangup) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone != nil {
		h.gone = nil
		h.end()
	}
}
