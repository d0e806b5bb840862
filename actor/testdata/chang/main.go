// Command chang has an actor whose C code does not return, and prints what the program is told about it.
// Its argument says how: "spin", or "deaf", which blocks all signals besides.
package main

/*
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile int forever = 1;
static void spin(void) { while (forever); }
static void deaf(void) {
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGQUIT, SIG_IGN);
	while (forever) pause();
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/progeny-go/progeny/actor"
)

type native struct{}

type call struct{ How string }

func (*native) call(_ *actor.Context, m call) (int, error) {
	if m.How == "deaf" {
		C.deaf()
	}
	C.spin()
	return 0, nil
}

var natives = actor.Define("native", actor.Zero[native], actor.On((*native).call))

func main() {
	actor.Boot()
	actor.Main(func(ctx context.Context, sys *actor.System) error {
		spec := natives.With(actor.None{})
		spec.HandlerTimeout = 100 * time.Millisecond
		ref, err := sys.Spawn(ctx, spec)
		if err != nil {
			return err
		}
		_, err = actor.Ask[int](ctx, ref, call{os.Args[1]})
		hung, ok := errors.AsType[actor.Hung](err)
		if !ok {
			return fmt.Errorf("got %v, want Hung", err)
		}
		fmt.Printf("%v; it says where: %v\n", hung, strings.Contains(hung.Stacks, "(*native).call("))
		return nil
	})
}
