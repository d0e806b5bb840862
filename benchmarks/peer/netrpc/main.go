// Command netrpc has net/rpc, with gob, over a socketpair that the child inherits: what Go's own library
// gives to somebody who wants calls into another process. A server runs every call in a
// goroutine of its own, so there is no order.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"sync"
	"time"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

const childRole = "child"

func main() {
	if len(os.Args) == 2 && os.Args[1] == childRole {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, "net/rpc:", err)
			os.Exit(1)
		}
		return
	}
	bench.Main(bench.System{
		Name:  "net/rpc",
		Echo:  func(context.Context) (bench.Echoer, error) { return start() },
		Sink:  func(context.Context) (bench.Sinker, error) { return start() },
		Start: func(context.Context) (bench.Process, error) { return start() },
	})
}

func child() error {
	conn, err := net.FileConn(os.NewFile(3, "socketpair"))
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(&Worker{}); err != nil {
		return err
	}
	server.ServeConn(conn)
	return nil
}

// Worker is the service.
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

// worker is a process with one, seen from its parent.
type worker struct {
	os     *os.Process
	client *rpc.Client
}

// start starts this program again and returns when the first call was answered: there is no other sign
// that it is ready.
func start() (*worker, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], childRole}, &os.ProcAttr{
		Files: []*os.File{nil, os.Stderr, os.Stderr, theirs},
	})
	if err != nil {
		return nil, err
	}
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	w := &worker{os: p, client: rpc.NewClient(conn)}
	return w, w.Call(context.Background())
}

func (w *worker) Call(context.Context) error {
	var got Packet
	err := w.client.Call("Worker.Echo", packet, &got)
	if err == nil && got != packet {
		err = fmt.Errorf("the echo of %v is %v", packet, got)
	}
	return err
}

func (w *worker) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	return bench.EachTimed(ctx, n, pause, limit, w.Call)
}

// Flood makes calls without waiting for their answers, up to a window.
func (w *worker) Flood(_ context.Context, n, size int) (t bench.Tally, err error) {
	window := min(1024, max(1, 32<<20/size))
	done := make(chan *rpc.Call, window)
	p := packet
	for i := range n {
		if i >= window {
			if call := <-done; call.Error != nil {
				return t, call.Error
			}
		}
		if size == 64 {
			p.Seq = uint64(i)
			w.client.Go("Worker.Packet", p, &None{}, done)
		} else {
			w.client.Go("Worker.Blob", Blob{bench.Pattern()[:size]}, &None{}, done)
		}
	}
	for range min(n, window) {
		if call := <-done; call.Error != nil {
			return t, call.Error
		}
	}
	err = w.client.Call("Worker.Report", None{}, &t)
	return t, err
}

func (w *worker) Pid() int                      { return w.os.Pid }
func (w *worker) Use(ctx context.Context) error { return w.Call(ctx) }

func (w *worker) Close() error {
	w.os.Kill()
	w.os.Wait()
	return w.client.Close()
}
