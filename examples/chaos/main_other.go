//go:build !linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/progeny-go/progeny/actor"
)

func run(context.Context, options) error {
	return fmt.Errorf("the checks read /proc: %w", errors.ErrUnsupported)
}

func (*Worker) do(*actor.Context, deed, *rand.Rand) error { return errors.ErrUnsupported }

func free(*os.File, int64, int64) error { return nil }
