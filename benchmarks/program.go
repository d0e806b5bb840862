package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// peers are the programs in Go, in the order of the table. The first has progeny.
var peers = []string{"progeny", "netrpc", "goplugin", "ergo", "protoactor", "hollywood"}

// A program has systems in it and does rounds on them.
type program struct {
	name    string
	command []string
	offer   bench.Offer
}

// programs builds them all into a folder that cleanUp removes.
func programs(ctx context.Context) (all []program, cleanUp func() error, err error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return nil, nil, errors.New("where are the sources?")
	}
	source := filepath.Dir(file)
	dir, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return nil, nil, err
	}
	cleanUp = func() error { return os.RemoveAll(dir) }
	fmt.Fprintln(os.Stderr, "building …")
	found, errs := make([]program, len(peers)), make([]error, len(peers))
	var wg sync.WaitGroup
	for i, name := range peers {
		wg.Go(func() {
			path := filepath.Join(dir, name)
			build := exec.CommandContext(ctx, "go", "build", "-o", path, "./peer/"+name)
			build.Dir = source
			if text, err := build.CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("go build: %w\n%s", err, text)
				return
			}
			found[i], errs[i] = newProgram(ctx, name, path)
		})
	}
	wg.Wait()
	if errs[0] != nil {
		return nil, nil, errors.Join(errs[0], cleanUp())
	}
	for i, name := range peers {
		if errs[i] != nil {
			fmt.Printf("LEFT OUT: %s: %v\n", name, errs[i])
			continue
		}
		all = append(all, found[i])
	}
	for _, script := range [][]string{{"python3", "peer/python/peer.py"}, {"escript", "peer/erlang/peer.escript"}} {
		interpreter, err := exec.LookPath(script[0])
		if err == nil {
			var p program
			if p, err = newProgram(ctx, script[0], interpreter, filepath.Join(source, script[1])); err == nil {
				all = append(all, p)
				continue
			}
		}
		fmt.Printf("LEFT OUT: %s: %v\n", script[0], err)
	}
	return all, cleanUp, nil
}

func newProgram(ctx context.Context, name string, command ...string) (program, error) {
	p := program{name: name, command: command}
	err := p.run(ctx, bench.Quick, bench.ListArgs(), &p.offer)
	return p, err
}

func (p program) round(ctx context.Context, name, system string, scale bench.Scale) (figures []bench.Figure, err error) {
	err = p.run(ctx, scale, bench.RoundArgs(name, system, scale), &figures)
	return figures, err
}

// run decodes what the program prints into result.
func (p program) run(ctx context.Context, scale bench.Scale, args []string, result any) error {
	patience := 30 * time.Second
	if scale == bench.Full {
		patience = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.command[0], slices.Concat(p.command[1:], args)...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	cmd.WaitDelay = 5 * time.Second
	killGroup(cmd)
	text, err := cmd.Output()
	if err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			err = fmt.Errorf("it took more than %v", patience)
		}
		return fmt.Errorf("%w: %s", err, shorten(complaints.String()))
	}
	return json.Unmarshal(text, result)
}

// shorten keeps the beginning of what may be long.
func shorten(text string) string {
	const most = 500
	text = strings.TrimSpace(text)
	if len(text) > most {
		text = text[:most] + " …"
	}
	return text
}

// versions says what is compared with what.
func versions(all []program) string {
	var parts []string
	for _, module := range []string{
		"github.com/hashicorp/go-plugin", "google.golang.org/grpc", "ergo.services/ergo",
		"github.com/asynkron/protoactor-go", "github.com/anthdm/hollywood", "github.com/vmihailenco/msgpack/v5", "Python", "Erlang/OTP",
	} {
		for _, p := range all {
			if v, ok := p.offer.Modules[module]; ok {
				parts = append(parts, module+" "+v)
				break
			}
		}
	}
	return strings.Join(parts, ", ")
}
