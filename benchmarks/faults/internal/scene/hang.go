package scene

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// spin is a handler that never returns, and what a stop does to it.
func spin(ctx context.Context, sys System) error {
	victim, bystander, g, err := setUp(ctx, sys, fault.Spin)
	if err != nil {
		return err
	}
	g.open()
	hot := false
	for start := time.Now(); !hot && time.Since(start) < patience; {
		if hot, err = burning(); err != nil {
			return err
		}
	}
	if !hot {
		return errors.New("the handler does not spin")
	}
	say(fault.Facts{Ready: true})
	say(fault.Facts{Stopped: stop(ctx, victim)})
	// What has just died may have used the processor until then, but not twice.
	for range 2 {
		if hot, err = burning(); err != nil {
			return err
		}
		if !hot {
			break
		}
	}
	_, err = ask(ctx, bystander)
	say(fault.Facts{Burning: hot, Bystander: err == nil})
	return nil
}

// stop reports whether a Stop succeeds within a generous bound. One that hangs does so until the program ends.
func stop(ctx context.Context, a Actor) bool {
	done := make(chan error, 1)
	go func() { done <- a.Stop(ctx) }()
	select {
	case err := <-done:
		return err == nil
	case <-time.After(8 * time.Second):
		return false
	}
}

// blocked has as many handlers wait as there are cores. Another actor should not care.
func blocked(ctx context.Context, sys System) error {
	g, err := newGate()
	if err != nil {
		return err
	}
	defer g.open()
	for i := range runtime.NumCPU() {
		a, err := sys.Spawn(ctx, fmt.Sprintf("blocked%d", i))
		if err != nil {
			return err
		}
		if err := a.Tell(ctx, Message{Do: hold, Gate: g.address()}); err != nil {
			return err
		}
	}
	bystander, err := sys.Spawn(ctx, "bystander")
	if err != nil {
		return err
	}
	if err := g.await(runtime.NumCPU()); err != nil {
		return err
	}
	say(fault.Facts{Ready: true})
	_, err = ask(ctx, bystander)
	say(fault.Facts{Bystander: err == nil})
	return nil
}
