package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

//go:embed c/pingpong.c
var pingpong string

// pingpongsInC are two C processes on blocking pipes: the plain limit for who waits in the kernel. Whether that
// puts them on one core or two makes a factor of ten and depends on its mood, so they are
// also held there. Without a C compiler there are none.
func pingpongsInC() []bench.System {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return nil
	}
	var all []bench.System
	for cores, name := range []string{"C, blocking pipes", "C, on one core", "C, on two cores"} {
		if cores > runtime.NumCPU() {
			break
		}
		dir := ""
		all = append(all, bench.System{
			Name: name,
			Echo: func(context.Context) (bench.Echoer, error) {
				if dir, err = os.MkdirTemp("", "pingpong"); err != nil {
					return nil, err
				}
				p, err := compile(cc, dir)
				return cProgram{p, cores}, err
			},
			Close: func() error { return os.RemoveAll(dir) }, // nothing if it is ""
		})
	}
	return all
}

func compile(cc, dir string) (program string, err error) {
	source, program := filepath.Join(dir, "pingpong.c"), filepath.Join(dir, "pingpong")
	if err := os.WriteFile(source, []byte(pingpong), 0o600); err != nil {
		return "", err
	}
	if text, err := exec.Command(cc, "-O2", "-Wall", "-o", program, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cc: %w\n%s", err, text)
	}
	return program, nil
}

// A cProgram measures by itself: it is parent and child.
type cProgram struct {
	path  string
	cores int
}

// Pings leaves the time limit to the number: it knows none.
func (p cProgram) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	const usual = 30 * time.Microsecond
	n = min(n, max(int(limit/(pause+usual)), 1))
	text, err := exec.CommandContext(ctx, p.path, strconv.Itoa(n),
		strconv.FormatInt(pause.Microseconds(), 10), strconv.Itoa(p.cores)).Output()
	if err != nil {
		return nil, err
	}
	took := make([]time.Duration, n)
	return took, binary.Read(bytes.NewReader(text), binary.NativeEndian, took)
}

func (cProgram) Close() error { return nil }
