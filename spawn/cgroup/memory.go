package cgroup

// Memory is what the kernel has counted for a group.
type Memory struct {
	Current int64 // bytes in use
	Peak    int64 // the most bytes in use so far; 0 if the kernel does not say (version 2 before Linux 5.19)

	// LimitHits is how often memory was asked for at the limit. The kernel then
	// frees what it can, so a hit need not be the end.
	LimitHits int64

	// OOMKills is how many processes the kernel has killed for want of memory,
	// whether that was the group's or the machine's. A SIGKILL that
	// somebody sends is not among them.
	OOMKills int64
}

// OutOfMemory reports whether the kernel has killed for want of memory at the
// group's own limit.
func (m Memory) OutOfMemory() bool { return m.OOMKills > 0 && m.LimitHits > 0 }
