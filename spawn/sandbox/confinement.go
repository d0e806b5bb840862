package sandbox

// A Confinement is what [Policy.Apply] has done to a thread.
type Confinement struct {
	// InForce says what the thread may not do, one line each and fit for a log:
	// "landlock: files listed". Empty for the zero Policy.
	InForce []string

	// Missing says what this kernel does not give: with BestEffort, of what
	// was asked for; always, of the additional safety that newer kernels have.
	Missing []string
}

// Capabilities says what this kernel gives a Policy. An error is the reason why
// something is missing; nil means that it is there.
type Capabilities struct {
	NoNewPrivileges error
	Seccomp         error // NoNetwork, NoProcesses and Syscalls need it
	Landlock        error // Files needs it, at LandlockABI 3 or more
	LandlockABI     int   // as in landlock(7), 0 for none
	UserNamespaces  error // for this user; no Policy needs them
	SetUser         error // the rights to start a process as another user; no Policy needs them
}
