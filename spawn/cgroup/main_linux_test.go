package cgroup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds what a test waits for; reached only when it fails.
const patience = 20 * time.Second

// roleVariable says in the environment what a process started by a test is.
const roleVariable = "CGROUP_TEST_ROLE"

var roles = map[string]func(){
	"idle": func() {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
	},
	"hog": func() {
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
			runtime.KeepAlive(all)
		}
	},
	"full": func() { // 64 MiB, and idle; not of the heap, which -race multiplies
		all, err := unix.Mmap(-1, 0, 64<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		must(err)
		for i := 0; i < len(all); i += os.Getpagesize() {
			all[i] = 1
		}
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
	},
	"spin": func() {
		for i := 0; ; i++ {
		}
	},
	"family": func() { // with a grandchild in a session of its own, nested
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		must(cmd.Start())
		fmt.Println("ready", cmd.Process.Pid)
		io.Copy(io.Discard, os.Stdin)
	},
	"capabilities": func() { fmt.Printf("%+v\n", Open().Capabilities()) },
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		role()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command is this program in that role. It is gone at the test's end.
func command(t testing.TB, role string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GOMAXPROCS=1", "GORACE=atexit_sleep_ms=0")
	return ended(t, cmd)
}

// shell is a program of one thread.
func shell(t testing.TB, script string) *exec.Cmd { return ended(t, exec.Command("sh", "-c", script)) }

func ended(t testing.TB, cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second // if what it started has its pipes
	t.Cleanup(func() {
		if cmd.Process != nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd
}

// ready starts cmd by start and waits until it prints a line that begins with
// "ready"; the rest of it is returned.
func ready(t testing.TB, cmd *exec.Cmd, start func() error) string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe() // its end ends the process
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	if err := start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	rest, ok := strings.CutPrefix(line, "ready")
	if err != nil || !ok {
		t.Fatalf("got %q, %v, want ready", line, err)
	}
	return strings.TrimSpace(rest)
}

// intoGroup is a start for ready.
func intoGroup(g *Group, cmd *exec.Cmd) func() error {
	return func() error { return g.Start(cmd.SysProcAttr, cmd.Start) }
}

// opened returns a Manager, or skips unless all that is wanted works here.
func opened(t testing.TB, wanted ...resource) *Manager {
	t.Helper()
	m := Open()
	for _, r := range append(wanted, kill) {
		if reason := m.support(r).Reason; reason != "" {
			t.Skipf("run this as root, or alone in a delegated group "+
				"(go test -c && systemd-run --user --scope -p Delegate=yes ./cgroup.test): %s", reason)
		}
	}
	t.Cleanup(func() { wantNothingLeft(t, m) })
	return m
}

// wantNothingLeft checks that no group of this program is left.
func wantNothingLeft(t testing.TB, m *Manager) {
	t.Helper()
	for _, h := range m.hierarchies(func(resource) bool { return true }) {
		for _, dir := range children(h.parent) {
			if pid, n, ok := parseName(dir[strings.LastIndexByte(dir, '/')+1:]); ok && pid == os.Getpid() && n > 0 {
				t.Errorf("left behind: %s", dir)
				removeTree(dir)
			}
		}
	}
}

// created returns a group that is killed and removed at the test's end.
func created(t testing.TB, m *Manager, l Limits) *Group {
	t.Helper()
	g, err := m.Create("greeter", l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Kill(), g.Remove()); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	return g
}

// handle is a pidfd of that process.
func handle(t testing.TB, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func dead(pidfd int, wait time.Duration) bool {
	return poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, wait)
}

// killedBy returns the signal that ended cmd.
func killedBy(cmd *exec.Cmd) syscall.Signal {
	cmd.Wait()
	return cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()
}

// eventually waits for what has no event.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
