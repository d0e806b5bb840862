// Command faults provokes the same faults in actors of this project and of others, for real, and prints a table of
// what came of them.
//
//	go run . [-json FILE] [-only FAULT]
//
// Each fault is provoked in each system in a process of its own: one of the programs in the folders beside this file, which
// observes the fault from within. What all systems have in common, the faults too, is in internal/scene. What becomes
// of an observation is in judge.go, the same for all.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

func main() {
	file := flag.String("json", "", "write the outcomes to this `file` too")
	only := flag.String("only", "", "provoke only this `fault`: "+strings.Join(ids(), ", "))
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that the second signal ends it at once
	if err := run(ctx, *only, *file, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func ids() (all []string) {
	for _, f := range fault.All {
		all = append(all, f.ID)
	}
	return all
}

// run fails if it cannot find out how progeny fares. It is no failure how it does, or anybody else.
func run(ctx context.Context, only, file string, out io.Writer) (err error) {
	faults := fault.All
	if only != "" {
		i := slices.Index(ids(), only)
		if i < 0 {
			return fmt.Errorf("no fault is called %q", only)
		}
		faults = faults[i : i+1]
	}
	programs, cleanUp, err := build(ctx, systems)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, cleanUp()) }()
	var results []result
	for _, f := range faults {
		for _, p := range programs {
			o := p.provoke(ctx, f)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r := result{f.Name, p.system, judge(f, o)}
			results = append(results, r)
			facts, _ := json.Marshal(o.Facts) // it has nothing that could not be encoded
			fmt.Fprintf(os.Stderr, "%s, %s: %s %s\n", r.Fault, r.System, r.Outcome, facts)
			if o.failure() != nil && p.system == ours {
				err = errors.Join(err, fmt.Errorf("%s: %w", f.Name, o.failure()))
			}
		}
	}
	printTable(out, results)
	printVersions(out, programs)
	if file != "" {
		text, failed := json.MarshalIndent(results, "", "\t")
		err = errors.Join(err, failed, os.WriteFile(file, append(text, '\n'), 0o644))
	}
	return err
}
