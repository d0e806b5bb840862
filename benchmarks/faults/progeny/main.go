// Command progeny provokes the faults in this project's actors.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/progeny-go/progeny/actor"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/scene"
)

// Worker is the actor that all faults use.
type Worker struct{ scene.Worker }

// Ask is answered with a report.
type Ask struct{}

func (w *Worker) handle(_ *actor.Context, m scene.Message) error {
	w.Handle(m)
	return nil
}

func (w *Worker) report(*actor.Context, Ask) (scene.Report, error) { return w.Report(), nil }

var worker = actor.Define("worker", actor.Zero[Worker], actor.OnTell((*Worker).handle), actor.On((*Worker).report))

// spec has the defaults but for this: Go notices concurrent map writes only when there are two processors to
// write at once, and the memory is limited.
func spec(name string) actor.Spec {
	s := worker.With(actor.None{}).Named(name)
	s.Procs = 2
	s.Limits = actor.Limits{Memory: scene.MemoryLimit}
	return s
}

func main() {
	actor.Boot()
	open := sync.OnceValues(func() (*actor.System, error) {
		return actor.NewSystem(actor.Options{Logger: slog.New(slog.DiscardHandler)})
	})
	spawn := func(ctx context.Context, name string) (scene.Actor, error) {
		sys, err := open()
		if err != nil {
			return nil, err
		}
		ref, err := sys.Spawn(ctx, spec(name))
		return one{ref}, err
	}
	scene.Main(scene.System{
		Spawn:  spawn,
		Second: func(ctx context.Context) (scene.Actor, error) { return spawn(ctx, "second") },
		Close: func() error {
			sys, err := open()
			if err != nil {
				return err
			}
			return sys.Close(context.Background())
		},
	})
}

// one is an actor, seen from here.
type one struct{ ref actor.Ref }

func (o one) Tell(ctx context.Context, m scene.Message) error { return o.ref.Tell(ctx, m) }

func (o one) Ask(ctx context.Context) (scene.Report, error) {
	r, err := actor.Ask[scene.Report](ctx, o.ref, Ask{})
	if down, ok := errors.AsType[*actor.DownError](err); ok && !down.Down.Restarting {
		err = fmt.Errorf("%w: %w", scene.ErrGone, err)
	}
	return r, err
}

func (o one) Stop(ctx context.Context) error { return o.ref.Kill(ctx) }
