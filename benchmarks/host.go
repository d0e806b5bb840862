package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
)

// A host is a program that has started processes, used them, and rests: this one again. The one
// that measures could not serve: measuring is work.
type host struct {
	cmd  *exec.Cmd
	stop io.Closer
	pids []int // its own and those of its processes
}

// hostRole is the first argument of a host; a system's name and a number follow.
const hostRole = "host"

func startHost(ctx context.Context, system string, n int) (*host, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", hostRole, system, strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &host{cmd: cmd, stop: stop}
	if err := json.NewDecoder(out).Decode(&h.pids); err != nil {
		return nil, errors.Join(fmt.Errorf("host: %w", err), h.close())
	}
	return h, nil
}

func (h *host) close() error { return errors.Join(h.stop.Close(), h.cmd.Wait()) }

// bootHost turns the process into a host if it is to be one; then it does not return.
func bootHost() {
	if len(os.Args) != 4 || os.Args[1] != hostRole {
		return
	}
	n, err := strconv.Atoi(os.Args[3])
	if err == nil {
		err = serveHost(context.Background(), os.Args[2], n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveHost starts the processes, says which they are, and ends them when its input does.
func serveHost(ctx context.Context, name string, n int) (err error) {
	all, closeAll, err := systems()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	i := slices.IndexFunc(all, func(s system) bool { return s.name == name })
	if i < 0 {
		return fmt.Errorf("no system is called %q", name)
	}
	pids := []int{os.Getpid()}
	for range n {
		p, err := all[i].start(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.close()) }()
		for range 100 {
			if err := p.use(ctx); err != nil {
				return err
			}
		}
		pids = append(pids, p.pid())
	}
	if err := json.NewEncoder(os.Stdout).Encode(pids); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
