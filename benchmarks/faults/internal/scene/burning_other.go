//go:build !linux

package scene

import "errors"

// canMeasure is whether burning works.
const canMeasure = false

func burning() (bool, error) { return false, errors.ErrUnsupported }
