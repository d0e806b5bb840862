//go:build linux || darwin

package spawn

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// receiveLimits sets the limits that Start gave.
func receiveLimits() error {
	value, set := os.LookupEnv(limitsVariable)
	if !set {
		return nil
	}
	os.Unsetenv(limitsVariable)
	l, err := parseLimits(value)
	if err != nil {
		return err
	}
	return l.set()
}

func (l Limits) set() error {
	if n := l.OpenFiles; n > 0 {
		if err := lower(unix.RLIMIT_NOFILE, uint64(n)); err != nil {
			return fmt.Errorf("limit of %d open files: %w", n, err)
		}
	}
	if n := l.FileSize; n > 0 {
		if err := lower(unix.RLIMIT_FSIZE, uint64(n)); err != nil {
			return fmt.Errorf("limit of file sizes of %d bytes: %w", n, err)
		}
	}
	if l.NoCoreDumps {
		// With 0 a handler would still get the dump: the kernel refuses it one only at 1.
		if err := lower(unix.RLIMIT_CORE, 1); err != nil {
			return fmt.Errorf("no core dumps: %w", err)
		}
	}
	return nil
}

// lower sets both limits to n, or to the hard one if that is lower.
func lower(resource int, n uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	n = min(n, now.Max)
	return os.NewSyscallError("setrlimit", unix.Setrlimit(resource, &unix.Rlimit{Cur: n, Max: n}))
}
