package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// A host is a program that has started processes, used them, and rests: this one again. The one
// that measures could not serve: measuring is work.
type host struct {
	again
	pids []int // its own and those of its processes
}

// hostRole is the first argument of a host; a system's name and a number follow.
const hostRole = "host"

func startHost(ctx context.Context, system string, n int) (*host, error) {
	p, out, err := startAgain(ctx, hostRole, system, strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	h := &host{again: p}
	if err := json.NewDecoder(out).Decode(&h.pids); err != nil {
		return nil, errors.Join(fmt.Errorf("host: %w", err), h.Close())
	}
	return h, nil
}

// serveHost starts the processes, says which they are, and ends them when its input does.
func serveHost(ctx context.Context, sys System, n int, out io.Writer) (err error) {
	all, err := startAll(n, func() (Process, error) {
		p, err := sys.Start(ctx)
		if err != nil {
			return nil, err
		}
		for range 100 {
			if err := p.Use(ctx); err != nil {
				return nil, errors.Join(err, p.Close())
			}
		}
		return p, nil
	})
	defer func() { err = errors.Join(err, closeAll(all)) }()
	if err != nil {
		return err
	}
	pids := []int{os.Getpid()}
	for _, p := range all {
		pids = append(pids, p.Pid())
	}
	if err := json.NewEncoder(out).Encode(pids); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
