package spawntest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCheck(t *testing.T) {
	Check(t)
	if _, set := os.LookupEnv(raceVariable); !set {
		t.Errorf("%s is not set", raceVariable)
	}
}

// Each kind of leak is seen while it lasts, and not after.
func TestLeaks(t *testing.T) {
	for _, test := range []struct {
		name string
		leak func(t *testing.T) (release func(), want string)
	}{
		{"goroutine", leakGoroutine},
		{"descriptor", leakDescriptor},
		{"mapping", leakMapping},
		{"child", leakChild},
		{"zombie", leakZombie},
	} {
		before := take()
		release, want := test.leak(t)
		leaked := strings.Join(take().beyond(before), "\n")
		if !strings.Contains(leaked, want) {
			t.Errorf("%s: no %q in\n%s", test.name, want, leaked)
		}
		release()
		if leaked := settle(before); len(leaked) > 0 {
			t.Errorf("%s: after its release:\n%s", test.name, strings.Join(leaked, "\n"))
		}
	}
}

func leakGoroutine(*testing.T) (func(), string) {
	end := make(chan struct{})
	go waitFor(end)
	return func() { close(end) }, "created by github.com/progeny-go/progeny/spawn/spawntest.leakGoroutine"
}

func waitFor(end chan struct{}) { <-end }

func leakDescriptor(t *testing.T) (func(), string) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	unix.Close(fds[1])
	return func() { unix.Close(fds[0]) }, fmt.Sprintf("fd %d: pipe:[", fds[0])
}

func leakMapping(t *testing.T) (func(), string) {
	fd, err := unix.MemfdCreate("leaky", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	memory, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	return func() { unix.Munmap(memory) }, "/memfd:leaky"
}

func leakChild(t *testing.T) (func(), string) {
	cat := exec.Command("cat")
	stdin, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	return func() { stdin.Close(); cat.Wait() }, fmt.Sprintf("child %d in state", cat.Process.Pid)
}

func leakZombie(t *testing.T) (func(), string) {
	cmd := exec.Command("true")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, stdout) // it closes its files before it is a zombie
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	return func() { cmd.Wait() }, fmt.Sprintf("child %d in state Z", cmd.Process.Pid)
}
