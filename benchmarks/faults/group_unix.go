//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killGroup has the end of the command's context end also what it has started: not everything here does so by
// itself.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
