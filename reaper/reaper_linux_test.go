package reaper_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/progeny-go/progeny/reaper"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

func init() {
	roles["crash"] = crashRole
	roles["trace"] = traceRole
	roles["ignore"] = ignoreRole
	roles["full"] = fullRole
}

// crashRole dies of SIGABRT in the folder and with the core limit of its arguments.
func crashRole(args []string) {
	limit := uint64(number(args[1]))
	must(os.Chdir(args[0]))
	must(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: limit, Max: limit}))
	debug.SetTraceback("crash")
	panic("as a test asked for")
}

func TestCore(t *testing.T) {
	spawntest.Check(t)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, limit := range []string{"0", "1073741824"} {
		dir := t.TempDir()
		got := <-watch(t, start(t, []*os.File{null, null, null}, "crash", dir, limit))
		if got.Code != -1 || got.Signal != syscall.SIGABRT {
			t.Errorf("got %+v, want signal: aborted", got)
		}
		if limit == "0" {
			if got.Core {
				t.Error("got Core with a core limit of 0")
			}
			continue
		}
		pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
		if err != nil || bytes.ContainsAny(pattern, "|/") {
			t.Skipf("cores go elsewhere: %q, %v", pattern, err)
		}
		cores, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		if want := len(cores) > 0; got.Core != want {
			t.Errorf("got Core %t, want %t: %s has %q", got.Core, want, dir, cores)
		}
	}
}

// awaitZombie returns when p has ended. Its status stays to be taken.
func awaitZombie(t testing.TB, p *os.Process) {
	t.Helper()
	await(t, p, unix.WEXITED)
}

// await returns when p's state has changed as options say.
func await(t testing.TB, p *os.Process, options int) {
	t.Helper()
	err := unix.EINTR
	for err == unix.EINTR {
		err, _ = unix.Waitid(unix.P_PID, p.Pid, nil, options|unix.WNOWAIT, nil).(syscall.Errno)
	}
	if err != 0 {
		t.Fatalf("waitid process %d: %v", p.Pid, err)
	}
}

func TestDeadBeforeWatch(t *testing.T) {
	spawntest.Check(t)
	p := start(t, nil, "exit", "8")
	awaitZombie(t, p)
	if got := <-watch(t, p); !got.Known || got.Code != 8 {
		t.Errorf("got %+v, want exit status 8", got)
	}
}

// processWithoutHandle is p as os would have made it on a kernel without pidfds.
func processWithoutHandle(p *os.Process) *os.Process {
	return &os.Process{Pid: p.Pid}
}

func TestStolenStatus(t *testing.T) {
	spawntest.Check(t)
	tests := []struct {
		name   string
		handle func(*os.Process) *os.Process
	}{
		{"handle", func(p *os.Process) *os.Process { return p }},
		{"no handle", processWithoutHandle},
	}
	for _, test := range tests {
		p := start(t, nil, "exit", "8")
		if _, err := syscall.Wait4(p.Pid, nil, 0, nil); err != nil {
			t.Fatal(err)
		}
		got := <-watch(t, test.handle(p))
		if got.Known || !errors.Is(got.Err, syscall.ECHILD) || got.Pid != p.Pid || got.Time.IsZero() {
			t.Errorf("%s: got %+v, want ECHILD", test.name, got)
		}
		p.Release()
	}
}

// Where os.Process has no pidfd, the reaper has its own.
func TestNoHandle(t *testing.T) {
	spawntest.Check(t)
	settle(t)
	p, release := startOne(t, 9)
	before := descriptors(t)
	exits := watch(t, processWithoutHandle(p))
	if got, want := descriptors(t), before+1; got != want {
		t.Errorf("%d descriptors while watching, want %d", got, want)
	}
	release()
	if got := <-exits; !got.Known || got.Code != 9 {
		t.Errorf("got %+v, want exit status 9", got)
	}
	p.Release()
}

