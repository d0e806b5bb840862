package spawn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall"
)

// Limits are what the kernel lets one process have; zero means what the parent has. The
// child sets them in package init, soft and hard: see setrlimit(2). Neither it nor what it
// starts can raise them without CAP_SYS_RESOURCE.
type Limits struct {
	OpenFiles   int   // RLIMIT_NOFILE: descriptors have lower numbers than this
	FileSize    int64 // RLIMIT_FSIZE, in bytes
	NoCoreDumps bool  // RLIMIT_CORE 1: neither a file nor a handler, see core(5)
}

// A Group is what a process is born in, like a control group. Start calls fork, which starts
// the process with attr, and returns its error as it is. After any other error the process, if
// there is one, is killed, and nothing else is forked by the thread that Start was
// called on.
//
// Enter puts a process that runs into it.
type Group interface {
	Start(attr *syscall.SysProcAttr, fork func() error) error
	Enter(pid int) error
}

const limitsVariable = "PROGENY_LIMITS"

// String is the value of the variable by which the child is told: three numbers.
func (l Limits) String() string {
	core := 0
	if l.NoCoreDumps {
		core = 1
	}
	return fmt.Sprintf("%d:%d:%d", l.OpenFiles, l.FileSize, core)
}

func parseLimits(value string) (Limits, error) {
	var numbers [3]int64
	fields := strings.Split(value, ":")
	for i, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || n < 0 || len(fields) != len(numbers) || n > math.MaxInt {
			return Limits{}, fmt.Errorf("malformed %s %q", limitsVariable, value)
		}
		numbers[i] = n
	}
	return Limits{OpenFiles: int(numbers[0]), FileSize: numbers[1], NoCoreDumps: numbers[2] != 0}, nil
}

func (l Limits) validate() error {
	if l.OpenFiles < 0 || l.FileSize < 0 {
		return fmt.Errorf("limits of %d open files and %d bytes", l.OpenFiles, l.FileSize)
	}
	return nil
}
