package actor

import (
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/node"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/spawn"
	"github.com/progeny-go/progeny/spawn/sandbox"
)

// A Sandbox takes rights away from the process of an actor. The zero value takes none.
// [Strict] takes all that an ordinary actor does not need. See docs/security.md.
//
// It is in force before any code of the actor runs, and whatever comes: for all threads, C's
// too, for what the process executes or starts, and after each restart. It needs
// no privileges but for User. Linux only.
//
// What this machine cannot do is an error of Spawn that says what is missing and wraps
// [errors.ErrUnsupported], and then there is no process; unless BestEffort. [Sandbox.Check] tells
// without a Spawn, and [System.Capabilities] what there is.
//
// An actor in a Sandbox can start actors in the same Sandbox only. Those that say nothing
// of one get it.
//
// Processes of [Options.Standby] are not used for actors with a Sandbox. A start takes
// about as long as one without; the first one for each Sandbox a millisecond more, and, while
// actors with it live, a thread of the program.
type Sandbox struct {
	// NoNetwork refuses sockets of all families with EACCES (seccomp).
	NoNetwork bool

	// Files says how much of the file system there is (Landlock). Read and Write are the exceptions:
	// absolute paths of files and directories that exist whenever a process of the actor
	// starts, with all beneath; at most 1024 together. What counts is what is there at that
	// moment, and where a symbolic link leads. Other files cannot be opened, made or removed
	// (EACCES); stat, access and readlink are not affected.
	Files FileAccess
	Read  []string // with ListedFiles: may be read and executed
	Write []string // with ListedFiles and ReadOnlyFiles: may be read and changed

	// NoProcesses refuses to start processes and to execute programs, with EPERM
	// (seccomp). It is in force a little later than the rest: when package spawn
	// is initialised. Threads are not affected.
	NoProcesses bool

	// NoNewPrivileges makes set-user-ID bits and file capabilities mean nothing for
	// what the process executes. Everything above and Syscalls imply it.
	NoNewPrivileges bool

	// Syscalls refuses with EPERM the system calls that an ordinary program never makes
	// (seccomp): to trace other processes, to mount, to make namespaces and device
	// nodes, to load kernel modules and BPF programs, to set clocks and the like.
	Syscalls bool

	// EmptyEnv leaves of the program's environment only GODEBUG, GOGC, GOMEMLIMIT, GORACE,
	// GOTRACEBACK and LD_LIBRARY_PATH. Spec.Env, if there is one, is added.
	EmptyEnv bool

	// User is whose rights the process has, beside that group no other; nil means the program's
	// user. It needs CAP_SETUID and CAP_SETGID, so mostly root, and the user
	// must be allowed to execute the program's file. Not together with Namespaces.
	User *User

	// Namespaces are those that the process has for itself, see namespaces(7). With any of them it has
	// a user namespace too: no capabilities, whoever runs the program.
	Namespaces Namespaces

	// BestEffort leaves out what this machine cannot do.
	BestEffort bool
}

// FileAccess says how much of the file system a process may use.
type FileAccess int

// The values of FileAccess.
const (
	// AllFiles leaves the file system to its permissions.
	AllFiles = FileAccess(sandbox.Unrestricted)
	// ReadOnlyFiles lets everything be read and executed, and nothing be changed but what is beneath
	// Write, and /dev/null.
	ReadOnlyFiles = FileAccess(sandbox.ReadOnly)
	// ListedFiles leaves what is beneath Read and Write, the files that the
	// program itself consists of, and /dev/null. So there is no /proc, no /etc and no
	// temporary directory.
	ListedFiles = FileAccess(sandbox.Listed)
)

// String returns "unrestricted", "read-only" or "listed".
func (f FileAccess) String() string { return sandbox.Files(f).String() }

// A User is a user and a group, by their numbers.
type User struct{ UID, GID uint32 }

// Namespaces are kinds of namespaces.
type Namespaces = spawn.Namespaces

// The kinds of Namespaces.
const (
	UserNamespace  = spawn.UserNamespace  // no capabilities
	PIDNamespace   = spawn.PIDNamespace   // it is process 1 and cannot signal others; /proc still shows them
	NetNamespace   = spawn.NetNamespace   // no interface that is up, and no abstract Unix sockets of others
	IPCNamespace   = spawn.IPCNamespace   // System V IPC and POSIX message queues of its own
	UTSNamespace   = spawn.UTSNamespace   // a host name of its own
	MountNamespace = spawn.MountNamespace // a copy of the mounts
)

