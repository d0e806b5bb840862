//go:build linux || darwin

package spawn

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// The child's descriptors beyond the standard ones. Files begin at firstFileFd.
const (
	inboxFd = 3 + iota
	outboxFd
	crashFd
	firstFileFd
)

// init makes an inherited process a clean one before main, and before the
// packages that import this one. It costs other programs one look-up in the
// environment.
func init() {
	value, set := os.LookupEnv(birthVariable)
	if !set {
		return
	}
	birth, err := receive(value)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", CannotBoot, err)
		os.Exit(ExitCannotBoot)
	}
	inherited = birth
}

// receive takes what Start gave, and puts away what it did not.
func receive(value string) (*Birth, error) {
	cert, err := parseCertificate(value)
	if err != nil {
		return nil, err
	}
	keepArgv0()
	os.Unsetenv(birthVariable)
	if policy, set := os.LookupEnv(sandboxVariable); set { // first: there is the less that runs without it
		os.Unsetenv(sandboxVariable)
		if err := applySandbox(policy); err != nil {
			return nil, err
		}
	}
	if err := receiveLimits(); err != nil {
		return nil, err
	}
	if cert.procs == "" {
		os.Unsetenv(procsVariable)
	} else {
		os.Setenv(procsVariable, cert.procs)
	}

	for fd := inboxFd; fd < firstFileFd+cert.files; fd++ {
		if err := claim(fd); err != nil {
			return nil, err
		}
	}
	closeUnclaimed()
	resetIgnoredSignals()
	return open(cert)
}

// open makes files of the claimed descriptors.
func open(cert certificate) (*Birth, error) {
	crash := os.NewFile(crashFd, "crash")
	// The runtime duplicates it.
	if err := debug.SetCrashOutput(crash, debug.CrashOptions{}); err != nil {
		return nil, fmt.Errorf("crash output: %w", err)
	}
	crash.Close()

	for _, fd := range []int{inboxFd, outboxFd} {
		// Before NewFile, which puts into the poller only what is nonblocking.
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, fmt.Errorf("set fd %d nonblocking: %w", fd, err)
		}
	}
	b := &Birth{Inbox: os.NewFile(inboxFd, "inbox"), Outbox: os.NewFile(outboxFd, "outbox")}
	for i := range cert.files {
		b.Files = append(b.Files, os.NewFile(uintptr(firstFileFd+i), "file "+strconv.Itoa(i)))
	}
	return b, nil
}
