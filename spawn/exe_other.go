//go:build !linux && !darwin

package spawn

import "errors"

func executable() (exe, error) { return exe{}, errors.ErrUnsupported }
