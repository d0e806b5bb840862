package cgroup

// Capabilities says what a [Manager] can do on this machine.
type Capabilities struct {
	Memory    Support // Limits.Memory, Group.Memory
	CPU       Support // Limits.CPU
	Processes Support // Limits.Processes
	Kill      Support // Group.Kill
}

// A Support says whether something works.
type Support struct {
	Version int    // of control groups that does it: 1 or 2; 0 if none does
	Reason  string // why none does, in one line for the user; empty otherwise
}
