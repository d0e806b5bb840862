package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/progeny-go/progeny/actor"
)

const progenyName = "progeny"

// newProgeny makes the system of this project's actors.
func newProgeny() (system, func() error, error) {
	sys, err := actor.NewSystem(actor.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return system{}, nil, err
	}
	start := func(ctx context.Context) (*worker, error) {
		ref, err := sys.Spawn(ctx, workers)
		return &worker{sys: sys, ref: ref}, err
	}
	return system{
		name:  progenyName,
		echo:  func(ctx context.Context) (echoer, error) { return start(ctx) },
		sink:  func(ctx context.Context) (sinker, error) { return start(ctx) },
		start: func(ctx context.Context) (process, error) { return start(ctx) },
		relay: func(ctx context.Context) (relayer, error) {
			to, err := start(ctx)
			if err != nil {
				return nil, err
			}
			w, err := start(ctx)
			if err != nil {
				return nil, err
			}
			w.to = to
			return w, nil
		},
	}, func() error { return sys.Close(context.Background()) }, nil
}

// workActor is the actor that all benches use.
type workActor struct{ seen tally }

type (
	// Packet is a message whose encoding has 64 bytes. It is echoed.
	Packet struct {
		Seq  uint64
		At   int64
		Name string
		Data [26]byte
	}
	// Blob is one of any size. It is answered with nothing.
	Blob struct {
		Seq  uint64
		Data []byte
	}
	// Report is answered with the tally since the last one.
	Report struct{}
	// Flood has so many Packets told to To.
	Flood struct {
		To actor.Ref
		N  int
	}
	// Pid is answered with the process's.
	Pid struct{}
)

var packet = Packet{At: 1 << 60, Name: "sixteen letters!", Data: [26]byte{25: 255}}

func (a *workActor) Packet(_ *actor.Context, m Packet) (Packet, error) {
	want := packet
	want.Seq = m.Seq
	a.seen.next(m.Seq, m == want)
	return m, nil
}

func (a *workActor) Blob(_ *actor.Context, m Blob) error {
	a.seen.next(m.Seq, bytes.Equal(m.Data, pattern()[:len(m.Data)]))
	return nil
}

func (a *workActor) Report(*actor.Context, Report) (tally, error) {
	seen := a.seen
	a.seen = tally{}
	return seen, nil
}

func (a *workActor) Flood(c *actor.Context, m Flood) (actor.None, error) {
	p := packet
	for i := range m.N {
		p.Seq = uint64(i)
		if err := m.To.Tell(c, p); err != nil {
			return actor.None{}, err
		}
	}
	return actor.None{}, nil
}

func (a *workActor) Pid(*actor.Context, Pid) (int, error) { return os.Getpid(), nil }

var workers = actor.Define("worker", actor.Zero[workActor],
	actor.On((*workActor).Packet), actor.OnTell((*workActor).Blob), actor.On((*workActor).Report),
	actor.On((*workActor).Flood), actor.On((*workActor).Pid))

// worker is one of them, seen from here.
type worker struct {
	sys *actor.System
	ref actor.Ref
	to  *worker // of a relay
	id  int
}

func (w *worker) call(ctx context.Context) error {
	got, err := actor.Ask[Packet](ctx, w.ref, packet)
	if err == nil && got != packet {
		err = fmt.Errorf("the echo of %v is %v", packet, got)
	}
	return err
}

func (w *worker) pings(ctx context.Context, n int, pause time.Duration) ([]time.Duration, error) {
	return eachTimed(ctx, w, n, pause)
}

// flood sends Packets of 64 B, or Blobs of any other size.
func (w *worker) flood(ctx context.Context, n, size int) (tally, error) {
	p := packet
	for i := range n {
		var err error
		if size == 64 {
			p.Seq = uint64(i)
			err = w.ref.Tell(ctx, p)
		} else {
			err = w.ref.Tell(ctx, Blob{uint64(i), pattern()[:size]})
		}
		if err != nil {
			return tally{}, err
		}
	}
	return actor.Ask[tally](ctx, w.ref, Report{})
}

func (w *worker) relay(ctx context.Context, n int) (tally, error) {
	if _, err := actor.Ask[actor.None](ctx, w.ref, Flood{w.to.ref, n}); err != nil {
		return tally{}, err
	}
	return actor.Ask[tally](ctx, w.to.ref, Report{})
}

func (w *worker) use(ctx context.Context) error {
	var err error
	if w.id == 0 {
		w.id, err = actor.Ask[int](ctx, w.ref, Pid{})
		return err
	}
	return w.call(ctx)
}

func (w *worker) pid() int { return w.id }

func (w *worker) watch() func() {
	m := w.sys.Monitor(w.ref)
	return func() { <-m.C }
}

func (w *worker) close() error {
	if w.to != nil {
		if err := w.to.close(); err != nil {
			return err
		}
	}
	return w.ref.Kill(context.Background())
}
