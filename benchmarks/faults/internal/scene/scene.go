// Package scene provokes the faults in a system and observes what comes of them. It is what the
// programs of the systems have in common: each gives it its actors, and runs [Main].
package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/progeny-go/progeny/benchmarks/bench"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// A System is what the faults are provoked in.
type System struct {
	// Spawn starts an actor with a Worker under the system's ordinary supervision.
	Spawn func(ctx context.Context, name string) (Actor, error)
	// Second starts one in another process, with the system's default settings.
	Second func(context.Context) (Actor, error)
	// Without are the faults that do not apply, and why.
	Without map[string]string
	// Close ends what would not end with the program by itself; nil if there is nothing.
	Close func() error
}

// An Actor is one, seen from outside.
type Actor interface {
	// Tell sends a message and does not wait for it to be handled, if the system can do that.
	Tell(context.Context, Message) error
	// Ask returns the answer of the actor, or of that which has replaced it.
	Ask(context.Context) (Report, error)
	// Stop ends it by the strongest means that the system has, and returns when it has ended.
	Stop(context.Context) error
}

// ErrGone is why an actor does not answer that is not replaced either.
var ErrGone = errors.New("it has ended for good")

// others are the second processes: they end when their inputs do, and those must not be collected as garbage before
// this program ends.
var others []*bench.Second

// StartSecond starts this program again and returns the line that it says.
func StartSecond(ctx context.Context, args ...string) (says string, err error) {
	s, err := bench.StartSecond(ctx, args...)
	if err != nil {
		return "", err
	}
	others = append(others, s)
	return s.Says, nil
}

// patience is for what should take a moment.
const patience = 10 * time.Second

// Main is the whole program: it provokes the fault that the first argument names, prints facts, and
// exits.
func Main(sys System) {
	f := fault.Facts{Done: true}
	if err := play(context.Background(), sys, os.Args[1:]); err != nil {
		f.Error = err.Error()
	}
	if sys.Close != nil {
		if err := sys.Close(); err != nil && f.Error == "" {
			f.Error = "close: " + err.Error()
		}
	}
	say(f)
	os.Exit(0)
}

func play(ctx context.Context, sys System, args []string) error {
	if len(args) != 1 {
		return errors.New("which fault?")
	}
	id := args[0]
	without := sys.Without[id]
	switch {
	case id == fault.Segfault && !hasC:
		without = "no C compiler"
	case id == fault.Spin && !canMeasure:
		without = "cannot be measured without /proc"
	}
	if without != "" {
		say(fault.Facts{Without: without})
		return nil
	}
	switch id {
	case fault.Spin:
		return spin(ctx, sys)
	case fault.Blocked:
		return blocked(ctx, sys)
	case fault.Burst:
		return burst(ctx, sys)
	case fault.Order:
		return order(ctx, sys)
	default:
		return crash(ctx, sys, id)
	}
}

// say prints facts.
func say(f fault.Facts) {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// ask asks once, and gives up in time.
func ask(ctx context.Context, a Actor) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return a.Ask(ctx)
}

// askUntil asks again and again until there is an answer, or there will be none, or patience is at an end.
func askUntil(ctx context.Context, a Actor) (r Report, err error) {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(20 * time.Millisecond) {
		if r, err = ask(ctx, a); err == nil || errors.Is(err, ErrGone) {
			return r, err
		}
	}
	return r, err
}

// Left is how much time a context leaves, for systems that want to know that.
func Left(ctx context.Context) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return time.Until(at)
	}
	return patience
}
