package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What attempts need to know, in the environment.
const (
	baseVariable     = "SANDBOX_TEST_BASE"     // the playground
	portVariable     = "SANDBOX_TEST_PORT"     // of a TCP listener
	abstractVariable = "SANDBOX_TEST_ABSTRACT" // name of a listening Unix socket; another is out/socket
	pidVariable      = "SANDBOX_TEST_PID"      // of another process of this user
	inheritedFd      = 3                       // out/file, open for reading
	inheritedSocket  = 4                       // of TCP, not connected
)

// attempts are what a process may be kept from. Each is made on several threads
// at once; id differs among them.
var attempts = map[string]func(id string) error{
	"read in":          func(string) error { return open(at("in/file"), unix.O_RDONLY) },
	"read work":        func(string) error { return open(at("work/file"), unix.O_RDONLY) },
	"read out":         func(string) error { return open(at("out/file"), unix.O_RDONLY) },
	"read /etc/passwd": func(string) error { return open("/etc/passwd", unix.O_RDONLY) },
	"read /proc/self":  func(string) error { return open("/proc/self/status", unix.O_RDONLY) },
	"list in":          func(string) error { return open(at("in"), unix.O_RDONLY|unix.O_DIRECTORY) },
	"list out":         func(string) error { return open(at("out"), unix.O_RDONLY|unix.O_DIRECTORY) },
	"write in":         func(string) error { return open(at("in/file"), unix.O_WRONLY) },
	"write work":       func(string) error { return open(at("work/file"), unix.O_WRONLY) },
	"write out":        func(string) error { return open(at("out/file"), unix.O_WRONLY) },
	"write /dev/null":  func(string) error { return open("/dev/null", unix.O_RDWR|unix.O_TRUNC) },
	"create in":        func(id string) error { return create(at("in/new" + id)) },
	"create work":      func(id string) error { return create(at("work/new" + id)) },
	"create out":       func(id string) error { return create(at("out/new" + id)) },
	"mkdir work":       func(id string) error { return made(at("work/dir"+id), unix.Mkdir(at("work/dir"+id), 0o700)) },
	"mkdir out":        func(id string) error { return made(at("out/dir"+id), unix.Mkdir(at("out/dir"+id), 0o700)) },
	"symlink out":      func(id string) error { return made(at("out/sym"+id), unix.Symlink("file", at("out/sym"+id))) },
	"fifo work":        func(id string) error { return made(at("work/fifo"+id), unix.Mkfifo(at("work/fifo"+id), 0o600)) },
	"fifo out":         func(id string) error { return made(at("out/fifo"+id), unix.Mkfifo(at("out/fifo"+id), 0o600)) },
	"device work": func(id string) error {
		return made(at("work/dev"+id), unix.Mknod(at("work/dev"+id), unix.S_IFCHR, 0x103))
	},
	"link work to sub": func(id string) error {
		return made(at("work/sub/l"+id), unix.Link(at("work/file"), at("work/sub/l"+id)))
	},
	"link out to work":  func(id string) error { return made(at("work/l"+id), unix.Link(at("out/file"), at("work/l"+id))) },
	"rename in work":    func(id string) error { return rename("work/sub", "work", id) },
	"rename in out":     func(id string) error { return rename("out/sub", "out", id) },
	"remove out":        func(string) error { return unix.Rmdir(at("out")) },
	"truncate in":       func(string) error { return unix.Truncate(at("in/file"), 2) },
	"truncate work":     func(string) error { return unix.Truncate(at("work/file"), 4) },
	"open to truncate":  func(string) error { return open(at("in/file"), unix.O_RDONLY|unix.O_TRUNC) },
	"chmod out":         func(string) error { return unix.Chmod(at("out/file"), 0o777) },
	"stat out":          func(string) error { return unix.Stat(at("out/file"), new(unix.Stat_t)) },
	"inherited file":    func(string) error { _, err := unix.Pread(inheritedFd, make([]byte, 1), 0); return err },
	"inherited listen":  func(string) error { return unix.Listen(inheritedSocket, 1) },
	"inherited connect": func(string) error { return raw(unix.SYS_CONNECT, inheritedSocket) },
	"inherited bind":    func(string) error { return raw(unix.SYS_BIND, inheritedSocket) },
	"execute in":        func(string) error { return execute(at("in/program")) },
	"execute work":      func(string) error { return execute(at("work/program")) },
	"execute out":       func(string) error { return execute(at("out/program")) },
	"execute itself":    func(string) error { return execute(selfExe) },
	"exec of nothing":   func(string) error { return syscall.Exec("/nonexistent", []string{""}, nil) },
	"execveat":          func(string) error { return raw(unix.SYS_EXECVEAT, minus(1), pointer("x"), 0, 0, 0) },
	"clone3":            func(string) error { return raw(unix.SYS_CLONE3) },
	"TCP connect": func(string) error {
		return connect(unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Port: number(portVariable), Addr: [4]byte{127, 0, 0, 1}})
	},
	"TCP listen": func(string) error {
		return bind(unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	},
	"UDP": func(string) error {
		return bind(unix.AF_INET, unix.SOCK_DGRAM, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	},
	"netlink": func(string) error { return bind(unix.AF_NETLINK, unix.SOCK_RAW, &unix.SockaddrNetlink{}) },
	"Unix socket": func(string) error {
		return connect(unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: at("out/socket")})
	},
	"abstract socket": func(string) error {
		return connect(unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: os.Getenv(abstractVariable)})
	},
	"stream pair":       func(string) error { return pair(unix.SOCK_STREAM | unix.SOCK_CLOEXEC) },
	"packet pair":       func(string) error { return pair(unix.SOCK_SEQPACKET | unix.SOCK_NONBLOCK) },
	"datagram pair":     func(string) error { return pair(unix.SOCK_DGRAM | unix.SOCK_CLOEXEC) },
	"signal":            func(string) error { return unix.Kill(number(pidVariable), 0) },
	"signal itself":     func(string) error { return unix.Kill(os.Getpid(), 0) },
	"no new privileges": func(string) error { return set(unix.PR_GET_NO_NEW_PRIVS) },
	"ptrace":            func(string) error { return raw(unix.SYS_PTRACE, unix.PTRACE_CONT, uintptr(number(pidVariable))) },
	"reach into memory": func(string) error { return readMemory(number(pidVariable)) },
	"mount":             func(string) error { return raw(unix.SYS_MOUNT) },
	"chroot":            func(string) error { return unix.Chroot("/nonexistent") },
	"unshare":           func(string) error { return unix.Unshare(0) },
	"setns":             func(string) error { return unix.Setns(-1, 0) },
	"personality":       func(string) error { return raw(unix.SYS_PERSONALITY, 0xffffffff) },
	"key":               func(string) error { return raw(unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, minus(2)) },
	"handle":            func(string) error { return raw(unix.SYS_NAME_TO_HANDLE_AT) },
	"clock":             func(string) error { return raw(unix.SYS_SETTIMEOFDAY, 1) },
	"io_uring":          func(string) error { return raw(unix.SYS_IO_URING_ENTER, minus(1)) },
	"type in terminal":  func(string) error { return ioctlNull(unix.TIOCSTI) },
}

