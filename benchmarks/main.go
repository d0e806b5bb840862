// Command benchmarks measures actors against the bare means of the operating
// system and against what else there is, in one run and in turns, and prints a
// table.
//
//	go run . [-quick] [-json FILE] [-svg DIR] [-only NAME]
//
// What is measured is in package bench, on what in the programs under peer. They are built first: each
// links nothing but its own project, and two of them (protoactor, hollywood) could not be in one
// program at all, as both call a protobuf actor.PID. What cannot be built or is not installed is
// left out, and that is said.
//
// Rounds of the systems alternate, each in fresh processes, so that whatever else the machine
// does meets all of them. What is printed is the median of the rounds' medians.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

func main() {
	o := options{scale: bench.Full, rounds: 7}
	quick := flag.Bool("quick", false, "less than two minutes, and less to rely on")
	flag.StringVar(&o.json, "json", "", "write the results to this `file` too")
	flag.StringVar(&o.svg, "svg", "", "draw pictures of them into this `folder`")
	flag.StringVar(&o.only, "only", "", "run only the bench of this `name`")
	flag.Parse()
	if *quick {
		o.scale, o.rounds = bench.Quick, 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that the second signal ends it at once
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

type options struct {
	scale  bench.Scale
	rounds int
	json   string
	svg    string
	only   string
}

// run fails if something of progeny does, or loses a message. A bar that is missed is no failure, and neither is
// another system's.
func run(ctx context.Context, o options) (err error) {
	chosen := bench.Benches
	if o.only != "" {
		i := slices.IndexFunc(chosen, func(b bench.Bench) bool { return b.Name == o.only })
		if i < 0 {
			return fmt.Errorf("no bench is called %q", o.only)
		}
		chosen = chosen[i : i+1]
	}
	all, cleanUp, err := programs(ctx)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, cleanUp()) }()
	fmt.Println(machine())
	fmt.Println(versions(all))
	var rows []row
	for _, b := range chosen {
		fmt.Fprintf(os.Stderr, "%s …\n", b.Name)
		rounds := o.rounds
		if b.Slow {
			rounds = max(rounds/3, 1)
		}
		measured, failed := measure(ctx, b, all, o.scale, rounds)
		rows = append(rows, measured...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = errors.Join(err, failed)
	}
	printTable(os.Stdout, rows)
	printBars(os.Stdout, rows)
	fmt.Println("\nload at the end:", load())
	if o.svg != "" {
		err = errors.Join(err, drawAll(o.svg, rows))
	}
	if o.json != "" {
		text, failed := json.MarshalIndent(rows, "", "\t")
		err = errors.Join(err, failed, os.WriteFile(o.json, append(text, '\n'), 0o644))
	}
	for _, r := range rows {
		if r.metric == lost && r.system == ours && r.value() != 0 {
			err = errors.Join(err, fmt.Errorf("%s: progeny has lost messages", r.bench))
		}
	}
	return err
}

// measure runs the rounds of a bench, the systems in turns. It returns an error of
// progeny; those of others are printed. Who fails twice is not tried again in this bench.
func measure(ctx context.Context, b bench.Bench, all []program, scale bench.Scale, rounds int) (rows []row, err error) {
	failed := map[string]int{}
	for round := range rounds {
		for _, p := range all {
			for _, system := range p.offer.Can[b.Name] {
				if failed[system] > 1 {
					continue
				}
				figures, wrong := p.round(ctx, b.Name, system, scale)
				if ctx.Err() != nil {
					return rows, ctx.Err()
				}
				if wrong != nil {
					failed[system]++
					fmt.Printf("FAILED: %s, %s, round %d: %v\n", b.Name, system, round+1, wrong)
					if system == ours {
						err = fmt.Errorf("%s: %w", b.Name, wrong)
					}
				}
				for _, f := range figures {
					rows = add(rows, b.Name, system, round, f)
				}
			}
		}
	}
	return bySystem(rows, all), err
}
