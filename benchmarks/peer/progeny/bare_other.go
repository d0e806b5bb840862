//go:build !unix

package main

import (
	"errors"
	"os"
)

func bareFiles() (in, out *os.File, err error) { return nil, nil, errors.ErrUnsupported }
