package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/progeny-go/progeny/actor"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// progeny is the system of this project's actors, through the public API.
func progeny() bench.System {
	quiet := slog.New(slog.DiscardHandler)
	open := sync.OnceValues(func() (*actor.System, error) {
		return actor.NewSystem(actor.Options{Logger: quiet})
	})
	// One of its own: the other benches are to have no processes beside them.
	var inReadiness *actor.System
	openReady := sync.OnceValues(func() (*actor.System, error) {
		var err error
		inReadiness, err = actor.NewSystem(actor.Options{Logger: quiet, Standby: 1})
		return inReadiness, err
	})
	spawnIn := func(ctx context.Context, open func() (*actor.System, error), change func(*actor.Spec)) (*worker, error) {
		sys, err := open()
		if err != nil {
			return nil, err
		}
		spec := workers.With(actor.None{})
		if change != nil {
			change(&spec)
		}
		ref, err := sys.Spawn(ctx, spec)
		return &worker{sys: sys, ref: ref}, err
	}
	spawn := func(ctx context.Context, change func(*actor.Spec)) (*worker, error) {
		return spawnIn(ctx, open, change)
	}
	start := func(ctx context.Context) (*worker, error) {
		return spawn(ctx, func(s *actor.Spec) { s.Restart = actor.Temporary })
	}
	return bench.System{
		Name: "progeny",
		Echo: func(ctx context.Context) (bench.Echoer, error) { return spawn(ctx, nil) },
		Sink: func(ctx context.Context) (bench.Sinker, error) { return spawn(ctx, nil) },
		SinkCustom: func(ctx context.Context) (bench.Sinker, error) {
			w, err := spawn(ctx, nil)
			return customWorker{w}, err
		},
		Relay: func(ctx context.Context) (bench.Relayer, error) {
			to, err := spawn(ctx, nil)
			if err != nil {
				return nil, err
			}
			w, err := spawn(ctx, nil)
			if err != nil {
				return nil, err
			}
			w.to = to
			return w, nil
		},
		Start: func(ctx context.Context) (bench.Process, error) { return start(ctx) },
		StartStandby: func(ctx context.Context) (bench.Process, error) {
			return spawnIn(ctx, openReady, func(s *actor.Spec) { s.Restart = actor.Temporary })
		},
		Restart: func(ctx context.Context) (bench.Reviver, error) {
			return spawnIn(ctx, openReady, func(s *actor.Spec) { s.Intensity = 1 << 20 })
		},
		StartMany: func(context.Context) (bench.Crowd, error) { return &workforce{start: start}, nil },
		Light:     true,
		Close: func() error {
			sys, err := open()
			if err != nil {
				return err
			}
			if inReadiness != nil {
				err = inReadiness.Close(context.Background())
			}
			return errors.Join(err, sys.Close(context.Background()))
		},
	}
}

// worker is an actor, seen from here.
type worker struct {
	sys *actor.System
	ref actor.Ref
	to  *worker // of a relay
	id  int
}

func (w *worker) Call(ctx context.Context) error {
	got, err := actor.Ask[Packet](ctx, w.ref, packet)
	if err == nil && got != packet {
		err = fmt.Errorf("the echo of %v is %v", packet, got)
	}
	return err
}

func (w *worker) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	return bench.EachTimed(ctx, n, pause, limit, w.Call)
}

// Flood sends Packets of 64 B, or Blobs of any other size.
func (w *worker) Flood(ctx context.Context, n, size int) (bench.Tally, error) {
	p := packet
	for i := range n {
		var err error
		if size == 64 {
			p.Seq = uint64(i)
			err = w.ref.Tell(ctx, &p) // it is encoded when Tell returns
		} else {
			err = w.ref.Tell(ctx, &Blob{uint64(i), bench.Pattern()[:size]})
		}
		if err != nil {
			return bench.Tally{}, err
		}
	}
	return w.report(ctx)
}

func (w *worker) report(ctx context.Context) (bench.Tally, error) {
	return actor.Ask[bench.Tally](ctx, w.ref, Report{})
}

// customWorker is sent messages that encode themselves.
type customWorker struct{ *worker }

func (w customWorker) Flood(ctx context.Context, n, _ int) (bench.Tally, error) {
	p := CustomPacket(packet)
	for i := range n {
		p.Seq = uint64(i)
		if err := w.ref.Tell(ctx, &p); err != nil {
			return bench.Tally{}, err
		}
	}
	return w.report(ctx)
}

func (w *worker) Relay(ctx context.Context, n int) (bench.Tally, error) {
	if _, err := actor.Ask[actor.None](ctx, w.ref, Flood{w.to.ref, n}); err != nil {
		return bench.Tally{}, err
	}
	return w.to.report(ctx)
}

func (w *worker) Use(ctx context.Context) (err error) {
	if w.id == 0 {
		w.id, err = actor.Ask[int](ctx, w.ref, Pid{})
		return err
	}
	return w.Call(ctx)
}

func (w *worker) Pid() int { return w.id }

func (w *worker) Watch() func() {
	m := w.sys.Monitor(w.ref)
	return func() { <-m.C }
}

// Revive asks until another process answers: the Ask may have been begun by the one that is
// about to die.
func (w *worker) Revive(ctx context.Context) error {
	for {
		id, err := actor.Ask[int](ctx, w.ref, Pid{})
		if down, ok := errors.AsType[*actor.DownError](err); ok && down.Down.Restarting {
			continue
		}
		if err != nil {
			return err
		}
		if id != w.id {
			w.id = id
			return nil
		}
	}
}

func (w *worker) Close() error {
	if w.to != nil {
		if err := w.to.Close(); err != nil {
			return err
		}
	}
	return w.ref.Kill(context.Background())
}

// workforce is many of them. The System's end is theirs.
type workforce struct {
	start func(context.Context) (*worker, error)

	mu  sync.Mutex
	all []*worker // mu protects it while they are added
}

func (f *workforce) Add(ctx context.Context) error {
	w, err := f.start(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, w)
	return nil
}

func (f *workforce) Ask(ctx context.Context, i int) error { return f.all[i].Call(ctx) }
func (f *workforce) Close() error                         { return nil }
