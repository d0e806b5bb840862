// Command hello starts an actor, asks it something and prints the answer.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/progeny-go/progeny/actor"
)

// Greeter is an actor: a plain struct.
type Greeter struct{}

// Hello is a message.
type Hello struct{ Name string }

// Hello handles a Hello, in the actor's own process.
func (*Greeter) Hello(c *actor.Context, m Hello) (string, error) {
	return fmt.Sprintf("hello %s from process %d", m.Name, os.Getpid()), nil
}

var greeter = actor.Define("greeter", actor.Zero[Greeter], actor.On((*Greeter).Hello))

func main() {
	actor.Main(func(ctx context.Context, sys *actor.System) error {
		ref, err := sys.Spawn(ctx, greeter)
		if err != nil {
			return err
		}
		reply, err := actor.Ask[string](ctx, ref, Hello{"gopher"})
		fmt.Println(reply)
		return err
	})
}
