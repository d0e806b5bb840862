//go:build !linux

package sandbox

import (
	"errors"
	"fmt"
	"runtime"
)

// Apply returns [errors.ErrUnsupported].
func (p *Policy) Apply() (*Confinement, error) { return nil, errUnsupported() }

// ApplyOutside returns [errors.ErrUnsupported].
func (p *Policy) ApplyOutside() (*Confinement, error) { return nil, errUnsupported() }

// Inside returns the zero Policy.
func (p *Policy) Inside() Policy { return Policy{} }

// ApplyInside returns [errors.ErrUnsupported].
func (p *Policy) ApplyInside() error { return errUnsupported() }

// Plan returns [errors.ErrUnsupported], unless there is nothing to do or what there is
// is enough.
func (p *Policy) Plan() (*Confinement, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	switch err := errUnsupported(); {
	case p.Empty():
		return &Confinement{}, nil
	case p.BestEffort:
		return &Confinement{Missing: []string{err.Error()}}, nil
	default:
		return nil, err
	}
}

// Probe says [errors.ErrUnsupported] of everything.
func Probe() Capabilities {
	err := errUnsupported()
	return Capabilities{NoNewPrivileges: err, Seccomp: err, Landlock: err, UserNamespaces: err, SetUser: err}
}

func errUnsupported() error {
	return fmt.Errorf("sandbox: not on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
