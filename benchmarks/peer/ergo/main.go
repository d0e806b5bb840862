// Command ergo has ergo.services/ergo: in one process, and with its own networking between two.
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"ergo.services/ergo"
	"ergo.services/ergo/act"
	"ergo.services/ergo/gen"
	"ergo.services/ergo/net/edf"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

const (
	secondRole = "second"
	cookie     = "benchmarks"
	workerName = gen.Atom("worker")
)

func main() {
	if err := registerTypes(); err != nil {
		fmt.Fprintln(os.Stderr, "ergo:", err)
		os.Exit(1)
	}
	if len(os.Args) == 3 && os.Args[1] == secondRole {
		if err := second(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "ergo:", err)
			os.Exit(1)
		}
		return
	}
	bench.Main(
		bench.System{
			Name:       "ergo, one process",
			Echo:       func(context.Context) (bench.Echoer, error) { return startLocal() },
			Sink:       func(context.Context) (bench.Sinker, error) { return startLocal() },
			SinkCustom: func(context.Context) (bench.Sinker, error) { return startLocal() },
			StartMany:  func(context.Context) (bench.Crowd, error) { return startMany() },
		},
		bench.System{
			Name: "ergo, two processes",
			Echo: func(ctx context.Context) (bench.Echoer, error) { return startRemote(ctx) },
			Sink: func(ctx context.Context) (bench.Sinker, error) { return startRemote(ctx) },
		},
	)
}

func startNode(name gen.Atom, port uint16) (gen.Node, error) {
	o := gen.NodeOptions{}
	o.Log.DefaultLogger.Disable = true
	o.Log.Level = gen.LogLevelError
	if port == 0 {
		o.Network.Mode = gen.NetworkModeDisabled
	} else {
		o.Network.Cookie = cookie
		o.Network.Acceptors = []gen.AcceptorOptions{{Host: "localhost", Port: port}}
	}
	return ergo.StartNode(name, o)
}

func freePort() (uint16, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port), nil
}

// peer is the worker, wherever it is, with the node from which it is called and the actor that
// does so: it runs what it is sent.
type peer struct {
	node   gen.Node
	driver gen.PID
	worker any // its PID or ProcessID
	close  func() error
}

func startLocal() (*peer, error) {
	node, err := startNode(gen.Atom(fmt.Sprintf("one%d@localhost", os.Getpid())), 0)
	if err != nil {
		return nil, err
	}
	pid, err := node.Spawn(newWorker, gen.ProcessOptions{})
	if err != nil {
		return nil, err
	}
	return newPeer(node, pid, func() error { return nil })
}

func startRemote(ctx context.Context) (*peer, error) {
	here, err := freePort()
	if err != nil {
		return nil, err
	}
	there, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := bench.StartSecond(ctx, secondRole, fmt.Sprint(there))
	if err != nil {
		return nil, err
	}
	node, err := startNode(gen.Atom(fmt.Sprintf("first%d@localhost", here)), here)
	if err != nil {
		return nil, err
	}
	route := gen.NetworkRoute{Route: gen.Route{Host: "localhost", Port: there}, Cookie: cookie}
	if err := node.Network().AddRoute(s.Says, route, 1); err != nil {
		return nil, err
	}
	return newPeer(node, gen.ProcessID{Name: workerName, Node: gen.Atom(s.Says)}, s.Close)
}

// second is the other process.
func second(port string) error {
	var n uint16
	if _, err := fmt.Sscan(port, &n); err != nil {
		return err
	}
	node, err := startNode(gen.Atom("second"+port+"@localhost"), n)
	if err != nil {
		return err
	}
	if _, err := node.SpawnRegister(workerName, newWorker, gen.ProcessOptions{}); err != nil {
		return err
	}
	bench.BeSecond(string(node.Name()))
	return nil
}

func newPeer(node gen.Node, worker any, close func() error) (*peer, error) {
	driver, err := node.Spawn(func() gen.ProcessBehavior { return &driver{} }, gen.ProcessOptions{})
	return &peer{node, driver, worker, close}, err
}

// drive runs something in the driver: only actors keep the order of what they send.
func (p *peer) drive(do func(gen.Process) error) error {
	done := make(chan error, 1)
	if err := p.node.Send(p.driver, func(self gen.Process) { done <- do(self) }); err != nil {
		return err
	}
	return <-done
}

func (p *peer) Pings(ctx context.Context, n int, pause, limit time.Duration) (took []time.Duration, err error) {
	err = p.drive(func(self gen.Process) (err error) {
		took, err = bench.EachTimed(ctx, n, pause, limit, func(context.Context) error {
			return checkEcho(self.Call(p.worker, packet))
		})
		return err
	})
	return took, err
}

func (p *peer) Call(context.Context) error { return checkEcho(p.node.Call(p.worker, packet)) }

func checkEcho(got any, err error) error {
	if err == nil && got != packet {
		err = fmt.Errorf("the echo of %v is %v", packet, got)
	}
	return err
}

func (p *peer) Flood(_ context.Context, n, size int) (t bench.Tally, err error) {
	err = p.drive(func(self gen.Process) error {
		m := packet
		for i := range n {
			var err error
			if size == 64 {
				m.Seq = uint64(i)
				err = self.Send(p.worker, m)
			} else {
				err = self.Send(p.worker, Blob{uint64(i), bench.Payload()[:size]})
			}
			if err != nil {
				return err
			}
		}
		got, err := self.CallWithTimeout(p.worker, Report{}, 30)
		if err != nil {
			return err
		}
		r, ok := got.(Tally)
		if !ok {
			return fmt.Errorf("the report is %v", got)
		}
		t = bench.Tally{Got: int(r.Got), Bad: int(r.Bad)}
		return nil
	})
	return t, err
}

func (p *peer) Close() error {
	p.node.StopForce()
	return p.close()
}

type driver struct{ act.Actor }

func (d *driver) HandleMessage(_ gen.PID, message any) error {
	if do, ok := message.(func(gen.Process)); ok {
		do(d)
	}
	return nil
}

type worker struct {
	act.Actor
	seen bench.Tally
}

func newWorker() gen.ProcessBehavior { return &worker{} }

type (
	// Packet is a message of about 64 bytes.
	Packet struct {
		Seq  uint64
		At   int64
		Name string
		Data [26]byte
	}
	// Blob is one of any size.
	Blob struct {
		Seq  uint64
		Data []byte
	}
	// Report is answered with a Tally.
	Report struct{}
	// Tally is a [bench.Tally].
	Tally struct{ Got, Bad int64 }
)

var packet = Packet{At: 1 << 60, Name: "sixteen letters!", Data: [26]byte{25: 255}}

func registerTypes() error {
	for _, v := range []any{Packet{}, Blob{}, Report{}, Tally{}} {
		if err := edf.RegisterTypeOf(v); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) HandleMessage(_ gen.PID, message any) error {
	switch m := message.(type) {
	case Packet:
		want := packet
		want.Seq = m.Seq
		w.seen.Next(m.Seq, m == want)
	case Blob:
		w.seen.Next(m.Seq, bytes.Equal(m.Data, bench.Pattern()[:len(m.Data)]))
	}
	return nil
}

func (w *worker) HandleCall(_ gen.PID, _ gen.Ref, request any) (any, error) {
	if _, ok := request.(Report); ok {
		t := Tally{int64(w.seen.Got), int64(w.seen.Bad)}
		w.seen = bench.Tally{}
		return t, nil
	}
	return request, nil
}
