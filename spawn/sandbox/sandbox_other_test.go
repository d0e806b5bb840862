//go:build !linux

package sandbox

import (
	"errors"
	"testing"
)

func TestUnsupported(t *testing.T) {
	if _, err := (&Policy{NoNetwork: true, BestEffort: true}).Apply(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Apply: %v", err)
	}
	if c := Probe(); !errors.Is(c.Landlock, errors.ErrUnsupported) || !errors.Is(c.Seccomp, errors.ErrUnsupported) {
		t.Errorf("Probe: %+v", c)
	}
}