// Where there is no pidfd to be had at all, a goroutine waits.
func TestNoPidfd(t *testing.T) {
	spawntest.Check(t)
	settle(t)
	p, release := startOne(t, 9)
	restore := forbidDescriptors()
	exits := watch(t, processWithoutHandle(p)) // pidfd_open: EMFILE
	restore()
	release()
	if got := <-exits; !got.Known || got.Code != 9 {
		t.Errorf("got %+v, want exit status 9", got)
	}
	p.Release()
}

// forbidDescriptors makes opening anything fail with EMFILE until restore.
func forbidDescriptors() (restore func()) {
	var old unix.Rlimit
	must(unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max}))
	return func() { must(unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) }
}

// before is called before notify, while the process still has its pid, and not
// at all if the status was stolen.
func TestWatchBefore(t *testing.T) {
	spawntest.Check(t)
	settle(t)
	tests := []struct {
		name    string
		process func(*os.Process) *os.Process
		forbid  func() (restore func())
	}{
		{"pidfd of the process", func(p *os.Process) *os.Process { return p }, func() func() { return func() {} }},
		{"pidfd of the reaper", processWithoutHandle, func() func() { return func() {} }},
		{"no pidfd", processWithoutHandle, forbidDescriptors},
	}
	for _, test := range tests {
		for _, stolen := range []bool{false, true} {
			p, release := startOne(t, 3)
			if stolen {
				p.Kill()
				if _, err := syscall.Wait4(p.Pid, nil, 0, nil); err != nil {
					t.Fatal(err)
				}
			}
			var got []error
			exits := make(chan reaper.Exit, 1)
			restore := test.forbid()
			err := reaper.WatchBefore(test.process(p),
				func() { got = append(got, syscall.Kill(p.Pid, 0)) },
				func(e reaper.Exit) { exits <- e })
			restore()
			if err != nil {
				t.Fatal(err)
			}
			release()
			if e := <-exits; e.Known == stolen {
				t.Errorf("%s, stolen %t: got %+v", test.name, stolen, e)
			}
			want := []error{nil}
			if stolen {
				want = nil
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, stolen %t: kill(pid, 0) in before: got %v, want %v", test.name, stolen, got, want)
			}
			p.Release()
		}
	}
}

func TestStoppedIsNoExit(t *testing.T) {
	spawntest.Check(t)
	p, release := startOne(t, 4)
	defer release()
	exits := watch(t, p)
	for range 3 {
		p.Signal(syscall.SIGSTOP)
		await(t, p, unix.WSTOPPED)
		if got := <-watch(t, start(t, nil, "exit", "1")); got.Code != 1 {
			t.Errorf("another: got %v, want exit status 1", got)
		}
		p.Signal(syscall.SIGCONT)
		await(t, p, unix.WCONTINUED)
	}
	select {
	case got := <-exits:
		t.Fatalf("got %v from a process that was stopped and continued", got)
	default:
	}
	p.Signal(syscall.SIGSTOP)
	await(t, p, unix.WSTOPPED)
	p.Kill()
	if got := <-exits; got.Signal != syscall.SIGKILL {
		t.Errorf("got %v, want signal: killed", got)
	}
}

// Two hundred watched children cost neither goroutines nor threads nor descriptors.
func TestFlat(t *testing.T) {
	spawntest.Check(t)
	settle(t)
	c := startCrowd(t, 200, 0)
	goroutines, threads, fds := runtime.NumGoroutine(), threadCount(t), descriptors(t)
	var all []<-chan reaper.Exit
	for _, p := range c.processes {
		all = append(all, watch(t, p))
	}
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines, %d before Watch", got, goroutines)
	}
	// The runtime may start a thread or two for reasons of its own.
	if got := threadCount(t); got > threads+4 {
		t.Errorf("%d threads, %d before Watch", got, threads)
	}
	if got := descriptors(t); got != fds {
		t.Errorf("%d descriptors, %d before Watch", got, fds)
	}
	c.release()
	for _, exits := range all {
		if got := <-exits; !got.Known || got.Code != 0 {
			t.Errorf("got %v, want exit status 0", got)
		}
	}
	if got := threadCount(t); got > threads+4 {
		t.Errorf("%d threads after the exits, %d before Watch", got, threads)
	}
}