// Strict returns what needs no privilege and leaves an actor its messages, memory and CPU: no
// network, no files, no processes, no new privileges, no unusual system calls, an
// empty environment. Add paths to Read and Write for what it works on.
func Strict() Sandbox {
	return Sandbox{
		NoNetwork:       true,
		Files:           ListedFiles,
		NoProcesses:     true,
		NoNewPrivileges: true,
		Syscalls:        true,
		EmptyEnv:        true,
	}
}

// A Confinement is what becomes of a [Sandbox] on this machine: texts, one line each.
type Confinement struct {
	InForce []string // "landlock: files listed"
	// Missing is what the kernel does not give: with BestEffort of what is asked for,
	// and always of the additional safety that newer kernels have.
	Missing []string
}

// Check returns what an actor in s is confined by on this machine, or the error that its
// Spawn would return. It starts nothing and asks the kernel each time.
func (s Sandbox) Check() (Confinement, error) {
	w, err := s.wire()
	if err != nil {
		return Confinement{}, err
	}
	c, err := node.CheckSandbox(w)
	if err != nil {
		if f, ok := errors.AsType[*wire.Failure](err); ok {
			err = public(f)
		}
		return Confinement{}, err
	}
	return Confinement{InForce: c.InForce, Missing: c.Missing}, nil
}

// SandboxSupport says which parts of a [Sandbox] this machine gives, to this user.
type SandboxSupport struct {
	NoNetwork       Support // "seccomp"
	Files           Support // "landlock ABI 7"
	NoProcesses     Support // "seccomp"
	NoNewPrivileges Support // "prctl"
	Syscalls        Support // "seccomp"
	User            Support // "setuid"
	Namespaces      Support // "user namespaces"
}

func sandboxSupport() SandboxSupport {
	c := node.Probe()
	support := func(by string, missing error) Support {
		if missing != nil {
			return Support{Reason: missing.Error()}
		}
		return Support{By: by}
	}
	files := c.Landlock
	if files == nil {
		_, files = Sandbox{Files: ReadOnlyFiles}.Check() // an ABI may be too old
	}
	return SandboxSupport{
		NoNetwork:       support("seccomp", c.Seccomp),
		Files:           support(fmt.Sprint("landlock ABI ", c.LandlockABI), files),
		NoProcesses:     support("seccomp", c.Seccomp),
		NoNewPrivileges: support("prctl", c.NoNewPrivileges),
		Syscalls:        support("seccomp", c.Seccomp),
		User:            support("setuid", c.SetUser),
		Namespaces:      support("user namespaces", c.UserNamespaces),
	}
}

func (s Sandbox) isZero() bool {
	return !s.NoNetwork && s.Files == 0 && s.Read == nil && s.Write == nil && !s.NoProcesses && !s.NoNewPrivileges &&
		!s.Syscalls && !s.EmptyEnv && s.User == nil && s.Namespaces == 0
}

// wire returns nil for a Sandbox that does nothing.
func (s Sandbox) wire() (*wire.Sandbox, error) {
	if s.isZero() {
		return nil, nil
	}
	switch {
	case len(s.Read) > 0 && s.Files != ListedFiles:
		return nil, fmt.Errorf("wrong Spec: paths in Sandbox.Read, but Files is %v", s.Files)
	case len(s.Write) > 0 && s.Files == AllFiles:
		return nil, fmt.Errorf("wrong Spec: paths in Sandbox.Write, but Files is %v", s.Files)
	}
	policy := sandbox.Policy{
		NoNewPrivileges: s.NoNewPrivileges,
		NoNetwork:       s.NoNetwork,
		Files:           sandbox.Files(s.Files),
		ReadOnly:        s.Read,
		ReadWrite:       s.Write,
		NoProcesses:     s.NoProcesses,
		Syscalls:        s.Syscalls,
		BestEffort:      s.BestEffort,
	}
	text, err := policy.MarshalText()
	if err != nil {
		return nil, err
	}
	return &wire.Sandbox{
		Policy:     string(text),
		EmptyEnv:   s.EmptyEnv,
		User:       (*wire.User)(s.User),
		Namespaces: uint8(s.Namespaces),
		BestEffort: s.BestEffort,
	}, nil
}
