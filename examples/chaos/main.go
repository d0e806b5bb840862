// Command chaos ends actors in every way it knows, for as long as it is told to,
// and proves that nothing was lost, doubled, mixed up or left behind.
//
//	chaos [-for 10m] [-seed N] [-actors 100] [-rate 1000] [-every 250ms] [-faults N]
//	chaos -node [-times 200] [-actors 100]
//
// It starts a tree: supervisors of all strategies, pools of all routes, actors
// that spawn actors, links, monitors, timers. Goroutines of the program and the
// actors themselves tell and ask numbered messages. Meanwhile faults strike
// at random: SIGKILL, SIGSTOP, SIGSEGV, panics, fatal errors, exits, handlers
// that spin, hang or leak, closed descriptors, floods of messages, of logs and
// of output, grandchildren, exit signals, failing starts, ends of whole subtrees.
//
// Every message is accounted for: see ledger. Every half minute, or some times in
// a short run, the faults and the load pause until the tree is whole
// and the books are balanced, and the program compares what it holds:
// descriptors, goroutines, memory, processes. It prints its progress on standard
// error and at the end the report on standard output. The exit status is 1 if a
// check has failed.
//
// With -node the program starts itself with the same tree, kills that process at
// a random moment and measures how long any process of it lives on, many times. The
// exit status is 1 if that is ever more than two seconds.
//
// It needs Linux, as the checks read /proc.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// options are the flags.
type options struct {
	length time.Duration // of the run
	seed   uint64
	actors int
	rate   float64       // messages a second that the program sends
	every  time.Duration // mean time between two faults
	faults int           // end after so many; 0: after length
	node   bool
	times  int  // of -node
	victim bool // this is the process that -node kills
}

const (
	minActors  = 40
	maxActors  = 1000
	leastEvery = time.Millisecond
)

func main() {
	actor.Boot() // an actor's process goes no further
	o := parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal has its default effect
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// parse exits with status 2 if the arguments are wrong.
func parse(args []string) (o options) {
	flags := flag.NewFlagSet("chaos", flag.ExitOnError)
	flags.DurationVar(&o.length, "for", 10*time.Minute, "run for this `time`")
	flags.Uint64Var(&o.seed, "seed", 0, "`number` that begins the random choices; 0 takes one from the clock")
	flags.IntVar(&o.actors, "actors", 100, fmt.Sprintf("`number` of actors, %d to %d", minActors, maxActors))
	flags.Float64Var(&o.rate, "rate", 1000, "messages a second that the program sends; the actors send about as `many`")
	flags.DurationVar(&o.every, "every", 250*time.Millisecond, "mean `time` between two faults")
	flags.IntVar(&o.faults, "faults", 0, "end after this `number` of faults, if that is sooner")
	flags.BoolVar(&o.node, "node", false, "kill the whole program instead, again and again")
	flags.IntVar(&o.times, "times", 200, "how `many` times -node does that")
	flags.BoolVar(&o.victim, "victim", false, "be the program that -node kills")
	flags.Parse(args)
	var wrong string
	switch {
	case flags.NArg() > 0:
		wrong = fmt.Sprintf("unexpected argument %q", flags.Arg(0))
	case o.length <= 0:
		wrong = fmt.Sprintf("-for %v: it must be more than 0", o.length)
	case o.actors < minActors || o.actors > maxActors:
		wrong = fmt.Sprintf("-actors %d: %d to %d are possible", o.actors, minActors, maxActors)
	case o.rate <= 0 || o.rate > 1e6:
		wrong = fmt.Sprintf("-rate %v: more than 0 and at most 1e6 are possible", o.rate)
	case o.every < leastEvery:
		wrong = fmt.Sprintf("-every %v: at least %v is possible", o.every, leastEvery)
	case o.faults < 0 || o.times < 1:
		wrong = fmt.Sprintf("-faults %d -times %d: they count", o.faults, o.times)
	}
	if wrong != "" {
		fmt.Fprintf(flags.Output(), "chaos: %s\n", wrong)
		flags.Usage()
		os.Exit(2)
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	return o
}
