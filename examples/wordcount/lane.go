package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/actor"
)

// A lane has one worker count file after file, and replaces it when it dies.
type lane struct {
	sys    *actor.System
	spec   actor.Spec
	worker actor.Ref // zero if there is none
}

// A result is what became of one path.
type result struct {
	path  string
	parts []Part
	err   error // why it was not counted
}

// run counts the files until there are no more or ctx is done. An error means
// that there is no worker to be had.
func (l *lane) run(ctx context.Context, files <-chan string, results chan<- result) error {
	for path := range files {
		parts, err := l.count(ctx, path)
		if ctx.Err() != nil {
			return nil
		}
		if failed, ok := errors.AsType[*actor.SpawnError](err); ok {
			return failed
		}
		results <- result{path, parts, err}
	}
	return nil
}

// count has a file counted. If the worker dies on it, the file is given up. If
// it was dead before, the file is not the cause, and goes to the next worker,
// once.
func (l *lane) count(ctx context.Context, path string) ([]Part, error) {
	parts, err := l.ask(ctx, path)
	if notBegun(err) {
		parts, err = l.ask(ctx, path)
	}
	if down, ok := errors.AsType[*actor.DownError](err); ok {
		err = fmt.Errorf("its worker, process %d, died: %w", down.Down.Pid, down.Down.Reason)
	}
	return parts, err
}

// notBegun reports whether an error means that no worker has seen the file.
func notBegun(err error) bool {
	if _, ok := errors.AsType[*actor.SpawnError](err); ok {
		return true
	}
	lost, ok := errors.AsType[*actor.DeliveryError](err)
	return ok && (lost.Fate == actor.NotSent || lost.Fate == actor.NotBegun)
}

// ask has the worker count a file. An error that is not the worker's own reply
// costs the worker.
func (l *lane) ask(ctx context.Context, path string) (parts []Part, err error) {
	if l.worker.IsZero() {
		if l.worker, err = l.sys.Spawn(ctx, l.spec); err != nil {
			return nil, err
		}
	}
	part, err := actor.Ask[Part](ctx, l.worker, Count{path})
	for err == nil {
		parts = append(parts, part)
		if !part.More {
			return parts, nil
		}
		part, err = actor.Ask[Part](ctx, l.worker, More{})
	}
	if _, lost := errors.AsType[*actor.DeliveryError](err); lost {
		l.worker = actor.Ref{}
	}
	return nil, err
}
