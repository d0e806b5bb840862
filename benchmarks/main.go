// Command benchmarks measures actors against the bare means of the operating
// system, in one run and in turns, and prints a table.
//
//	go run . [-quick] [-json FILE] [-only NAME]
//
// A bench ([benches]) measures one thing on every system ([systems]) that can do
// it. Rounds of the systems alternate, so that whatever else the machine does meets all
// of them. What is printed is the median of the rounds' medians.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/progeny-go/progeny/actor"
)

func main() {
	boot()
	quick := flag.Bool("quick", false, "a fifth of the work: less than two minutes, and less to rely on")
	file := flag.String("json", "", "write the results to this `file` too")
	only := flag.String("only", "", "run only the bench of this `name`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that the second signal ends it at once
	how := scale{rounds: 10, divisor: 1}
	if *quick {
		how = scale{rounds: 4, divisor: 5}
	}
	if err := run(ctx, how, *only, *file); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// boot is the first thing in main: this binary is every process that is measured.
func boot() {
	actor.Boot()
	bootBare()
	bootHost()
}

func run(ctx context.Context, how scale, only, file string) (err error) {
	contenders, closeAll, err := systems()
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, closeAll()) }()
	fmt.Println(machine())
	var rows []row
	ran := false
	for _, b := range benches {
		if only != "" && b.name != only {
			continue
		}
		ran = true
		fmt.Fprintf(os.Stderr, "%s …\n", b.name)
		measured, err := b.measure(ctx, contenders, how)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		rows = append(rows, measured...)
	}
	if !ran {
		return fmt.Errorf("no bench is called %q", only)
	}
	printTable(os.Stdout, rows)
	printBars(os.Stdout, rows)
	fmt.Println("\nload at the end:", load())
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(rows, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
