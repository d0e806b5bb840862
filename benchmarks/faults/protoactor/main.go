// Command protoactor provokes the faults in asynkron/protoactor-go.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/progeny-go/progeny/benchmarks/bench"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/asproto"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/scene"
)

const secondRole = "second"

func main() {
	sys := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	// The default supervision restarts at once, up to ten times in ten seconds.
	spawn := func(_ context.Context, name string) (scene.Actor, error) {
		pid, err := sys.Root.SpawnNamed(actor.PropsFromProducer(newWorker), name)
		return one{sys.Root, pid}, err
	}
	if len(os.Args) == 2 && os.Args[1] == secondRole {
		startRemoting(sys)
		if _, err := spawn(context.Background(), secondRole); err != nil {
			fmt.Fprintln(os.Stderr, "protoactor:", err)
			os.Exit(1)
		}
		bench.BeSecond(sys.Address())
		return
	}
	scene.Main(scene.System{
		Spawn: spawn,
		Second: func(ctx context.Context) (scene.Actor, error) {
			address, err := scene.StartSecond(ctx, secondRole)
			if err != nil {
				return nil, err
			}
			startRemoting(sys)
			return one{sys.Root, actor.NewPID(address, secondRole)}, nil
		},
	})
}

func startRemoting(sys *actor.ActorSystem) {
	remote.NewRemote(sys, remote.Configure("127.0.0.1", 0)).Start()
}

type worker struct{ scene.Worker }

func newWorker() actor.Actor { return &worker{} }

func (w *worker) Receive(c actor.Context) {
	if reply := asproto.Handle(&w.Worker, c.Message()); reply != nil {
		c.Respond(reply)
	}
}

// one is an actor, seen from here.
type one struct {
	root *actor.RootContext
	pid  *actor.PID
}

func (o one) Tell(_ context.Context, m scene.Message) error {
	p, err := asproto.Message(m)
	if err == nil {
		o.root.Send(o.pid, p)
	}
	return err
}

func (o one) Ask(ctx context.Context) (scene.Report, error) {
	return asproto.Report(o.root.RequestFuture(o.pid, asproto.Question(), scene.Left(ctx)).Result())
}

func (o one) Stop(context.Context) error { return o.root.StopFuture(o.pid).Wait() }
