package bench

import (
	"context"
	"errors"
	"os"
	"time"
)

// spawnCold is from the request to a process that is ready: it has said so, and a request to it
// would be read.
var spawnCold = Bench{Name: "spawn_cold", Can: canStart, Round: func(ctx context.Context, sys System, scale Scale) ([]Figure, error) {
	took := make([]time.Duration, of(scale, 100, 20, 1))
	for i := range took {
		start := time.Now()
		p, err := sys.Start(ctx)
		if err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
		if err := p.Close(); err != nil {
			return nil, err
		}
	}
	return []Figure{durations("p50", took)}, nil
}}

// spawnStandby is the same where a process waits for it: that gets the time to boot.
var spawnStandby = Bench{Name: "spawn_standby", Can: canStandby, Round: func(ctx context.Context, sys System, scale Scale) ([]Figure, error) {
	const toBoot = 50 * time.Millisecond
	took := make([]time.Duration, of(scale, 100, 20, 1))
	for i := range took {
		time.Sleep(toBoot)
		start := time.Now()
		p, err := sys.StartStandby(ctx)
		if err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
		if err := p.Close(); err != nil {
			return nil, err
		}
	}
	return []Figure{durations("p50", took)}, nil
}}

func canStandby(s System) bool { return s.StartStandby != nil }
func canStart(s System) bool   { return s.Start != nil }
func canRestart(s System) bool { return s.Restart != nil }

// restart is from SIGKILL to the first answer of the next process.
var restart = Bench{Name: "restart", Can: canRestart, Round: func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
	r, err := sys.Restart(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	took := make([]time.Duration, of(scale, 100, 20, 2))
	for i := range took {
		if err := r.Use(ctx); err != nil { // so that it is at rest
			return nil, err
		}
		start := time.Now()
		if err := kill(r.Pid()); err != nil {
			return nil, err
		}
		if err := r.Revive(ctx); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	return []Figure{durations("p50", took)}, nil
}}

// kill sends SIGKILL to a process of ours that was not waited for.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer p.Release()
	return p.Kill()
}
