package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxPaths bounds ReadOnly and ReadWrite together. Each costs two system calls
// and some kernel memory when the Policy is applied.
const maxPaths = 1024

// A Policy says what a process may not do. The zero Policy confines nothing.
// Any other implies NoNewPrivileges, whoever the user is: the kernel asks for it
// before an unprivileged thread may confine itself, and nothing that is to be
// confined should get out through a set-user-ID program.
//
// A Policy is a plain value; methods only read it, but for UnmarshalText.
type Policy struct {
	// NoNewPrivileges makes set-user-ID and set-group-ID bits and file
	// capabilities mean nothing for what the process executes. See
	// PR_SET_NO_NEW_PRIVS(2const).
	NoNewPrivileges bool

	// NoNetwork refuses new sockets of every family, and connect, bind and
	// listen on those that the process has, with EACCES. What remains is
	// socketpair(2) of connected Unix sockets (SOCK_STREAM, SOCK_SEQPACKET; a
	// SOCK_DGRAM one could still be sent from to anybody), and sockets already
	// connected or listening.
	NoNetwork bool

	// Files says how much of the file system there is. ReadOnly and ReadWrite
	// are the exceptions: absolute paths of files and directories that exist,
	// with everything beneath. A symbolic link stands for what it leads to when
	// the Policy is applied. At most 1024 paths together.
	Files     Files
	ReadOnly  []string // with Listed: may be read and executed
	ReadWrite []string // with Listed and ReadOnly: may be read and changed; with Listed not executed

	// NoProcesses refuses fork(2), vfork(2), clone(2) without CLONE_THREAD and
	// execve(2) with EPERM, and clone3(2), whose flags a filter cannot see,
	// with ENOSYS: the C library then uses clone. A Go program makes threads as before.
	NoProcesses bool

	// Syscalls refuses with EPERM the system calls that an ordinary program
	// never makes: to trace others and reach into their memory, to mount,
	// change root or namespaces, to load modules, kernels and BPF programs, to
	// set clocks, host names and swap, to use the kernel's keys, to open files
	// by handle, to make device nodes, to type into a terminal (TIOCSTI), and
	// others in that vein. io_uring(7) does not exist (ENOSYS), as it would go
	// round every filter.
	Syscalls bool

	// BestEffort leaves out what this kernel cannot do, instead of failing.
	// [Confinement.Missing] tells.
	BestEffort bool
}

// Files says how much of the file system a process may use.
type Files int

const (
	// Unrestricted leaves the file system to its permissions.
	Unrestricted Files = iota

	// ReadOnly lets everything be read and executed, and only what is beneath
	// Policy.ReadWrite be changed. /dev/null can be written.
	ReadOnly

	// Listed leaves what is beneath Policy.ReadOnly and Policy.ReadWrite, and what
	// a Go program needs to start: its executable, the files that are mapped
	// executable (the C library and its loader, where there is one), the
	// loader's cache, and /dev/null.
	Listed
)

// filesNames are the Files in texts.
var filesNames = [...]string{Unrestricted: "unrestricted", ReadOnly: "read-only", Listed: "listed"}

func (f Files) String() string {
	if f < 0 || int(f) >= len(filesNames) {
		return fmt.Sprintf("Files(%d)", int(f))
	}
	return filesNames[f]
}

// Empty reports whether p confines nothing, so that there is nothing to apply.
func (p *Policy) Empty() bool {
	return !p.NoNewPrivileges && !p.NoNetwork && p.Files == Unrestricted && !p.NoProcesses && !p.Syscalls
}

// Check reports what is wrong with p, whatever the kernel can do: an unknown
// value, paths that Files gives no meaning to, too many of them, a path that is
// not absolute or does not exist. It looks at the file system.
func (p *Policy) Check() error {
	if err := p.check(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	for _, path := range append(p.ReadOnly[:len(p.ReadOnly):len(p.ReadOnly)], p.ReadWrite...) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	return nil
}

// check is Check without the file system.
func (p *Policy) check() error {
	if p.Files < 0 || int(p.Files) >= len(filesNames) {
		return fmt.Errorf("unknown %v", p.Files)
	}
	if len(p.ReadOnly) > 0 && p.Files != Listed {
		return fmt.Errorf("paths in ReadOnly, but Files is %v", p.Files)
	}
	if len(p.ReadWrite) > 0 && p.Files == Unrestricted {
		return errors.New("paths in ReadWrite, but Files is unrestricted")
	}
	if n := len(p.ReadOnly) + len(p.ReadWrite); n > maxPaths {
		return fmt.Errorf("%d paths, at most %d can be listed", n, maxPaths)
	}
	for _, path := range append(p.ReadOnly[:len(p.ReadOnly):len(p.ReadOnly)], p.ReadWrite...) {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("path %q is not absolute", path)
		}
		if strings.ContainsRune(path, 0) {
			return fmt.Errorf("path %q has a zero byte", path)
		}
	}
	return nil
}
