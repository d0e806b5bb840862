package wire

import (
	"errors"
	"fmt"
	"time"
)

// Limits are what a process may use; zero means no limit. See actor.Limits.
type Limits struct {
	Memory      int64   // bytes
	CPU         float64 // processors
	Processes   int     // tasks
	OpenFiles   int
	FileSize    int64 // bytes
	NoCoreDumps bool
	BestEffort  bool // those that cannot be kept here are left out
}

// Recycle says when a process is replaced by a fresh one; zero means never.
type Recycle struct {
	After    time.Duration
	Messages uint64
	Memory   int64 // bytes, resident
}

// The smallest and largest limits. With less than the smallest a process does not come up.
const (
	MinMemory    = 16 << 20
	MinCPU       = 0.01
	MaxCPU       = 8192
	MinProcesses = 16
	MaxProcesses = 1 << 22
	MinOpenFiles = 24
	MaxOpenFiles = 1 << 20
	MinFileSize  = 64 << 10 // what a crash writes

	MinHandlerTimeout = time.Millisecond
	MinHeartbeat      = 10 * time.Millisecond
	MinRecycleAfter   = 10 * time.Millisecond
)

// check says what is wrong with l.
func (l *Limits) check() error {
	switch {
	case l.Memory != 0 && l.Memory < MinMemory:
		return fmt.Errorf("wrong Spec: Limits.Memory of %d bytes, the minimum is %d", l.Memory, MinMemory)
	case l.CPU != 0 && !(l.CPU >= MinCPU && l.CPU <= MaxCPU): // a NaN too
		return fmt.Errorf("wrong Spec: Limits.CPU of %v processors; %v to %v are possible", l.CPU, MinCPU, MaxCPU)
	case l.Processes != 0 && (l.Processes < MinProcesses || l.Processes > MaxProcesses):
		return fmt.Errorf("wrong Spec: Limits.Processes %d; %d to %d are possible", l.Processes, MinProcesses, MaxProcesses)
	case l.OpenFiles != 0 && (l.OpenFiles < MinOpenFiles || l.OpenFiles > MaxOpenFiles):
		return fmt.Errorf("wrong Spec: Limits.OpenFiles %d; %d to %d are possible", l.OpenFiles, MinOpenFiles, MaxOpenFiles)
	case l.FileSize != 0 && l.FileSize < MinFileSize:
		return fmt.Errorf("wrong Spec: Limits.FileSize of %d bytes, the minimum is %d", l.FileSize, MinFileSize)
	}
	return nil
}

// checkTimes says what is wrong with the times and the recycling of s.
func (s *Spec) checkTimes() error {
	atLeast := func(what string, d, least time.Duration) error {
		if d != 0 && d < least {
			return fmt.Errorf("wrong Spec: %s of %v, the minimum is %v", what, d, least)
		}
		return nil
	}
	err := errors.Join(
		atLeast("HandlerTimeout", s.HandlerTimeout, MinHandlerTimeout),
		atLeast("Heartbeat", s.Heartbeat, MinHeartbeat),
		atLeast("Recycle.After", s.Recycle.After, MinRecycleAfter))
	if m := s.Recycle.Memory; m != 0 && m < MinMemory {
		err = errors.Join(err, fmt.Errorf("wrong Spec: Recycle.Memory of %d bytes, the minimum is %d", m, MinMemory))
	}
	return err
}
