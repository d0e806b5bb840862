//go:build amd64 || arm64

package sandbox

import "golang.org/x/sys/unix"

// filter returns the filter for p.
func (p *Policy) filter() []unix.SockFilter {
	return assemble(append(p.outsideRules(), p.insideRules()...))
}

// outsideRules leave a thread able to start processes.
func (p *Policy) outsideRules() []callRule {
	// A ring's operations never meet a filter.
	rules := each(fail(unix.ENOSYS), unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER)
	if p.NoNetwork {
		rules = append(rules, networkRules()...)
	}
	if p.Syscalls {
		rules = append(rules, systemRules()...)
	}
	return rules
}

// insideRules are the others.
func (p *Policy) insideRules() (rules []callRule) {
	if p.NoProcesses {
		rules = each(fail(unix.EPERM), unix.SYS_EXECVEAT, unix.SYS_EXECVE)
	}
	if p.NoProcesses || p.Syscalls {
		rules = append(rules, p.cloneRules()...)
	}
	return rules
}

func each(answer uint32, numbers ...uintptr) (rules []callRule) {
	for _, number := range numbers {
		rules = append(rules, callRule{number: number, answer: answer})
	}
	return rules
}

func networkRules() []callRule {
	refuse := fail(unix.EACCES) // as socket(2) has it for no permission
	return append(
		each(refuse, unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN),
		callRule{number: unix.SYS_SOCKETPAIR, answer: allow, tests: []test{
			{word: low(0), jump: unix.BPF_JEQ, value: unix.AF_UNIX, not: true, answer: refuse},
			// SOCK_DGRAM is 2, and SOCK_RAW, which is 3, the same for Unix
			// sockets.
			{word: low(1), jump: unix.BPF_JSET, value: unix.SOCK_DGRAM, answer: refuse},
		}},
	)
}

// cloneRules allow threads, and processes unless p does not, but no namespaces
// with Syscalls.
func (p *Policy) cloneRules() []callRule {
	const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	refuse := fail(unix.EPERM)
	clone := callRule{number: unix.SYS_CLONE, answer: allow}
	if p.Syscalls {
		clone.tests = append(clone.tests, test{word: low(0), jump: unix.BPF_JSET, value: namespaces, answer: refuse})
	}
	rules := each(fail(unix.ENOSYS), unix.SYS_CLONE3)
	if p.NoProcesses {
		clone.tests = append(clone.tests, test{word: low(0), jump: unix.BPF_JSET, value: unix.CLONE_THREAD, not: true, answer: refuse})
		rules = append(rules, each(refuse, forkCalls...)...)
	}
	return append(rules, clone)
}

// systemCalls are refused whatever their arguments. It is a function because most programs
// that import this package confine nothing, and would make the list at each start.
func systemCalls() []uintptr { return append(commonSystemCalls[:], archSystemCalls...) }

var commonSystemCalls = [...]uintptr{
	// Other processes.
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
	unix.SYS_PROCESS_MRELEASE, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
	// The file system's tree and namespaces.
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR,
	unix.SYS_MOVE_MOUNT, unix.SYS_MOUNT_SETATTR, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK,
	unix.SYS_SETNS, unix.SYS_UNSHARE,
	// Files without their paths, and everybody's files.
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT, unix.SYS_FANOTIFY_MARK,
	unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_ACCT, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_NFSSERVCTL,
	// Code and secrets in the kernel.
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_SYSLOG,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	// The machine.
	unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_VHANGUP,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_PERSONALITY,
}

// A mknodCall makes a file whose type is in the argument mode.
type mknodCall struct {
	number uintptr
	mode   int
}

func systemRules() []callRule {
	refuse := fail(unix.EPERM)
	rules := each(refuse, systemCalls()...)
	for _, mknod := range mknodCalls {
		// Of the types, S_IFCHR and S_IFBLK have this bit, and not S_IFIFO,
		// S_IFREG and S_IFSOCK.
		rules = append(rules, callRule{number: mknod.number, answer: allow, tests: []test{
			{word: low(mknod.mode), jump: unix.BPF_JSET, value: unix.S_IFCHR, answer: refuse},
		}})
	}
	return append(rules, callRule{number: unix.SYS_IOCTL, answer: allow, tests: []test{
		{word: low(1), jump: unix.BPF_JEQ, value: unix.TIOCSTI, answer: refuse},
		{word: low(1), jump: unix.BPF_JEQ, value: unix.TIOCLINUX, answer: refuse},
	}})
}
