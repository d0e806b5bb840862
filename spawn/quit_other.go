//go:build !linux

package spawn

import "syscall"

// Quit has the Go runtime of the process write the stacks of its goroutines, and end it, by
// SIGQUIT. A process that blocks or handles SIGQUIT does not answer.
func (p *Process) Quit() error { return p.OS.Signal(syscall.SIGQUIT) }
