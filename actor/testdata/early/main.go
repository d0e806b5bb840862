// Command early prints what the init of a package may do in an actor's process, when that
// runs before package spawn's. With the argument "filter" it prints why there is no actor if that init
// makes it impossible to finish the sandbox.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/testdata/early/a"
)

type early struct{}

type tried struct{}

func (*early) Tried(*actor.Context, tried) (map[string]string, error) { return a.Tried, nil }

var kind = actor.Define("early", actor.Zero[early], actor.On((*early).Tried))

func main() {
	actor.MainWith(actor.Options{}, func(ctx context.Context, sys *actor.System) error {
		if len(os.Args) > 1 && os.Args[1] == "filter" {
			spec := kind.With(struct{}{})
			spec.Sandbox = actor.Strict()
			spec.Env = []string{"EARLY_FILTER=1"}
			_, err := sys.Spawn(ctx, spec)
			fmt.Println(err)
			return nil
		}
		for _, sandbox := range []actor.Sandbox{{}, actor.Strict()} {
			spec := kind.With(struct{}{})
			spec.Sandbox = sandbox
			ref, err := sys.Spawn(ctx, spec)
			if err != nil {
				if errors.Is(err, errors.ErrUnsupported) {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(3)
				}
				return err
			}
			got, err := actor.Ask[map[string]string](ctx, ref, tried{})
			if err != nil {
				return err
			}
			fmt.Println(got)
		}
		return nil
	})
}
