//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package reaper_test

import (
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/reaper"
)

// roleEnv names the environment variable that makes this test binary play a
// child instead of running tests. Its value is a key of roles.
const roleEnv = "REAPER_TEST_ROLE"

// roles are what the children do, with the arguments they were started with.
var roles = map[string]func(args []string){
	"exit":  exitRole,
	"until": untilRole,
	"use":   useRole,
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleEnv)]
	if !ok {
		os.Exit(m.Run())
	}
	role(os.Args[1:])
	os.Exit(99) // a role ends by itself
}

// exitRole exits at once with the status in its argument.
func exitRole(args []string) {
	os.Exit(number(args[0]))
}

// untilRole says that it runs and exits with the status in its argument when its
// stdin ends, which it does at the latest with the tests themselves.
func untilRole(args []string) {
	os.Stdout.WriteString("r")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(number(args[0]))
}

const (
	useMemory = 64 << 20
	useCPU    = 50 * time.Millisecond
)

// useRole uses at least useCPU and useMemory.
func useRole([]string) {
	memory := make([]byte, useMemory)
	var usage syscall.Rusage
	for time.Duration(usage.Utime.Nano()) < useCPU {
		for i := range memory {
			memory[i]++
		}
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	}
	os.Exit(0)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// start starts a child in a role. files are its stdin, stdout and stderr; those
// missing are the tests' stderr, and no stdin.
func start(t testing.TB, files []*os.File, role string, args ...string) *os.Process {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for len(files) < 3 {
		files = append(files, []*os.File{nil, os.Stderr, os.Stderr}[len(files)])
	}
	p, err := os.StartProcess(executable, append([]string{role}, args...), &os.ProcAttr{
		Files: files,
		Env:   append(os.Environ(), roleEnv+"="+role, "GOMAXPROCS=1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A crowd is children in the role until, which exit together on release.
type crowd struct {
	processes []*os.Process
	stdin     *os.File // closed by release; shared
}

// startCrowd starts n children that exit with code and waits until all run.
func startCrowd(t testing.TB, n, code int) *crowd {
	t.Helper()
	stdin, hold := pipe(t)
	ready, stdout := pipe(t)
	c := &crowd{stdin: hold}
	t.Cleanup(c.release)
	for range n {
		c.processes = append(c.processes, start(t, []*os.File{stdin, stdout}, "until", strconv.Itoa(code)))
	}
	stdin.Close()
	stdout.Close()
	if _, err := io.ReadFull(ready, make([]byte, n)); err != nil {
		t.Fatalf("waiting for %d children to run: %v", n, err)
	}
	ready.Close()
	return c
}

func (c *crowd) release() { c.stdin.Close() }

// startOne starts one child that exits with code on release.
func startOne(t testing.TB, code int) (p *os.Process, release func()) {
	t.Helper()
	c := startCrowd(t, 1, code)
	return c.processes[0], c.release
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// watch watches p and returns where its one Exit will be. A second one fails
// the test.
func watch(t testing.TB, p *os.Process) <-chan reaper.Exit {
	t.Helper()
	exits := make(chan reaper.Exit, 2)
	if err := reaper.Watch(p, func(e reaper.Exit) { exits <- e }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(exits) > 0 {
			t.Errorf("told of process %d once more than expected: %v", p.Pid, <-exits)
		}
	})
	return exits
}

// settle has the reaper start what it keeps for the program's life.
func settle(t testing.TB) {
	t.Helper()
	<-watch(t, start(t, nil, "exit", "0"))
}

// descriptors counts the open file descriptors.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
