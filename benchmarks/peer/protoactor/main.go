// Command protoactor has asynkron/protoactor-go: in one process, and with its own remoting between two.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
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
	if len(os.Args) == 2 && os.Args[1] == secondRole {
		if err := second(); err != nil {
			fmt.Fprintln(os.Stderr, "protoactor:", err)
			os.Exit(1)
		}
		return
	}
	bench.Main(
		bench.System{
			Name:      "protoactor, one process",
			Echo:      func(context.Context) (bench.Echoer, error) { return startLocal(), nil },
			Sink:      func(context.Context) (bench.Sinker, error) { return startLocal(), nil },
			StartMany: func(context.Context) (bench.Crowd, error) { return &many{sys: newSystem()}, nil },
		},
		bench.System{
			Name: "protoactor, two processes",
			Echo: func(ctx context.Context) (bench.Echoer, error) { return startRemote(ctx) },
			Sink: func(ctx context.Context) (bench.Sinker, error) { return startRemote(ctx) },
		},
	)
}

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}

// startRemoting opens a system to others. The limit of 64 MiB is not the default: that of 4 MiB loses what does
// not fit, as batches are limited in number alone.
func startRemoting(sys *actor.ActorSystem) *remote.Remote {
	const limit = 64 << 20
	r := remote.NewRemote(sys, remote.Configure("127.0.0.1", 0,
		remote.WithServerOptions(grpc.MaxRecvMsgSize(limit)),
		remote.WithDialOptions(grpc.WithTransportCredentials(insecure.NewCredentials()))))
	r.Start()
	return r
}

// peer is the worker, wherever it is.
type peer struct {
	sys   *actor.ActorSystem
	pid   *actor.PID
	ping  any
	local bool
	close func() error
}

func startLocal() *peer {
	sys := newSystem()
	pid := sys.Root.Spawn(actor.PropsFromProducer(newWorker))
	return &peer{sys: sys, pid: pid, ping: packet, local: true, close: func() error { return nil }}
}

func startRemote(ctx context.Context) (*peer, error) {
	s, err := bench.StartSecond(ctx, secondRole)
	if err != nil {
		return nil, err
	}
	sys := newSystem()
	r := startRemoting(sys)
	return &peer{
		sys: sys, pid: actor.NewPID(s.Says, workerName), ping: wrapperspb.Bytes(bench.NewPing(bytesOf64)),
		close: func() error {
			r.Shutdown(false)
			return s.Close()
		},
	}, nil
}

// second is the other process.
func second() error {
	sys := newSystem()
	startRemoting(sys)
	if _, err := sys.Root.SpawnNamed(actor.PropsFromProducer(newWorker), workerName); err != nil {
		return err
	}
	bench.BeSecond(sys.Address())
	return nil
}

func (p *peer) Call(context.Context) error {
	got, err := p.sys.Root.RequestFuture(p.pid, p.ping, patience).Result()
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
			p.sys.Root.Send(p.pid, m)
		case p.local:
			p.sys.Root.Send(p.pid, Blob{uint64(i), bench.Payload()[:size]})
		default:
			f := bench.NewFrame(size) // the sender may read it at any time later
			bench.Number(f, uint64(i))
			p.sys.Root.Send(p.pid, wrapperspb.Bytes(f))
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
	got, err := p.sys.Root.RequestFuture(p.pid, &emptypb.Empty{}, patience).Result()
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
	err := p.close()
	p.sys.Shutdown()
	return err
}

// many is many actors in one process.
type many struct {
	sys *actor.ActorSystem

	mu  sync.Mutex
	all []*actor.PID // mu protects it while they are added
}

func (m *many) Add(context.Context) error {
	pid := m.sys.Root.Spawn(actor.PropsFromProducer(newWorker))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, pid)
	return nil
}

func (m *many) Ask(_ context.Context, i int) error {
	got, err := m.sys.Root.RequestFuture(m.all[i], packet, patience).Result()
	return checkEcho(packet, got, err)
}

func (m *many) Close() error {
	m.sys.Shutdown()
	return nil
}
