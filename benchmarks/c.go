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
	"strconv"
	"sync"
	"time"
)

//go:embed c/pingpong.c
var pingpong string

// newC makes the system of two C processes on blocking pipes: the plain limit for who
// waits in the kernel. Without a C compiler there is none.
func newC() (*system, func() error) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		fmt.Fprintln(os.Stderr, "no C compiler: the C ping-pong is left out")
		return nil, func() error { return nil }
	}
	dir := ""
	program := sync.OnceValues(func() (string, error) {
		if dir, err = os.MkdirTemp("", "pingpong"); err != nil {
			return "", err
		}
		return compile(cc, dir)
	})
	return &system{
		name: "C, blocking pipes",
		echo: func(context.Context) (echoer, error) {
			p, err := program()
			return cProgram(p), err
		},
	}, func() error { return os.RemoveAll(dir) } // nothing if it is ""
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
type cProgram string

func (p cProgram) pings(ctx context.Context, n int, pause time.Duration) ([]time.Duration, error) {
	text, err := exec.CommandContext(ctx, string(p), strconv.Itoa(n), strconv.FormatInt(pause.Microseconds(), 10)).Output()
	if err != nil {
		return nil, err
	}
	took := make([]time.Duration, n)
	return took, binary.Read(bytes.NewReader(text), binary.NativeEndian, took)
}

func (cProgram) close() error { return nil }
