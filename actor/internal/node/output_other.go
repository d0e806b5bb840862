//go:build !linux

package node

import (
	"os"
	"sync"

	"github.com/progeny-go/progeny/mailbox"
)

// outputs reads what the processes of a node print, on a goroutine for each stream.
type outputs struct{}

// A source is the read end of one pipe, and who reads it.
type source struct {
	stream *mailbox.Stream
	reader sync.WaitGroup
}

// watch has o read from f until its end, or close. It takes ownership of f.
func (*outputs) watch(o *output, f *os.File) error {
	o.stream = mailbox.NewStream(f)
	o.reader.Go(o.read)
	return nil
}

// close has nothing to do: each goroutine ends with its stream.
func (*outputs) close() {}

func (o *output) read() {
	buf := make([]byte, 1<<10)
	for {
		n, err := o.stream.Read(buf)
		o.mu.Lock()
		o.feed(buf[:n])
		if err != nil {
			o.finish()
		}
		o.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// drain takes what the pipe holds. What others may write later is not read.
func (o *output) drain() {
	if o.stream != nil {
		o.stream.Drain()
		o.reader.Wait()
	}
}

// close drains the pipe and closes it.
func (o *output) close() {
	if o.stream != nil {
		o.drain()
		o.stream.Close()
	}
}
