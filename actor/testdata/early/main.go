// Command early prints what the init of a package may do in an actor's process, when that
// runs before package spawn's.
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
