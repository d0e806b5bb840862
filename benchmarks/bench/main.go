package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
)

// The first arguments of a program with systems in it. listRole has it say what it can do,
// roundRole, with the name of a bench, that of a system and a scale, has it do one round.
const (
	listRole  = "list"
	roundRole = "round"
)

// An Offer is what a program can do.
type Offer struct {
	Systems []string
	Can     map[string][]string // by bench: which systems
	Modules map[string]string   // that it is built of, with their versions
}

// Main does what the program's arguments say, and ends it. What is to happen in other processes of
// this executable has to come before.
func Main(systems ...System) {
	out := os.Stdout
	os.Stdout = os.Stderr // for libraries that print
	if err := serve(context.Background(), systems, os.Args[1:], out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(ctx context.Context, systems []System, args []string, out io.Writer) (err error) {
	switch {
	case len(args) == 1 && args[0] == listRole:
		return json.NewEncoder(out).Encode(offer(systems))
	case len(args) == 4 && args[0] == roundRole:
		b := slices.IndexFunc(Benches, func(b Bench) bool { return b.Name == args[1] })
		scale, err := strconv.Atoi(args[3])
		if b < 0 || err != nil {
			break
		}
		return with(systems, args[2], func(sys System) error {
			figures, err := Benches[b].Round(ctx, sys, Scale(scale))
			return errors.Join(err, json.NewEncoder(out).Encode(figures))
		})
	case len(args) == 3 && args[0] == hostRole:
		n, err := strconv.Atoi(args[2])
		if err != nil {
			break
		}
		return with(systems, args[1], func(sys System) error { return serveHost(ctx, sys, n, out) })
	}
	return errors.New("this program is run by the one in the folder above")
}

func with(systems []System, name string, do func(System) error) error {
	i := slices.IndexFunc(systems, func(s System) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("no system is called %q", name)
	}
	err := do(systems[i])
	if systems[i].Close != nil {
		err = errors.Join(err, systems[i].Close())
	}
	return err
}

func offer(systems []System) Offer {
	o := Offer{Can: map[string][]string{}, Modules: map[string]string{}}
	for _, s := range systems {
		o.Systems = append(o.Systems, s.Name)
		for _, b := range Benches {
			if b.Can(s) {
				o.Can[b.Name] = append(o.Can[b.Name], s.Name)
			}
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			o.Modules[m.Path] = m.Version
		}
	}
	return o
}

// RoundArgs are the arguments for one round; ListArgs those for an [Offer].
func RoundArgs(bench, system string, scale Scale) []string {
	return []string{roundRole, bench, system, strconv.Itoa(int(scale))}
}

// ListArgs are the arguments with which a program prints its [Offer].
func ListArgs() []string { return []string{listRole} }