// free says what becomes of them without a Policy: the control of all others.
var free = map[string]string{
	"chroot": "ENOENT", "clock": "EFAULT", "clone3": "EINVAL", "exec of nothing": "ENOENT",
	"execveat": "EBADF", "handle": "EFAULT", "inherited bind": "EINVAL", "inherited connect": "EINVAL",
	"io_uring": "EBADF", "key": "ENOKEY", "mount": "EFAULT", "no new privileges": "no",
	"ptrace": "ESRCH", "reach into memory": "EFAULT", "remove out": "ENOTEMPTY", "setns": "EBADF",
	"type in terminal": "ENOTTY",
}

// freeFor returns a line for each attempt, with changes from what free says.
func freeFor(u user, changes ...map[string]string) string {
	want := map[string]string{}
	for name := range attempts {
		want[name] = "ok"
	}
	maps.Copy(want, free)
	if !u.root() {
		want["device work"] = "EPERM"
		if scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && scope[0] != '0' {
			want["reach into memory"] = "EPERM" // by Yama, whatever the Policy
		}
	}
	for _, change := range changes {
		maps.Copy(want, change)
	}
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(want)) {
		fmt.Fprintf(&lines, "%s: %s\n", name, want[name])
	}
	return lines.String()
}

// tryUnder returns the results of all attempts under p.
func tryUnder(t *testing.T, u user, base string, p *Policy) string {
	t.Helper()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	path, err := net.Listen("unix", filepath.Join(base, "out/socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer path.Close()
	if err := os.Chmod(filepath.Join(base, "out/socket"), 0o777); err != nil {
		t.Fatal(err)
	}
	abstractName := "@" + base
	abstract, err := net.Listen("unix", abstractName)
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	file, err := os.Open(filepath.Join(base, "out/file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(fd), "socket")
	defer socket.Close()
	other := u.confined(t, &Policy{}, "wait")
	release, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		release.Close()
		other.Wait()
	}()

	cmd := u.confined(t, p, "try")
	cmd.ExtraFiles = []*os.File{file, socket}
	cmd.Env = append(cmd.Env, baseVariable+"="+base, abstractVariable+"="+abstractName,
		portVariable+"="+strconv.Itoa(tcp.Addr().(*net.TCPAddr).Port), pidVariable+"="+strconv.Itoa(other.Process.Pid))
	return output(t, cmd)
}

// try is the second life of a confined process: it makes all attempts, on three
// threads at once, and prints the results, which must be the same.
func try() {
	results := make([]map[string]string, 3)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			lockForEver()
			results[i] = map[string]string{}
			for name, attempt := range attempts {
				results[i][name] = result(attempt(strconv.Itoa(i)))
			}
		})
	}
	wg.Wait()
	for _, name := range slices.Sorted(maps.Keys(attempts)) {
		line := []string{results[0][name]}
		for _, other := range results[1:] {
			if other[name] != line[0] {
				line = append(line, other[name])
			}
		}
		fmt.Printf("%s: %s\n", name, strings.Join(line, ", but "))
	}
}

