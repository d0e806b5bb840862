package mailbox

import (
	"fmt"
	"os"
	"sync"
)

const (
	// collectSize is how much of one pipe is read before others have their turn, in bytes.
	collectSize = 32 << 10

	// drainLimit is more than a pipe can hold (fs/pipe-max-size of pipe(7), 1 MiB), in bytes: so
	// much Drain reads at most, whoever else writes.
	drainLimit = 1 << 20
)

// Collector reads many pipes without frames: what processes print. And it tells when the reader
// of a pipe is gone ([Collector.OnHangup]). The zero value is ready for use. All its methods
// are safe for concurrent use.
//
// Most of such pipes say nothing most of the time. So on Linux one goroutine reads them all;
// it waits in one epoll instance (epoll(7)), which itself sits in Go's poller, and begins
// with the first Watch or OnHangup. On other platforms there is a goroutine for each pipe.
type Collector struct {
	readers readers // the platform's
}

// Watch reads from f, the read end of a pipe in nonblocking mode, and takes ownership of
// f, even if it fails.
//
// take gets what comes, in order, in pieces of at most 32 KiB. After the last, once, it gets nil:
// when all writers have closed the pipe, or Drain or Close has read the rest. Its data is valid
// until it returns. It is called by one goroutine at a time, perhaps before Watch returns,
// by the Collector's or by who calls Drain or Close; while it runs, no other pipe
// is read, so it should not wait for long. It must not call methods of its own Watch, nor
// Close of the Collector.
//
// It fails for want of a descriptor, of which the Collector needs one in all (a later call tries
// again), if f is of a kind that cannot be waited for, and with an error that wraps
// [os.ErrClosed] after Close.
func (c *Collector) Watch(f *os.File, take func(data []byte)) (*Watch, error) {
	w := &Watch{take: take}
	if err := w.begin(&c.readers, f); err != nil {
		f.Close()
		return nil, fmt.Errorf("mailbox: watch %s: %w", f.Name(), err)
	}
	return w, nil
}

// Close ends the goroutine, after the take that it is at. What comes from now on is read only
// by the Drain and Close of each Watch, which are as necessary as before; on platforms other
// than Linux, until then. Closing again does nothing.
func (c *Collector) Close() { c.readers.close() }

// Watch is one pipe of a [Collector]. Its methods are safe for concurrent use.
type Watch struct {
	take func(data []byte)
	tap  // the platform's

	mu   sync.Mutex // held while take runs; protects the following, and tap.all
	done bool       // take has got nil
}

// Hush leaves what the pipe gets from now on, and its end, to Drain and Close. Hushing again does nothing.
// On platforms other than Linux it never does anything.
func (w *Watch) Hush() { w.hush() }

// Drain says that the process at the other end has exited: it reads what the pipe holds at this
// moment, and no more than 1 MiB, and waits neither for others who have the pipe open, nor
// for what they write. After it take is not called any more. Draining again does nothing.
func (w *Watch) Drain() { w.drain() }

// Close drains the pipe and closes it. Closing again does nothing.
func (w *Watch) Close() { w.close() }

// finish says that nothing follows. mu is held.
func (w *Watch) finish() {
	if !w.done {
		w.done = true
		w.take(nil)
	}
}
