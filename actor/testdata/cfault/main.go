// Command cfault has an actor whose C code follows a null pointer, and prints
// what the program is told about it.
package main

/*
static int follow(int *p) { return *p; }
*/
import "C"

import (
	"context"
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/actor"
)

type native struct{}

type call struct{}

func (*native) call(*actor.Context, call) (int, error) { return int(C.follow(nil)), nil }

var natives = actor.Define("native", actor.Zero[native], actor.On((*native).call))

func main() {
	actor.Main(func(ctx context.Context, sys *actor.System) error {
		ref, err := sys.Spawn(ctx, natives)
		if err != nil {
			return err
		}
		_, err = actor.Ask[int](ctx, ref, call{})
		down, ok := errors.AsType[*actor.DownError](err)
		if !ok {
			return fmt.Errorf("got %v, want a DownError", err)
		}
		fmt.Printf("%T: %v\n", down.Down.Reason, down.Down.Reason)
		return nil
	})
}
