package actor

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/spawn"
)

// Boot turns the process of an actor into that actor; then it does not return.
// In any other process it does nothing. It is to be the first thing in main, and
// in TestMain, for programs that do not use [Main].
func Boot() {
	birth := spawn.Inherited()
	if birth == nil || self != nil {
		return
	}
	child.SetFailure(failureOf)
	child.Run(birth, func(actorType string, c *child.Child) (child.Behaviour, bool) {
		def, ok := definitions[actorType]
		if !ok {
			return nil, false
		}
		self, here = c, c
		return def.new(c), true
	})
}

// Main is the whole of main for most programs: it boots if this is an actor's
// process, and otherwise makes a System with zero Options, runs run, closes the
// System and exits, with status 1 and the error on standard error if there is
// one. ctx ends at the first SIGINT or SIGTERM; the second ends the program.
// Main does not return. A main that has to look at its arguments first calls
// Boot before that, and Main or MainWith after.
func Main(run func(ctx context.Context, sys *System) error) { MainWith(Options{}, run) }

// MainWith is Main with other Options.
func MainWith(o Options, run func(ctx context.Context, sys *System) error) {
	Boot()
	if err := runMain(o, run); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runMain(o Options, run func(context.Context, *System) error) (err error) {
	sys, err := NewSystem(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that the second signal has its default effect
	defer func() {
		if closeErr := sys.Close(context.Background()); err == nil {
			err = closeErr
		}
	}()
	return run(ctx, sys)
}
