package actor

import (
	"errors"
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/node"
)

// Limits are what one process of an actor may use, with what it starts itself. Zero fields
// are no limits. The next process begins anew.
//
// Which of them a machine can keep, and by what, [System.Capabilities] says. Spawn fails with
// [ErrUnsupportedLimit] where one cannot be kept, unless BestEffort is set. What is wrong in
// itself, like a negative number, Spawn refuses everywhere.
//
// A process with Limits is started anew, even if the System has some on standby: most limits
// are fixed before a process begins. It gets a control group of its own where there
// are any; then its end is that of all that it has started, in whatever session. That costs a
// Spawn about a tenth more.
type Limits struct {
	// Memory is in bytes, at least 16 MiB; a Go program needs 6 to 10 for itself. Over it the
	// process is killed, for the reason OutOfMemory. GOMEMLIMIT is set to nine tenths of it,
	// unless Env has one, so that the garbage collector works the harder before.
	//
	// A control group (Linux, version 2 or 1) counts the page cache of what the process has written
	// too, and what it has started; not a byte more is given. Where there is none, somebody looks at the
	// process's resident memory (Linux): every 2 to 50 ms while there are messages, the more often the
	// nearer it is to the limit, and every 250 ms otherwise. What it takes in between can be over the
	// limit: what grows by 1 GiB in a second while it handles a message is noticed a few MiB over it. What it
	// starts is not counted then.
	Memory int64
	// CPU is in processors, 0.01 to 8192: with 0.5 it runs at most 50 ms in 100, and waits
	// otherwise. Control groups only.
	CPU float64
	// Processes is how many tasks, which are its threads and processes, there may be: 16 to 2²². The
	// next fork or thread fails (EAGAIN); the Go runtime crashes when it needs a thread and
	// gets none. Control groups only.
	Processes int
	// OpenFiles is how many descriptors may be open (RLIMIT_NOFILE), 24 to 2²⁰: about a dozen
	// are the runtime's. The next open fails (EMFILE).
	OpenFiles int
	// FileSize is the largest size in bytes to which it may make a file (RLIMIT_FSIZE), at least
	// 64 KiB. A write beyond it fails (EFBIG): the Go runtime does not let SIGXFSZ end the process.
	FileSize int64
	// NoCoreDumps: no core file is written, nor is a core handler called (RLIMIT_CORE 1, see core(5)).
	NoCoreDumps bool
	// BestEffort leaves out what this machine cannot keep.
	BestEffort bool
}

// Recycle says when a process is replaced by a fresh one, the remedy for what leaks. It happens
// between two messages: the one in progress is finished, however long that takes, the process ends as after
// Context.Stop, and the next one goes on with the mailbox. Nothing is lost, not even an Ask. It is no
// failure: it counts for no Intensity, has no Backoff, and no sibling is restarted; Temporary
// actors are recycled too. Who monitors the actor gets a Down with the reason [Recycled].
//
// As at any end of a process, actors that it has spawned end, its timers do unless they are Durable, and
// so do its monitors and links; links pass on no signal.
type Recycle struct {
	// After is the age, from when its start function has returned; at least 10 ms.
	After time.Duration
	// Messages is after how many it is recycled, exactly.
	Messages uint64
	// Memory is the resident memory in bytes, at least 16 MiB. Somebody looks four times a
	// second while there are messages. Linux only.
	Memory int64
}

// ErrUnsupportedLimit: Spawn, and this machine cannot keep one of the Spec's Limits; the text says which
// and why. It wraps errors.ErrUnsupported.
var ErrUnsupportedLimit = fmt.Errorf("actor: a limit cannot be kept on this machine: %w", errors.ErrUnsupported)

// A Support says whether, and by what, this machine can do something.
type Support struct {
	By     string // "cgroup v2", "cgroup v1", "watcher", "rlimit", "process group"; "" if it cannot
	Reason string // why it cannot, or not better; "" if there is nothing to say
}

// Capabilities says what this machine gives to keep Limits with.
type Capabilities struct {
	Memory      Support // "cgroup v2" or "cgroup v1", else "watcher"
	CPU         Support
	Processes   Support
	OpenFiles   Support
	FileSize    Support
	NoCoreDumps Support
	// RecycleMemory is for Recycle.Memory.
	RecycleMemory Support
	// KillTree is by what the end of a process with Limits is that of all it has started, of whatever
	// kind they are. A "process group" does not have those that have left it (setsid).
	KillTree Support
	// Sandbox is for Spec.Sandbox.
	Sandbox SandboxSupport
}

// Capabilities finds out what this machine gives. The first call, or the first Spawn with Limits, may
// move the program into a control group of its own, as cgroups(7) demands of those who make
// groups; it takes a few milliseconds. Later calls return the same.
func (s *System) Capabilities() Capabilities {
	c := node.Capable()
	return Capabilities{
		Memory:        Support(c.Memory),
		CPU:           Support(c.CPU),
		Processes:     Support(c.Processes),
		OpenFiles:     Support(c.OpenFiles),
		FileSize:      Support(c.FileSize),
		NoCoreDumps:   Support(c.NoCoreDumps),
		RecycleMemory: Support(c.Resident),
		KillTree:      Support(c.KillTree),
		Sandbox:       sandboxSupport(),
	}
}