// lockForEver makes the calling goroutine's thread end with it.
func lockForEver() { runtime.LockOSThread() }

func result(err error) string {
	if err == nil {
		return "ok"
	}
	for unwrapped := err; unwrapped != nil; {
		if errno, ok := unwrapped.(unix.Errno); ok {
			return unix.ErrnoName(errno)
		}
		wrapper, ok := unwrapped.(interface{ Unwrap() error })
		if !ok {
			break
		}
		unwrapped = wrapper.Unwrap()
	}
	return err.Error()
}

func at(path string) string { return filepath.Join(os.Getenv(baseVariable), path) }

func number(variable string) int {
	n, err := strconv.Atoi(os.Getenv(variable))
	must(err)
	return n
}

func open(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func create(path string) error {
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	unix.Close(fd)
	return unix.Unlink(path)
}

// made removes what an attempt has made.
func made(path string, err error) error {
	if err == nil {
		err = os.Remove(path)
	}
	return err
}

// rename makes a directory and moves it to another one.
func rename(from, to, id string) error {
	source, target := at(filepath.Join(from, "r"+id)), at(filepath.Join(to, "r"+id))
	if err := unix.Mkdir(source, 0o700); err != nil {
		return err
	}
	if err := unix.Rename(source, target); err != nil {
		return errors.Join(err, os.Remove(source))
	}
	return os.Remove(target)
}

func execute(path string) error {
	p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{Env: []string{roleVariable + "=exit", "GORACE=atexit_sleep_ms=0"}})
	if err != nil {
		return err
	}
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = fmt.Errorf("%v", state)
	}
	return err
}

func connect(family, kind int, address unix.Sockaddr) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, address)
}

func bind(family, kind int, address unix.Sockaddr) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, address); err != nil || kind != unix.SOCK_STREAM {
		return err
	}
	return unix.Listen(fd, 1)
}

func pair(kind int) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
	if err == nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
	}
	return err
}

func ioctlNull(request uint) error {
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return raw(unix.SYS_IOCTL, uintptr(fd), uintptr(request), 0)
}

// readMemory reads where another process has none.
func readMemory(pid int) error {
	b := make([]byte, 1)
	local, remote := unix.Iovec{Base: &b[0]}, unix.RemoteIovec{Base: 1, Len: 1}
	local.SetLen(1)
	_, err := unix.ProcessVMReadv(pid, []unix.Iovec{local}, []unix.RemoteIovec{remote}, 0)
	return err
}

// set is an error if an attribute of the thread is not set.
func set(attribute int) error {
	value, err := unix.PrctlRetInt(attribute, 0, 0, 0, 0)
	if err == nil && value == 0 {
		err = fmt.Errorf("no")
	}
	return err
}

func raw(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

func minus(n int) uintptr { return uintptr(-n) }

// pointer returns the address of a string that stays where it is.
func pointer(s string) uintptr {
	b := append([]byte(s), 0)
	keep.Store(&b[0], b)
	return uintptr(unsafe.Pointer(&b[0]))
}

var keep sync.Map
