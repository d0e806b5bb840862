package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// workers is a pool of n of them. One that dies of a file is replaced at once,
// as often as there are such files; the messages that wait for it are kept. One
// that cannot be started is not tried again, and the pool ends with the last.
func workers(n int, config Config) actor.Pool {
	worker := counter.With(config)
	worker.Significant = true
	return actor.Pool{
		Supervisor: actor.Supervisor{
			Name:         "workers",
			Intensity:    math.MaxInt32,
			Period:       time.Second,
			AutoShutdown: actor.AllSignificant,
		},
		Of:    worker,
		Size:  n,
		Route: actor.LeastLoaded,
	}
}

// A result is what became of one path.
type result struct {
	path  string
	parts []Part
	err   error // why it was not counted
}

// countAll has one file after the other counted until there are no more or ctx is
// done. An error means that no worker is left.
func countAll(ctx context.Context, pool actor.Ref, files <-chan string, results chan<- result) error {
	for path := range files {
		parts, err := countFile(ctx, pool, path)
		if ctx.Err() != nil {
			return nil
		}
		if lost, ok := errors.AsType[*actor.DeliveryError](err); ok && lost.Fate == actor.NotSent {
			return fmt.Errorf("no worker is left: %w", lost.Err)
		}
		if down, ok := errors.AsType[*actor.DownError](err); ok {
			err = fmt.Errorf("its worker, process %d, died: %w", down.Down.Pid, down.Down.Reason)
		}
		results <- result{path, parts, err}
	}
	return nil
}

// countFile returns a file's parts if it was counted to its end, and none if
// not. If a worker dies on it, it is given up: it may be the cause.
func countFile(ctx context.Context, pool actor.Ref, path string) (parts []Part, err error) {
	for next := new(Place); next != nil; {
		part, err := ask(ctx, pool, Count{Path: path, From: *next})
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		next = part.Next
	}
	return parts, nil
}

// ask goes on to another worker if one has ended for good before it began with
// the message.
func ask(ctx context.Context, pool actor.Ref, m Count) (Part, error) {
	for {
		part, err := actor.Ask[Part](ctx, pool, m)
		lost, ok := errors.AsType[*actor.DeliveryError](err)
		if !ok || lost.Fate != actor.NotBegun || ctx.Err() != nil {
			return part, err
		}
	}
}
