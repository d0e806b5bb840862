// Command hollywood provokes the faults in anthdm/hollywood.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/anthdm/hollywood/actor"
	"github.com/anthdm/hollywood/remote"

	"github.com/progeny-go/progeny/benchmarks/bench"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/asproto"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/scene"
)

const (
	secondRole = "second"
	kind       = "worker"
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
	engine, err := actor.NewEngine(actor.NewEngineConfig())
	if err != nil {
		fmt.Fprintln(os.Stderr, "hollywood:", err)
		os.Exit(1)
	}
	scene.Main(scene.System{
		// The default supervision restarts after 500 ms, up to three times.
		Spawn: func(_ context.Context, name string) (scene.Actor, error) {
			return one{engine, engine.Spawn(newWorker, kind, actor.WithID(name))}, nil
		},
		Second: func(ctx context.Context) (scene.Actor, error) {
			address, err := scene.StartSecond(ctx, secondRole)
			if err != nil {
				return nil, err
			}
			engine, err := startRemoting()
			return one{engine, actor.NewPID(address, kind+"/"+secondRole)}, err
		},
	})
}

// second is the other process.
func second() error {
	engine, err := startRemoting()
	if err != nil {
		return err
	}
	engine.Spawn(newWorker, kind, actor.WithID(secondRole))
	bench.BeSecond(engine.Address())
	return nil
}

// startRemoting makes an engine that is open to others.
func startRemoting() (*actor.Engine, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	return actor.NewEngine(actor.NewEngineConfig().WithRemote(remote.New(address, remote.NewConfig())))
}

type worker struct{ scene.Worker }

func newWorker() actor.Receiver { return &worker{} }

func (w *worker) Receive(c *actor.Context) {
	if reply := asproto.Handle(&w.Worker, c.Message()); reply != nil {
		c.Respond(reply)
	}
}

// one is an actor, seen from here.
type one struct {
	engine *actor.Engine
	pid    *actor.PID
}

func (o one) Tell(_ context.Context, m scene.Message) error {
	p, err := asproto.Message(m)
	if err == nil {
		o.engine.Send(o.pid, p)
	}
	return err
}

func (o one) Ask(ctx context.Context) (scene.Report, error) {
	return asproto.Report(o.engine.Request(o.pid, asproto.Question(), scene.Left(ctx)).Result())
}

func (o one) Stop(context.Context) error {
	<-o.engine.Stop(o.pid).Done()
	return nil
}
