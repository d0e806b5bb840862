//go:build !linux

package mailbox

import (
	"os"
	"sync"
	"sync/atomic"
)

// readers has nothing to do: each goroutine ends with its pipe.
type readers struct{ closed atomic.Bool }

func (s *readers) close() { s.closed.Store(true) }

// A tap is the read end of one pipe, and who reads it.
type tap struct {
	stream *Stream
	reader sync.WaitGroup
}

func (w *Watch) begin(all *readers, f *os.File) error {
	if all.closed.Load() {
		return os.ErrClosed
	}
	w.stream = NewStream(f)
	w.reader.Go(w.read)
	return nil
}

func (w *Watch) read() {
	buf := make([]byte, 1<<10) // for each pipe one, so a small one
	for {
		n, err := w.stream.Read(buf)
		w.mu.Lock()
		if n > 0 {
			w.take(buf[:n])
		}
		if err != nil {
			w.finish()
		}
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (w *Watch) hush() {}

func (w *Watch) drain() {
	w.stream.Drain()
	w.reader.Wait()
}

func (w *Watch) close() {
	w.drain()
	w.stream.Close()
}
