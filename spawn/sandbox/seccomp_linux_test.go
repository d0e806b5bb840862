//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unsafe"

	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

// A call is what a filter sees, struct seccomp_data.
type call struct {
	number uint32
	arch   uint32
	_      uint64 // instruction pointer
	args   [6]uint64
}

func native(number uintptr, args ...uint64) call {
	c := call{number: uint32(number), arch: nativeArch}
	copy(c.args[:], args)
	return c
}

// run answers as the kernel would.
func run(t *testing.T, program []unix.SockFilter, c call) uint32 {
	t.Helper()
	words := (*[unsafe.Sizeof(c) / 4]uint32)(unsafe.Pointer(&c))
	var a uint32
	for pc := 0; ; pc++ {
		i := program[pc]
		var holds bool
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = words[i.K/4]
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			holds = a == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			holds = a >= i.K
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			holds = a&i.K != 0
		default:
			t.Fatalf("instruction %d is unknown: %+v", pc, i)
		}
		if holds {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
}

func TestFilter(t *testing.T) {
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	eperm, eacces, enosys := fail(unix.EPERM), fail(unix.EACCES), fail(unix.ENOSYS)
	network, processes, system := Policy{NoNetwork: true}, Policy{NoProcesses: true}, Policy{Syscalls: true}
	type testCase struct {
		name   string
		policy *Policy
		call   call
		want   uint32
	}
	cases := []testCase{
		{"foreign architecture", &network, call{number: unix.SYS_READ, arch: unix.AUDIT_ARCH_I386}, kill},
		{"read", strict(), native(unix.SYS_READ), allow},
		{"accept", &network, native(unix.SYS_ACCEPT4), allow},
		{"TCP", &network, native(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM), eacces},
		{"Unix socket", &network, native(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM), eacces},
		{"connect", &network, native(unix.SYS_CONNECT), eacces},
		{"bind", &network, native(unix.SYS_BIND), eacces},
		{"listen", &network, native(unix.SYS_LISTEN), eacces},
		{"Unix pair", &network, native(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK), allow},
		{"pair with high bits", &network, native(unix.SYS_SOCKETPAIR, 1<<32|unix.AF_UNIX, unix.SOCK_STREAM), allow},
		{"other pair", &network, native(unix.SYS_SOCKETPAIR, unix.AF_TIPC, unix.SOCK_STREAM), eacces},
		{"datagram pair", &network, native(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC), eacces},
		{"raw pair", &network, native(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_RAW), eacces},
		{"packet pair", &network, native(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_SEQPACKET), allow},
		{"processes are no sockets", &processes, native(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM), allow},
		{"sockets are no processes", &network, native(unix.SYS_CLONE, uint64(unix.SIGCHLD)), allow},
		{"clone3 with sockets", &network, native(unix.SYS_CLONE3), allow},
		{"thread", strict(), native(unix.SYS_CLONE, thread), allow},
		{"process", &processes, native(unix.SYS_CLONE, uint64(unix.SIGCHLD)), eperm},
		{"vfork", &processes, native(unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_VFORK|uint64(unix.SIGCHLD)), eperm},
		{"clone3", &processes, native(unix.SYS_CLONE3), enosys},
		{"exec", &processes, native(unix.SYS_EXECVE, 1, 2, 3), eperm},
		{"execveat", &processes, native(unix.SYS_EXECVEAT, 1, 2, 3), eperm},
		{"process with system calls", &system, native(unix.SYS_CLONE, uint64(unix.SIGCHLD)), allow},
		{"exec with system calls", &system, native(unix.SYS_EXECVE, 1, 2, 3), allow},
		{"namespace", &system, native(unix.SYS_CLONE, unix.CLONE_NEWUSER|uint64(unix.SIGCHLD)), eperm},
		{"namespace and thread", strict(), native(unix.SYS_CLONE, unix.CLONE_NEWNET|thread), eperm},
		{"terminal", &system, native(unix.SYS_IOCTL, 0, unix.TIOCSTI), eperm},
		{"terminal with high bits", &system, native(unix.SYS_IOCTL, 0, 1<<32|unix.TIOCSTI), eperm},
		{"console", &system, native(unix.SYS_IOCTL, 0, unix.TIOCLINUX), eperm},
		{"window size", &system, native(unix.SYS_IOCTL, 0, unix.TIOCGWINSZ), allow},
		{"io_uring", &network, native(unix.SYS_IO_URING_SETUP), enosys},
		{"io_uring with processes", &processes, native(unix.SYS_IO_URING_ENTER), enosys},
		{"io_uring with system calls", &system, native(unix.SYS_IO_URING_REGISTER), enosys},
	}
	for _, number := range forkCalls {
		cases = append(cases, testCase{"fork", &processes, native(number), eperm}, testCase{"fork", &network, native(number), allow})
	}
	for _, number := range systemCalls() {
		cases = append(cases, testCase{"system call", &system, native(number), eperm}, testCase{"system call", &network, native(number), allow})
	}
	for _, mknod := range mknodCalls {
		for kind, want := range map[uint64]uint32{
			unix.S_IFCHR: eperm, unix.S_IFBLK: eperm, unix.S_IFIFO: allow, unix.S_IFREG: allow, unix.S_IFSOCK: allow, 0: allow,
		} {
			c := native(mknod.number)
			c.args[mknod.mode] = kind | 0o777
			cases = append(cases, testCase{"mknod", &system, c, want})
		}
	}
	if first := uintptr(foreignNumbers); first != 0 {
		cases = append(cases, testCase{"last number", strict(), native(first - 1), allow},
			testCase{"first foreign number", strict(), native(first), kill})
	}
	for _, c := range cases {
		if got := run(t, c.policy.filter(), c.call); got != c.want {
			t.Errorf("%s %+v: got %#x, want %#x", c.name, c.call, got, c.want)
		}
	}
}

// TestFilterRules: a second rule for a call would never be asked, and a rule of
// more than 255 instructions cannot be jumped over.
func TestFilterRules(t *testing.T) {
	p := strict()
	rules := append(p.outsideRules(), p.insideRules()...)
	seen := map[uintptr]bool{}
	for _, r := range rules {
		if seen[r.number] {
			t.Errorf("system call %d has two rules", r.number)
		}
		seen[r.number] = true
		if n := 3*len(r.tests) + 1; n > 255 {
			t.Errorf("the rule of system call %d has %d instructions", r.number, n)
		}
	}
	if n := len(p.filter()); n > 4096 { // BPF_MAXINSNS
		t.Errorf("the filter has %d instructions", n)
	}
}

func init() { roles["calls"] = callAll }

// callAll makes all refused system calls, if one shows that they are refused.
func callAll() {
	if err := unix.Unshare(0); err != unix.EPERM {
		fmt.Println("unshare:", err)
		return
	}
	answers := map[string]int{}
	for _, number := range systemCalls() {
		answers[result(raw(number))]++
	}
	for _, answer := range slices.Sorted(maps.Keys(answers)) {
		fmt.Println(answer, answers[answer])
	}
}

func TestAllSystemCalls(t *testing.T) {
	eachUser(t, func(t *testing.T, u user) {
		requireKernel(t, &Policy{Syscalls: true})
		if got, want := output(t, u.confined(t, &Policy{}, "calls")), "unshare: <nil>\n"; got != want {
			t.Errorf("without a policy: got %q, want %q", got, want)
		}
		if got, want := output(t, u.confined(t, &Policy{Syscalls: true}, "calls")), fmt.Sprintf("EPERM %d\n", len(systemCalls())); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestForeignNumber makes a system call by its number of the x32 ABI.
func TestForeignNumber(t *testing.T) {
	spawntest.Check(t)
	if foreignNumbers == 0 {
		t.Skip("this architecture has no foreign numbers; run on amd64")
	}
	p := &Policy{Syscalls: true}
	requireKernel(t, p)
	var u user
	out := output(t, u.confined(t, &Policy{}, "foreign number")) // whatever it says, it lives
	cmd := u.confined(t, p, "foreign number")
	if err := cmd.Run(); fmt.Sprint(err) != "signal: bad system call" && fmt.Sprint(err) != "signal: bad system call (core dumped)" {
		t.Errorf("got %v; without a policy %q", err, out)
	}
}

// TestForeignProgram executes a program that exits by a 32-bit system call.
func TestForeignProgram(t *testing.T) {
	spawntest.Check(t)
	if nativeArch != unix.AUDIT_ARCH_X86_64 {
		t.Skip("the program is one for x86; run on amd64")
	}
	p := &Policy{NoNetwork: true}
	requireKernel(t, p)
	var u user
	program := filepath.Join(t.TempDir(), "exit")
	if err := os.WriteFile(program, elf386, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := output(t, u.confined(t, &Policy{}, "foreign program", program)); got != "exit status 7\n" {
		t.Skipf("run on a kernel with IA32 emulation: a 32-bit program ends with %q", got)
	}
	got := output(t, u.confined(t, p, "foreign program", program))
	if got != "signal: bad system call\n" && got != "signal: bad system call (core dumped)\n" {
		t.Errorf("got %q", got)
	}
}

// elf386 is an executable of 32-bit x86 that does exit(7).
var elf386 = []byte{
	// Header: 32 bits, little-endian, executable, 386, entry 0x8048054, one
	// program header at 52.
	0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	// Load the whole file, 96 bytes, readable and executable, at 0x8048000.
	1, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x80, 0x04, 0x08, 0x00, 0x80, 0x04, 0x08,
	96, 0, 0, 0, 96, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
	// mov eax, 1; mov ebx, 7; int 0x80
	0xb8, 1, 0, 0, 0, 0xbb, 7, 0, 0, 0, 0xcd, 0x80,
}
