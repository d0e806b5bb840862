//go:build !linux

package cgroup

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// KillTimeout is how long Kill waits.
const KillTimeout = 2 * time.Second

// A Manager makes no groups here.
type Manager struct{}

// Open returns a Manager that says that nothing is supported.
func Open() *Manager { return &Manager{} }

// Capabilities says that there are no control groups here.
func (*Manager) Capabilities() Capabilities {
	none := Support{Reason: "there are no control groups on " + runtime.GOOS}
	return Capabilities{none, none, none, none}
}

// Create is not supported on this platform.
func (m *Manager) Create(name string, l Limits) (*Group, error) {
	if err := l.validate(); err != nil {
		return nil, fmt.Errorf("cgroup %s: %w", name, err)
	}
	return nil, fmt.Errorf("cgroup %s: %w: %s", name, errors.ErrUnsupported, m.Capabilities().Kill.Reason)
}

// A Group cannot be had here.
type Group struct{}

// Start is not supported on this platform.
func (*Group) Start(*syscall.SysProcAttr, func() error) error { return errors.ErrUnsupported }

// Enter is not supported on this platform.
func (*Group) Enter(int) error { return errors.ErrUnsupported }

// Kill is not supported on this platform.
func (*Group) Kill() error { return errors.ErrUnsupported }

// Memory is not supported on this platform.
func (*Group) Memory() (Memory, error) { return Memory{}, errors.ErrUnsupported }

// Remove is not supported on this platform.
func (*Group) Remove() error { return errors.ErrUnsupported }

// Resident is not supported on this platform.
func Resident(int) (int64, error) { return 0, errors.ErrUnsupported }
