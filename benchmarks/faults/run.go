package main

import (
	"bufio"
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// ours is this project's system.
const ours = "progeny"

// A system has a folder with its program, and the module that is tried there; "" for this one.
type system struct{ name, folder, module string }

// systems are all there are, in the order of the table. Each is a program of its own: two of them could not be in one, as
// both call a protobuf actor.PID.
var systems = []system{
	{ours, "progeny", ""},
	{"ergo", "ergo", "ergo.services/ergo"},
	{"protoactor", "protoactor", "github.com/asynkron/protoactor-go"},
	{"hollywood", "hollywood", "github.com/anthdm/hollywood"},
	{"go-plugin", "goplugin", "github.com/hashicorp/go-plugin"},
}

// patience is how long one fault may take in one system. What is left to happen by then does not happen.
const patience = 45 * time.Second

// A program provokes faults in a system.
type program struct {
	system  string
	version string // of the system's module; "" for this project's own
	path    string
	err     error // why it could not be built
}

// build builds programs into a folder that cleanUp removes. That one cannot be built is an error only of the first,
// which is ours.
func build(ctx context.Context, systems []system) (all []program, cleanUp func() error, err error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return nil, nil, errors.New("where are the sources?")
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return nil, nil, err
	}
	cleanUp = func() error { return os.RemoveAll(dir) }
	fmt.Fprintln(os.Stderr, "building …")
	compile := func(folder, output string, env ...string) error {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", output, "./"+folder)
		cmd.Dir = filepath.Dir(file)
		cmd.Env = append(os.Environ(), env...)
		text, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build: %w\n%s", err, text)
		}
		return nil
	}
	cgo := "CGO_ENABLED=1"
	if compile("internal/scene", os.DevNull, cgo) != nil {
		cgo = "CGO_ENABLED=0" // there is no C compiler, and the programs say so
	}
	all = make([]program, len(systems))
	var wg sync.WaitGroup
	for i, s := range systems {
		wg.Go(func() {
			p := program{system: s.name, path: filepath.Join(dir, s.folder)}
			if p.err = compile(s.folder, p.path, cgo); p.err == nil && s.module != "" {
				p.version, p.err = version(p.path, s.module)
			}
			all[i] = p
		})
	}
	wg.Wait()
	if all[0].err != nil {
		return nil, nil, errors.Join(all[0].err, cleanUp())
	}
	return all, cleanUp, nil
}

// version returns a module's in what was built.
func version(path, module string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", err
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version, nil
		}
	}
	return "", fmt.Errorf("%s is not in it", module)
}

// An observation is what is known of one fault in one system.
type observation struct {
	fault.Facts
	exit   error  // how the program ended; nil for status 0
	late   bool   // it had not ended when patience did
	stderr string // what it said last
	built  error  // why there was no program
}

// failure is why the observation says nothing about the fault; nil if it does.
func (o observation) failure() error {
	switch {
	case o.built != nil:
		return o.built
	case o.Error != "":
		return errors.New(o.Error)
	case !o.Ready && o.Without == "":
		return fmt.Errorf("it did not get as far as the fault: %v\n%s", o.exit, o.stderr)
	}
	return nil
}

// provoke runs the program.
func (p program) provoke(ctx context.Context, f fault.Fault) (o observation) {
	if p.err != nil {
		return observation{built: p.err}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, f.ID)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Dir(p.path)) // some leave sockets
	cmd.WaitDelay = 2 * time.Second                                // what it has started may hold its pipes
	killGroup(cmd)
	o.exit = cmd.Run()
	o.late = errors.Is(ctx.Err(), context.DeadlineExceeded)
	o.stderr = complaints.String()
	o.Facts = facts(said.Bytes())
	return o
}

// facts puts the parts together. What is not JSON is somebody's chatter.
func facts(said []byte) (f fault.Facts) {
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "{") {
			_ = json.Unmarshal(lines.Bytes(), &f)
		}
	}
	return f
}
