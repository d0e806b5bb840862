//go:build !unix

package main

import (
	"errors"
	"os"
)

func socketpair() (ours, theirs *os.File, err error) { return nil, nil, errors.ErrUnsupported }
