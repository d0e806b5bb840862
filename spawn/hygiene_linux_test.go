package spawn

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

// childReport is what a child says of itself.
func childReport(t *testing.T, cmd Command) string {
	t.Helper()
	p := greeted(t, "report", cmd)
	return readReport(t, p.Outbox)
}

// ownFds are the descriptors that every child has. The runtime's crash output
// is elsewhere: it is a duplicate.
var ownFds = []string{
	"0 /dev/null nonblock=false cloexec=false",
	"1 pipe nonblock=false cloexec=false",
	"2 pipe nonblock=false cloexec=false",
	"3 pipe nonblock=true cloexec=true",
	"4 pipe nonblock=true cloexec=true",
}

// wantFds leaves out what the Go runtime opens for itself.
func wantFds(t *testing.T, report string, want ...string) {
	t.Helper()
	var got []string
	for _, fd := range reported(report, "fd") {
		if !strings.HasSuffix(fd, "cloexec=true") || !isRuntimeFd(fd) {
			got = append(got, fd)
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func isRuntimeFd(fd string) bool {
	for _, part := range []string{" anon_inode", " /sys/fs/cgroup/", " /memfd:progeny-crash "} {
		if strings.Contains(fd, part) {
			return true
		}
	}
	return false
}

// Whatever the host holds open without close-on-exec does not get through, and
// parent and child both read without blocking a thread.
func TestDescriptors(t *testing.T) {
	spawntest.Check(t)
	var p *Process
	for _, low := range []int{0, 0, 20, 63, 64, 500} { // above and among the child's own numbers
		fd, err := unix.FcntlInt(0, unix.F_DUPFD, low)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		p = greeted(t, "report", Command{})
		wantFds(t, readReport(t, p.Outbox), ownFds...)
	}
	for _, f := range []*os.File{p.Inbox, p.Outbox, p.Stdout, p.Stderr} {
		if !nonblocking(t, f) {
			t.Errorf("%s is blocking in the parent", f.Name())
		}
	}
}

func nonblocking(t *testing.T, f *os.File) bool {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var flags int
	conn.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return flags&unix.O_NONBLOCK != 0
}

func TestDescriptorsOfHundredthChild(t *testing.T) {
	spawntest.Check(t)
	var first, last []string
	for i := range 100 {
		fds := reported(childReport(t, Command{}), "fd")
		if i == 0 {
			first = fds
		}
		last = fds
	}
	if f, l := strings.Join(first, "\n"), strings.Join(last, "\n"); f != l {
		t.Errorf("first\n%s\nlast\n%s", f, l)
	}
}

// Without /proc the child looks at every number.
func TestScanUnclaimed(t *testing.T) {
	spawntest.Check(t)
	leaky, err := unix.FcntlInt(0, unix.F_DUPFD, 300)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 300)
	if err != nil {
		t.Fatal(err)
	}
	scanUnclaimed()
	if _, err := unix.FcntlInt(uintptr(leaky), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("fd %d: got %v, want EBADF", leaky, err)
	}
	if err := unix.Close(kept); err != nil {
		t.Errorf("fd %d: %v", kept, err)
	}
}

// Declared files arrive in order, and the caller's stay as they were.
func TestFiles(t *testing.T) {
	spawntest.Check(t)
	var cmd Command
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "%d,", i)
		w.Close()
		defer r.Close()
		cmd.Files = append(cmd.Files, r)
	}
	blocking, err := os.Open("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	defer blocking.Close()
	cmd.Files = append(cmd.Files, blocking)

	wantFds(t, childReport(t, cmd), append(ownFds[:5:5],
		"6 pipe nonblock=true cloexec=true",
		"7 pipe nonblock=true cloexec=true",
		"8 pipe nonblock=true cloexec=true",
		fmt.Sprintf("9 /proc/%d/comm nonblock=false cloexec=true", os.Getpid()))...)
	for i, want := range []bool{true, true, true, false} {
		if got := nonblocking(t, cmd.Files[i]); got != want {
			t.Errorf("file %d: nonblocking is %t, want %t", i, got, want)
		}
	}
	cmd.Files = cmd.Files[:3]
	p := greeted(t, "files", cmd)
	got := make([]byte, 6)
	if _, err := io.ReadFull(p.Outbox, got); err != nil || string(got) != "0,1,2," {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestClosedFileRefused(t *testing.T) {
	spawntest.Check(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	r.Close()
	if _, err := Start(&Command{Name: "greeter", Files: []*os.File{r}}); err == nil {
		t.Error("started with a closed file")
	}
}

func TestEnvironment(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	for _, test := range []struct {
		env   []string
		procs int
		want  string
		run   string
	}{
		{nil, 0, `"" false`, "1"},
		{[]string{"GOMAXPROCS=3"}, 0, `"3" true`, "1"},
		{[]string{"GOMAXPROCS=3"}, 2, `"3" true`, "2"},
	} {
		env := append([]string{"GORACE=atexit_sleep_ms=0"}, test.env...)
		report := childReport(t, Command{Name: "greeter", Env: env, Dir: dir, Procs: test.procs})
		want(t, report, birthVariable, `"" false`)
		want(t, report, procsVariable, test.want)
		want(t, report, "procs", test.run)
		want(t, report, "args", `["progeny: greeter"]`)
		want(t, report, "dir", dir)
	}
}

func TestOwnProcessGroup(t *testing.T) {
	spawntest.Check(t)
	p := greeted(t, "report", Command{})
	want(t, readReport(t, p.Outbox), "pgid", fmt.Sprintf("%d pid %[1]d", p.Pid))
}

const noSignals = "0000000000000000"

func TestIgnoredSignals(t *testing.T) {
	spawntest.Check(t)
	ignored := []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGUSR1}
	signal.Ignore(ignored...)
	defer signal.Reset(ignored...)
	p := greeted(t, "report", Command{})
	if want(t, readReport(t, p.Outbox), "SigIgn", noSignals); t.Failed() {
		return
	}
	if err := p.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	state, err := p.OS.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if got := state.Sys().(syscall.WaitStatus).Signal(); got != syscall.SIGHUP {
		t.Errorf("ended by %v, want SIGHUP", state)
	}
}

// A host that was itself started with signals blocked and ignored.
func TestSignalMask(t *testing.T) {
	spawntest.Check(t)
	host := exec.Command("/proc/self/exe")
	host.Env = append(setRole(os.Environ(), "host"), "SPAWN_TEST_GRANDCHILD=report")
	stdout, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := startBlocking(host, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	defer host.Wait()
	defer host.Process.Kill()
	hostStatus, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", host.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(hostStatus), "SigBlk:\t"+noSignals) {
		t.Error("the host has nothing blocked")
	}
	stdout.(*os.File).SetReadDeadline(time.Now().Add(patience))
	want(t, readReport(t, stdout), "SigBlk", noSignals)
}

// startBlocking starts cmd with these signals blocked.
func startBlocking(cmd *exec.Cmd, signals ...syscall.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var set, old unix.Sigset_t
	for _, sig := range signals {
		set.Val[0] |= 1 << (sig - 1)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return cmd.Start()
}
