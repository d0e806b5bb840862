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
	return timeStarts(ctx, sys.Start, 0, scale)
}}

// spawnStandby is the same where a process waits for it: that gets the time to boot.
var spawnStandby = Bench{Name: "spawn_standby", Can: canStandby, Round: func(ctx context.Context, sys System, scale Scale) ([]Figure, error) {
	return timeStarts(ctx, sys.StartStandby, standbyPause, scale)
}}

// timeStarts starts one process after the other, each after a pause. The first is not counted: with it comes what
// starts them.
func timeStarts(ctx context.Context, start func(context.Context) (Process, error), pause time.Duration, scale Scale) ([]Figure, error) {
	took := make([]time.Duration, of(scale, 100, 20, 1))
	for i := -1; i < len(took); i++ {
		time.Sleep(pause)
		begin := time.Now()
		p, err := start(ctx)
		if err != nil {
			return nil, err
		}
		if i >= 0 {
			took[i] = time.Since(begin)
		}
		if err := p.Close(); err != nil {
			return nil, err
		}
	}
	return []Figure{durations("p50", took)}, nil
}

func canStandby(s System) bool { return s.StartStandby != nil }
func canStart(s System) bool   { return s.Start != nil }
func canRestart(s System) bool { return s.Restart != nil }

// standbyPause is what a process that is kept in readiness gets to boot.
const standbyPause = 50 * time.Millisecond

// restart is from SIGKILL to the first answer of the next process. Before it there is a pause,
// for those that keep one in readiness.
var restart = Bench{Name: "restart", Can: canRestart, Round: func(ctx context.Context, sys System, scale Scale) (_ []Figure, err error) {
	r, err := sys.Restart(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	took := make([]time.Duration, of(scale, 100, 20, 2))
	for i := range took {
		if err := r.Use(ctx); err != nil { // so that it is up
			return nil, err
		}
		time.Sleep(standbyPause)
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
