package main

import (
	"context"
	"errors"
	"os"
	"time"
)

// deathNotice is from SIGKILL to the word of it.
var deathNotice = bench{name: "death_notice", round: lives(100, func(ctx context.Context, sys system) (time.Duration, error) {
	p, err := sys.start(ctx)
	if err != nil {
		return 0, err
	}
	took, err := killed(ctx, p)
	return took, errors.Join(err, p.close())
})}

func killed(ctx context.Context, p process) (time.Duration, error) {
	if err := p.use(ctx); err != nil { // so that it is at rest
		return 0, err
	}
	victim, err := os.FindProcess(p.pid())
	if err != nil {
		return 0, err
	}
	defer victim.Release()
	notice := p.watch()
	start := time.Now()
	if err := victim.Kill(); err != nil {
		return 0, err
	}
	notice()
	return time.Since(start), nil
}
