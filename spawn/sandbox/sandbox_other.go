//go:build !linux

package sandbox

import (
	"errors"
	"fmt"
	"runtime"
)

// Apply returns [errors.ErrUnsupported].
func (p *Policy) Apply() (*Confinement, error) { return nil, errUnsupported() }

// Exec returns [errors.ErrUnsupported].
func (c *Confinement) Exec(argv0 string, argv, envv []string) error { return errUnsupported() }

// Probe says [errors.ErrUnsupported] of everything.
func Probe() Capabilities {
	err := errUnsupported()
	return Capabilities{NoNewPrivileges: err, Seccomp: err, Landlock: err, UserNamespaces: err}
}

func errUnsupported() error {
	return fmt.Errorf("sandbox: not on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
