// Command tour lets actors die in every way there is, one after another, and
// shows what their supervisors make of it.
//
//	tour [-only NAME]
//
// It plays scenes, each of one way to die or one rule of supervision. Of each it
// prints what it does, what happened, from the System's events:
//
//	1.3 ms  exited      ann  #1  pid 4711  panic: on purpose
//
// with the time since the scene began and the number of the process (#1 is an
// actor's first), and what has changed in the tree by then. At the beginning and
// at the end stands the whole tree. Its column of restarts says how many there were
// or, like 3/100, how many count against a budget of its own and how many may.
//
// The exit status is 1 if something expected did not happen.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/progeny-go/progeny/actor"
)

func main() {
	actor.Boot() // an actor's process goes no further
	only := flag.String("only", "", "play only the scene of that `name`: "+strings.Join(names(), ", "))
	flag.Parse()
	plan, err := choose(*only)
	if err != nil || flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "tour: wrong arguments %q\n", os.Args[1:])
		flag.Usage()
		os.Exit(2)
	}
	// What actors print while they die is in their Downs.
	quiet := actor.Options{Logger: slog.New(slog.DiscardHandler)}
	actor.MainWith(quiet, func(ctx context.Context, sys *actor.System) error {
		s, err := open(ctx, sys, os.Stdout)
		if err != nil {
			return err
		}
		defer s.close()
		return s.play(ctx, plan)
	})
}

// choose returns the scene of that name, or all.
func choose(only string) ([]scene, error) {
	if only == "" {
		return scenes, nil
	}
	for i := range scenes {
		if scenes[i].name == only {
			return scenes[i : i+1], nil
		}
	}
	return nil, fmt.Errorf("no scene %q", only)
}

func names() (names []string) {
	for _, sc := range scenes {
		names = append(names, sc.name)
	}
	return names
}
