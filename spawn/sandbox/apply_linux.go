package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Apply confines the calling thread, and everything that this thread executes
// or forks from now on; other threads of the process it leaves alone. A whole process is
// confined by ApplyOutside and [Policy.ApplyInside].
// Apply locks the goroutine to its thread and never unlocks it. Nothing undoes
// it; applied again, policies add up (Landlock allows 16 layers).
//
// What this kernel cannot do is an error that wraps [errors.ErrUnsupported] and
// names all that is missing, before anything has been done. After other errors
// the thread may be confined in part, and the process should end. The zero
// Policy does nothing.
//
// With [Listed] it reads /proc/self/exe and, in a dynamically linked program,
// /proc/self/maps.
func (p *Policy) Apply() (*Confinement, error) {
	return p.applied(func() (*Confinement, error) { return p.apply(thisKernel()) })
}

// A kernel is what plans depend on.
type kernel struct {
	abi      int   // of Landlock
	landlock error // why abi is 0
	seccomp  error // why there is no seccomp filter for this kernel or architecture
}

func thisKernel() kernel {
	abi, err := landlockABI()
	return kernel{abi: abi, landlock: err, seccomp: seccompAvailable()}
}

func (p *Policy) apply(k kernel) (*Confinement, error) {
	return p.confine(k, p.filter)
}

// planned says what confine will do, or why it cannot.
func (p *Policy) planned(k kernel) (*Confinement, error) {
	c := new(Confinement)
	lacks := p.plan(k, c)
	if len(lacks) > 0 && !p.BestEffort {
		return nil, fmt.Errorf("this kernel cannot confine as asked: %s: %w", strings.Join(lacks, "; "), errors.ErrUnsupported)
	}
	c.Missing = append(lacks, c.Missing...)
	return c, nil
}

// confine confines the calling thread. It asks for the filter only if there is to be one.
func (p *Policy) confine(k kernel, makeFilter func() []unix.SockFilter) (*Confinement, error) {
	c, err := p.planned(k)
	if err != nil {
		return nil, err
	}
	domain := p.domain(k.abi)
	ruleset := -1
	if domain != (unix.LandlockRulesetAttr{}) {
		if ruleset, err = p.ruleset(&domain); err != nil {
			return nil, err
		}
		defer unix.Close(ruleset)
	}
	var filter []unix.SockFilter
	if k.seccomp == nil && p.wantsFilter() {
		filter = makeFilter()
	}

	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("prctl PR_SET_NO_NEW_PRIVS", err)
	}
	if ruleset >= 0 {
		if err := restrictSelf(ruleset); err != nil {
			return nil, err
		}
	}
	// Last, for a filter may refuse what comes after it.
	if filter != nil {
		if err := installFilter(filter, 0); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// plan fills c with what k will have in force, and what additional safety it
// does not have, and returns what was asked for and k lacks.
func (p *Policy) plan(k kernel, c *Confinement) (lacks []string) {
	c.InForce = append(c.InForce, "no new privileges")
	if p.wantsDomain() {
		lacks = p.planLandlock(k, c)
	}
	for _, part := range []struct {
		wanted bool
		name   string
	}{{p.NoNetwork, "no network"}, {p.NoProcesses, "no processes"}, {p.Syscalls, "system calls"}} {
		switch {
		case !part.wanted:
		case k.seccomp != nil:
			lacks = append(lacks, fmt.Sprintf("%s: %v", part.name, k.seccomp))
		default:
			c.InForce = append(c.InForce, "seccomp: "+part.name)
		}
	}
	return lacks
}
