//go:build !linux && !darwin

package spawn

import (
	"errors"
	"fmt"
)

// Start is not supported on this platform.
func Start(cmd *Command) (*Process, error) {
	if err := cmd.validate(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("spawn %s: %w", cmd.Name, errors.ErrUnsupported)
}

// KillGroup is not supported on this platform.
func (p *Process) KillGroup() error { return errors.ErrUnsupported }
