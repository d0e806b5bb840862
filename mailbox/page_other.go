//go:build !linux && !darwin

package mailbox

import (
	"errors"
	"os"
)

func newPageFile() (*os.File, error) { return nil, errors.ErrUnsupported }

func mapFile(*os.File) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) error { return errors.ErrUnsupported }
