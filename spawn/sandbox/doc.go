// Package sandbox takes rights away from a process before its work begins. It
// knows two mechanisms of Linux that need no privileges: Landlock, for files,
// and a seccomp filter, for system calls.
//
// Both confine a thread, not a process, and what the thread executes. So one of a program's
// threads, which does nothing else, confines itself with [Policy.ApplyOutside], and starts the
// process, which has all its threads, the C library's too, from the confined one. What would have
// kept the thread from starting it, the process does itself, before anything else, with
// [Policy.ApplyInside].
//
//	runtime.LockOSThread() // for good
//	c, err := p.ApplyOutside()
//	…
//	inside := p.Inside()
//	text, err := inside.MarshalText()
//	cmd.Env = append(os.Environ(), "POLICY="+string(text))
//	err = cmd.Start()
//
//	var inside sandbox.Policy // in the process
//	err := inside.UnmarshalText([]byte(os.Getenv("POLICY")))
//	…
//	err = inside.ApplyInside()
//
// That is how package spawn does it. [Policy.Apply] confines a single thread of a program for good.
//
// The alternatives would have to reach threads that exist already: seccomp has
// TSYNC for that, Landlock only since Linux 7.0, and
// [syscall.AllThreadsSyscall] does not work with cgo. And what an earlier
// thread did unconfined cannot be undone.
//
// There are libraries for both mechanisms. This package does without them
// because the core of Progeny depends on golang.org/x/sys only, and because
// they confine all threads of a running process.
//
// # What is promised
//
// Either everything that the [Policy] names is in force when ApplyInside has
// succeeded, or it or ApplyOutside has returned an error that says what this kernel lacks.
// With Policy.BestEffort the second becomes [Confinement.Missing]. In force it
// remains: for the process, whatever it executes, and all that they start.
//
//	             needs                       what is refused fails with
//	Files        Landlock ABI 3, Linux 6.2   EACCES, or EXDEV (rename or link to where more is allowed)
//	NoNetwork    seccomp, Linux 4.14         EACCES, io_uring ENOSYS
//	NoProcesses  the same                    EPERM, clone3 and io_uring ENOSYS
//	Syscalls     the same                    EPERM, clone3 and io_uring ENOSYS
//
// The filters are written for amd64 and arm64. On other architectures the last
// three are unsupported. A system call by the numbers of another architecture
// (32-bit x86, x32) kills a filtered process with SIGSYS, so a program built
// for another one cannot be executed.
//
// Where the kernel has them, these are added, and are listed as in force or
// missing: signals only to processes of the same confinement (Files, NoNetwork,
// Syscalls; ABI 6, Linux 6.12); no ioctl on devices opened later (Files; ABI 5,
// 6.10); no connection to Unix sockets by path, but beneath ReadWrite (Files;
// ABI 9, 7.1); no TCP, UDP and abstract sockets by Landlock as well (NoNetwork;
// ABI 4, 10 and 6). Wherever a line of Confinement.InForce begins with
// "landlock", the process can also not trace others nor reach into their memory.
//
// # What is not prevented
//
//   - Use of descriptors that are open already, and of those that somebody
//     passes over a Unix socket: what may be done with a file is decided when
//     it is opened. Close what is not needed.
//   - Changes of mode, owner, times and extended attributes of any file that
//     permissions allow to change; stat, access, readlink and chdir everywhere.
//     Landlock has no rights for these.
//   - Connections to Unix sockets by path before Linux 7.1, without NoNetwork.
//   - Signals to processes of the same user before Linux 6.12.
//   - Reading what /proc shows everybody, without Listed: command lines, the
//     list of processes. Root, having CAP_PERFMON, sees environments as well.
//   - System V and POSIX message queues and shared memory of the same user.
//     POSIX shared memory is files beneath /dev/shm, and so is prevented by
//     Files.
//   - Executing what may be read, without NoProcesses: the dynamic loader runs
//     any file that it can read, and memfd_create(2) makes one.
//   - Using up CPU, memory, disk space, descriptors and, without NoProcesses,
//     processes. See setrlimit(2) and cgroups(7).
//   - Faults of the kernel, side channels, and what root may do by other ways:
//     a Policy does not drop capabilities.
//
// # Files of a Go program
//
// With [Listed] nothing but the listed can be opened. A Go program starts
// without anything else, if what it needs for that is what is mapped when the
// Policy is applied; libraries that the C library opens later (name services,
// dlopen) must be listed. Not there by themselves are /proc, /etc/localtime and
// the time zones (UTC is used), /etc/resolv.conf and the certificates,
// /etc/passwd, the temporary directory, and the limits of the cgroup, from
// which the runtime would set GOMAXPROCS. Listing "/proc" works; /proc/self is
// the directory of the process that applies the Policy and, as the kernel may
// forget and make it anew, not reliable.
//
// # Costs
//
// Measured by this package's benchmarks with Linux 6.18 on a virtual machine
// with four amd64 cores.
//
//	Apply  NoNewPrivileges                 4 µs
//	       Files read-only                18 µs
//	       Files listed, two paths       135 µs in a dynamically linked program
//	       NoNetwork, or NoProcesses      50 µs
//	       Syscalls                      175 µs
//	       all of them                   350 µs
//	after  a system call                  20 ns more
//	       one whose arguments matter     90 ns more (socketpair, clone, execve, ioctl)
//	       opening a file                  0.8 µs more, of 2.6, by Landlock
//
// # Other systems
//
// Apply, ApplyOutside, ApplyInside and Probe say [errors.ErrUnsupported]. A Policy can be checked
// and written as text.
package sandbox
