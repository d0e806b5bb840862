// Package rpcworker is what net/rpc and go-plugin's net/rpc are measured with: the same service
// and the same calls, over connections that are made in different ways.
package rpcworker

import (
	"bytes"
	"context"
	"fmt"
	"net/rpc"
	"sync"
	"time"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// Worker is the service. net/rpc runs each call in a goroutine of its own, so there is no
// order.
type Worker struct {
	mu   sync.Mutex
	seen bench.Tally // mu protects it
}

type (
	// Packet is a message of about 64 bytes.
	Packet struct {
		Seq  uint64
		At   int64
		Name string
		Data [26]byte
	}
	// Blob is one of any size.
	Blob struct{ Data []byte }
	// None is nothing.
	None struct{}
)

var packet = Packet{At: 1 << 60, Name: "sixteen letters!", Data: [26]byte{25: 255}}

// Echo sends back what it gets.
func (w *Worker) Echo(p Packet, reply *Packet) error {
	*reply = p
	return nil
}

// Packet counts.
func (w *Worker) Packet(p Packet, _ *None) error {
	want := packet
	want.Seq = p.Seq
	w.count(p == want)
	return nil
}

// Blob counts.
func (w *Worker) Blob(b Blob, _ *None) error {
	w.count(bytes.Equal(b.Data, bench.Pattern()[:len(b.Data)]))
	return nil
}

func (w *Worker) count(intact bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Count(intact)
}

// Report tells what was counted since the last one.
func (w *Worker) Report(_ None, seen *bench.Tally) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	*seen, w.seen = w.seen, bench.Tally{}
	return nil
}

// A Client has one process's Worker work, seen from another process.
type Client struct {
	*rpc.Client
	Service string // what the Worker is registered as
}

// Call has a Packet sent back.
func (c Client) Call(context.Context) error {
	var got Packet
	err := c.Client.Call(c.Service+".Echo", packet, &got)
	if err == nil && got != packet {
		err = fmt.Errorf("the echo of %v is %v", packet, got)
	}
	return err
}

// Use is Call.
func (c Client) Use(ctx context.Context) error { return c.Call(ctx) }

// Pings is bench.Echoer's.
func (c Client) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	return bench.EachTimed(ctx, n, pause, limit, c.Call)
}

// Flood makes calls without waiting for their answers, up to a window.
func (c Client) Flood(_ context.Context, n, size int) (t bench.Tally, err error) {
	window := min(1024, max(1, 32<<20/size))
	done := make(chan *rpc.Call, window)
	p := packet
	onePacket, oneBlob := c.Service+".Packet", c.Service+".Blob"
	for i := range n {
		if i >= window {
			if call := <-done; call.Error != nil {
				return t, call.Error
			}
		}
		if size == 64 {
			p.Seq = uint64(i)
			c.Go(onePacket, p, &None{}, done)
		} else {
			c.Go(oneBlob, Blob{bench.Pattern()[:size]}, &None{}, done)
		}
	}
	for range min(n, window) {
		if call := <-done; call.Error != nil {
			return t, call.Error
		}
	}
	err = c.Client.Call(c.Service+".Report", None{}, &t)
	return t, err
}
