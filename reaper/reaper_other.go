//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package reaper

import (
	"errors"
	"os"
)

func watchProcess(*os.Process, func(), func(Exit)) error {
	return errors.ErrUnsupported
}
