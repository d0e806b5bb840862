package node

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/spawn"
	"github.com/progeny-go/progeny/spawn/cgroup"
)

// A Support says by what this machine can do something; By is "" if it cannot, and Reason says why.
type Support struct{ By, Reason string }

// Capabilities are what this machine gives to keep limits with.
type Capabilities struct {
	Memory, CPU, Processes           Support
	OpenFiles, FileSize, NoCoreDumps Support
	Resident                         Support // the resident memory of a process can be asked for
	KillTree                         Support
}

// groups makes control groups for the whole program. To find out how takes a few milliseconds.
var groups = sync.OnceValue(cgroup.Open)

// A sync.Once and no OnceValue, which would be made in each actor's process.
var capabilities struct {
	once  sync.Once
	found Capabilities
}

// Capable finds out what this machine gives, once.
func Capable() Capabilities {
	capabilities.once.Do(func() { capabilities.found = capable() })
	return capabilities.found
}

func capable() Capabilities {
	g := groups().Capabilities()
	c := Capabilities{
		Memory:      byGroup(g.Memory),
		CPU:         byGroup(g.CPU),
		Processes:   byGroup(g.Processes),
		OpenFiles:   byLimit(),
		FileSize:    byLimit(),
		NoCoreDumps: byLimit(),
		Resident:    Support{By: "watcher"},
		KillTree:    byGroup(g.Kill),
	}
	if _, err := cgroup.Resident(os.Getpid()); err != nil {
		c.Resident = Support{Reason: err.Error()}
	}
	switch {
	case c.Memory.By != "":
	case c.Resident.By != "":
		c.Memory.By = c.Resident.By // and the reason why not better
	default:
		c.Memory.Reason += "; " + c.Resident.Reason
	}
	if c.KillTree.By == "" && runtime.GOOS != "windows" {
		c.KillTree.By = "process group"
	}
	return c
}

func byGroup(s cgroup.Support) Support {
	if s.Version == 0 {
		return Support{Reason: s.Reason}
	}
	return Support{By: fmt.Sprintf("cgroup v%d", s.Version)}
}

func byLimit() Support {
	if runtime.GOOS == "windows" {
		return Support{Reason: "there is no setrlimit on " + runtime.GOOS}
	}
	return Support{By: "rlimit"}
}

// watched reports whether memory is limited by looking at it.
func watched(l *wire.Limits) bool { return l.Memory > 0 && Capable().Memory.By == "watcher" }

// keep says which of the limits this machine cannot keep, and why.
func keep(spec *wire.Spec) error {
	l := &spec.Limits
	resident := spec.Recycle.Memory > 0
	if *l == (wire.Limits{}) && !resident || l.BestEffort {
		return nil
	}
	c := Capable()
	var missing []string
	for _, limit := range []struct {
		name  string
		asked bool
		by    Support
	}{
		{"Limits.Memory", l.Memory > 0, c.Memory},
		{"Limits.CPU", l.CPU > 0, c.CPU},
		{"Limits.Processes", l.Processes > 0, c.Processes},
		{"Limits.OpenFiles", l.OpenFiles > 0, c.OpenFiles},
		{"Limits.FileSize", l.FileSize > 0, c.FileSize},
		{"Limits.NoCoreDumps", l.NoCoreDumps, c.NoCoreDumps},
		{"Recycle.Memory", resident, c.Resident},
	} {
		if limit.asked && limit.by.By == "" {
			missing = append(missing, limit.name+": "+limit.by.Reason)
		}
	}
	if missing == nil {
		return nil
	}
	return &wire.Failure{Code: wire.Unkept, Fate: wire.FateNotSent, Text: strings.Join(missing, "; ")}
}

// confine adds to cmd what keeps the limits of spec from the first instruction on. Whoever gets a group
// removes it.
func confine(cmd *spawn.Command, spec *wire.Spec) (*cgroup.Group, error) {
	l := &spec.Limits
	cmd.Limits = spawn.Limits{OpenFiles: l.OpenFiles, FileSize: l.FileSize, NoCoreDumps: l.NoCoreDumps}
	if l.Memory > 0 {
		cmd.Env = withMemoryLimit(cmd.Env, l.Memory/10*9)
	}
	if *l == (wire.Limits{}) {
		return nil, nil
	}
	want, c := cgroup.Limits{Memory: l.Memory, CPU: l.CPU, Processes: l.Processes}, groups().Capabilities()
	if c.Memory.Version == 0 { // there is the watcher
		want.Memory = 0
	}
	if c.CPU.Version == 0 { // with BestEffort; else keep has refused it
		want.CPU = 0
	}
	if c.Processes.Version == 0 {
		want.Processes = 0
	}
	if want == (cgroup.Limits{}) && c.Kill.Version == 0 {
		return nil, nil
	}
	g, err := groups().Create(spec.Type, want)
	if err != nil {
		if l.BestEffort || want == (cgroup.Limits{}) { // then it is for the end only
			return nil, nil
		}
		return nil, err
	}
	cmd.Group = g
	return g, nil
}

// startLimited starts a process with the limits of spec, in a group of its own if they want one.
func startLimited(cmd *spawn.Command, spec *wire.Spec) (*spawn.Process, *cgroup.Group, error) {
	group, err := confine(cmd, spec)
	if err != nil {
		return nil, nil, err
	}
	p, err := spawn.Start(cmd)
	if err != nil && group != nil {
		group.Remove()
		group = nil
	}
	return p, group, err
}

// withMemoryLimit sets GOMEMLIMIT, unless the Spec has; nil stands for the program's environment.
func withMemoryLimit(env []string, bytes int64) []string {
	const variable = "GOMEMLIMIT="
	if env == nil {
		env = os.Environ()
	} else {
		for _, entry := range env {
			if strings.HasPrefix(entry, variable) {
				return env
			}
		}
	}
	return append(env[:len(env):len(env)], fmt.Sprintf("%s%d", variable, bytes))
}

// sweep kills what the dead process has left in its group, and says if it went over
// the memory limit.
func (p *process) sweep() {
	if p.group == nil {
		return
	}
	if err := p.group.Kill(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		p.node.logs.complain("what an actor has started could not be killed: "+err.Error(), p.cell.spec.Name)
	}
	m, err := p.group.Memory()
	if err == nil && m.OutOfMemory() && p.exit.Known && p.exit.Signal == syscall.SIGKILL {
		p.overran = &wire.Reason{Cause: wire.OutOfMemory, Limit: p.cell.spec.Limits.Memory, Peak: m.Peak}
	}
}

// dissolve removes the group, when nothing lives in it.
func (p *process) dissolve() {
	if p.group == nil {
		return
	}
	if err := p.group.Remove(); err != nil {
		p.node.logs.complain("a control group could not be removed: "+err.Error(), p.cell.spec.Name)
	}
}