// threadCount returns the number of threads of this process.
func threadCount(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// traceRole attaches to the process in its argument as a debugger does, says
// so, and thinks until its stdin ends.
func traceRole(args []string) {
	runtime.LockOSThread() // it is the thread that traces
	if err := unix.PtraceSeize(number(args[0])); err != nil {
		os.Stdout.WriteString("-")
		os.Exit(1)
	}
	os.Stdout.WriteString("r")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// A debugger that withholds the status of one process delays no other's exit.
func TestDebugger(t *testing.T) {
	spawntest.Check(t)
	traced, release := startOne(t, 0)
	defer release()
	stdin, think := pipe(t)
	answer, stdout := pipe(t)
	debugger := start(t, []*os.File{stdin, stdout}, "trace", fmt.Sprint(traced.Pid))
	stdin.Close()
	stdout.Close()
	said := make([]byte, 1)
	if _, err := io.ReadFull(answer, said); err != nil {
		t.Fatal(err)
	}
	answer.Close()
	debuggerExit := watch(t, debugger)
	exits := watch(t, traced)
	traced.Kill()
	if said[0] == 'r' {
		for range 3 {
			if got := <-watch(t, start(t, nil, "exit", "1")); got.Code != 1 {
				t.Errorf("another: got %v, want exit status 1", got)
			}
		}
		select {
		case got := <-exits:
			t.Errorf("got %v while the debugger had the process", got)
		default:
		}
	}
	think.Close()
	<-debuggerExit
	if got := <-exits; got.Signal != syscall.SIGKILL {
		t.Errorf("got %+v, want signal: killed", got)
	}
	if said[0] != 'r' {
		t.Skip("this system allows no ptrace")
	}
}

// ignoreRole is a host that ignores SIGCHLD, so that the kernel keeps no status.
func ignoreRole([]string) {
	signal.Ignore(syscall.SIGCHLD)
	printExit()
}

// printExit prints how a child of its own ended that exits with status 5.
func printExit() {
	executable, err := os.Executable()
	must(err)
	must(os.Setenv(roleEnv, "exit"))
	p, err := os.StartProcess(executable, []string{"exit", "5"}, &os.ProcAttr{})
	must(err)
	exits := make(chan reaper.Exit)
	must(reaper.Watch(p, func(e reaper.Exit) { exits <- e }))
	fmt.Println(<-exits)
	os.Exit(0)
}

func TestIgnoredSIGCHLD(t *testing.T) {
	spawntest.Check(t)
	want := "exit status unknown: waitid: no child processes\n"
	if got := output(t, "ignore"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// fullRole has no descriptor left for its first Watch, and then has.
func fullRole([]string) {
	restore := forbidDescriptors()
	err := reaper.Watch(&os.Process{Pid: os.Getpid()}, nil)
	fmt.Println(strings.Replace(err.Error(), fmt.Sprint(os.Getpid()), "PID", 1), errors.Is(err, syscall.EMFILE))
	restore()
	printExit()
}

func TestFirstWatchWithoutDescriptors(t *testing.T) {
	spawntest.Check(t)
	want := "watch process PID: epoll_create1: too many open files true\nexit status 5\n"
	if got := output(t, "full"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// output returns what a child in a role printed before it exited with status 0.
func output(t testing.TB, role string) string {
	t.Helper()
	r, w := pipe(t)
	exits := watch(t, start(t, []*os.File{nil, w}, role))
	w.Close()
	printed, err := io.ReadAll(r)
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	if got := <-exits; !got.Known || got.Code != 0 {
		t.Errorf("role %s: %+v", role, got)
	}
	return string(printed)
}

// must ends a child that cannot play its role.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
