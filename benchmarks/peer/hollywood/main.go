// Command hollywood has anthdm/hollywood: in one process, and with its own remoting between two.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/anthdm/hollywood/actor"
	"github.com/anthdm/hollywood/remote"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

const (
	secondRole = "second"
	workerName = "worker"
	patience   = 10 * time.Second

	// bytesOf64 has 64 bytes when it is encoded: two of them say that it is bytes, and how many.
	bytesOf64 = 62
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if len(os.Args) == 2 && os.Args[1] == secondRole {
		if err := second(); err != nil {
			fmt.Fprintln(os.Stderr, "hollywood:", err)
			os.Exit(1)
		}
		return
	}
	bench.Main(
		bench.System{
			Name:      "hollywood, one process",
			Echo:      func(context.Context) (bench.Echoer, error) { return startLocal() },
			Sink:      func(context.Context) (bench.Sinker, error) { return startLocal() },
			StartMany: func(context.Context) (bench.Crowd, error) { return startMany() },
		},
		bench.System{
			Name: "hollywood, two processes",
			Echo: func(ctx context.Context) (bench.Echoer, error) { return startRemote(ctx) },
			Sink: func(ctx context.Context) (bench.Sinker, error) { return startRemote(ctx) },
		},
	)
}

// startRemoting makes an engine that is open to others. The limit of 64 MiB is not the default: that of 4 MiB loses
// what does not fit, as batches are limited in number alone.
func startRemoting() (*actor.Engine, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	return actor.NewEngine(actor.NewEngineConfig().WithRemote(remote.New(address, remote.NewConfig().WithBufferSize(64<<20))))
}

// peer is the worker, wherever it is.
type peer struct {
	engine *actor.Engine
	pid    *actor.PID
	ping   any
	local  bool
	close  func() error
}

func startLocal() (*peer, error) {
	engine, err := actor.NewEngine(actor.NewEngineConfig())
	if err != nil {
		return nil, err
	}
	return &peer{engine: engine, pid: engine.Spawn(newWorker, "worker"), ping: packet, local: true, close: func() error { return nil }}, nil
}

func startRemote(ctx context.Context) (*peer, error) {
	s, err := bench.StartSecond(ctx, secondRole)
	if err != nil {
		return nil, err
	}
	engine, err := startRemoting()
	if err != nil {
		return nil, err
	}
	return &peer{
		engine: engine, pid: actor.NewPID(s.Says, "worker/"+workerName),
		ping: wrapperspb.Bytes(bench.NewPing(bytesOf64)), close: s.Close,
	}, nil
}

// second is the other process.
func second() error {
	engine, err := startRemoting()
	if err != nil {
		return err
	}
	engine.Spawn(newWorker, "worker", actor.WithID(workerName))
	bench.BeSecond(engine.Address())
	return nil
}

func (p *peer) Call(context.Context) error {
	got, err := p.engine.Request(p.pid, p.ping, patience).Result()
	return checkEcho(p.ping, got, err)
}

func checkEcho(sent, got any, err error) error {
	if err != nil {
		return err
	}
	intact := sent == got
	if m, ok := sent.(*wrapperspb.BytesValue); ok {
		r, ok := got.(*wrapperspb.BytesValue)
		intact = ok && string(r.Value) == string(m.Value)
	}
	if !intact {
		return fmt.Errorf("the echo of %v is %v", sent, got)
	}
	return nil
}

func (p *peer) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	return bench.EachTimed(ctx, n, pause, limit, p.Call)
}

// Flood asks after every 32 MiB whether they have arrived: nothing else holds the sender back, and the batches
// would grow over any limit.
func (p *peer) Flood(_ context.Context, n, size int) (bench.Tally, error) {
	window := n
	if size >= 1<<20 {
		window = 32
	}
	var t bench.Tally
	m := packet
	if size == 64 && !p.local {
		size = bytesOf64
	}
	for i := range n {
		switch {
		case size == 64:
			m.Seq = uint64(i)
			p.engine.Send(p.pid, m)
		case p.local:
			p.engine.Send(p.pid, Blob{uint64(i), bench.Payload()[:size]})
		default:
			f := bench.NewFrame(size) // the sender may read it at any time later
			bench.Number(f, uint64(i))
			p.engine.Send(p.pid, wrapperspb.Bytes(f))
		}
		if (i+1)%window != 0 && i+1 != n {
			continue
		}
		if err := p.report(&t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// report adds what the worker has seen since the last one. What the worker has not seen by then is lost: its
// answer comes after all messages before.
func (p *peer) report(t *bench.Tally) error {
	got, err := p.engine.Request(p.pid, &emptypb.Empty{}, patience).Result()
	if err != nil {
		return err
	}
	s, ok := got.(*wrapperspb.StringValue)
	if !ok {
		return fmt.Errorf("the report is %v", got)
	}
	var more bench.Tally
	_, err = fmt.Sscan(s.Value, &more.Got, &more.Bad)
	t.Got, t.Bad = t.Got+more.Got, t.Bad+more.Bad
	return err
}

func (p *peer) Close() error {
	return p.close()
}

// many is many actors in one process.
type many struct {
	engine *actor.Engine

	mu  sync.Mutex
	all []*actor.PID // mu protects it while they are added
}

func startMany() (*many, error) {
	engine, err := actor.NewEngine(actor.NewEngineConfig())
	return &many{engine: engine}, err
}

func (m *many) Add(context.Context) error {
	pid := m.engine.Spawn(newWorker, "worker")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, pid)
	return nil
}

func (m *many) Ask(_ context.Context, i int) error {
	got, err := m.engine.Request(m.all[i], packet, patience).Result()
	return checkEcho(packet, got, err)
}

func (m *many) Close() error { return nil }
