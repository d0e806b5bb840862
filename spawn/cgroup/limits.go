package cgroup

import "fmt"

// What Limits can ask for.
const (
	MinMemory    = 1 << 20 // bytes: with less, nothing can be executed
	MinCPU       = 0.01    // processors: the kernel's shortest quota is 1 ms
	MaxCPU       = 8192    // processors: no kernel has more
	MaxProcesses = 1 << 22 // tasks: PID_MAX_LIMIT of 64-bit kernels
)

// Limits are what the processes of a group may use together. Zero means no limit
// of the group's own; those of the groups around it hold in any case.
type Limits struct {
	// Memory is in bytes, at least MinMemory; the kernel rounds it down to whole
	// pages. It holds for memory and swap together. Over it the kernel kills: in
	// version 2 all of the group, in version 1 one process of it.
	//
	// A page counts where it was first touched, that of a shared file or mapping
	// too.
	Memory int64

	// CPU is in processors, from MinCPU to MaxCPU: 0.5 is 50 ms in every 100 ms.
	// Over it the processes wait; nothing is killed.
	CPU float64

	// Processes is how many tasks, which are threads, there may be: at most
	// MaxProcesses. Over it fork and the start of a thread fail with
	// EAGAIN; an idle Go program has 4 to 7, and crashes when it cannot have
	// another.
	Processes int
}

func (l Limits) validate() error {
	switch {
	case l.Memory != 0 && l.Memory < MinMemory:
		return fmt.Errorf("memory limit of %d bytes is under the minimum of %d", l.Memory, MinMemory)
	case l.CPU != 0 && !(l.CPU >= MinCPU && l.CPU <= MaxCPU): // a NaN too
		return fmt.Errorf("CPU limit of %v processors; %v to %v are possible", l.CPU, MinCPU, MaxCPU)
	case l.Processes < 0 || l.Processes > MaxProcesses:
		return fmt.Errorf("limit of %d processes; 1 to %d are possible", l.Processes, MaxProcesses)
	}
	return nil
}
