package spawn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

// patience bounds what a test waits for; reached only when it fails.
const patience = 20 * time.Second

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// start starts a process in that role. It is gone at the test's end.
func start(t testing.TB, role string, cmd Command) *Process {
	t.Helper()
	if cmd.Name == "" {
		cmd.Name = role
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = setRole(cmd.Env, role)
	p, err := Start(&cmd)
	if err != nil {
		t.Fatal(err)
	}
	p.Outbox.SetReadDeadline(time.Now().Add(patience))
	t.Cleanup(func() { end(p) })
	return p
}

// greeted is start and Hello.
func greeted(t testing.TB, role string, cmd Command) *Process {
	t.Helper()
	p := start(t, role, cmd)
	if err := p.Hello(soon(t)); err != nil {
		t.Fatal(err)
	}
	return p
}

func end(p *Process) {
	p.KillGroup()
	p.OS.Wait()
	p.Close()
}

// echo checks that the process answers.
func echo(t testing.TB, p *Process) {
	t.Helper()
	want := fmt.Sprintf("to %d", p.Pid)
	if _, err := p.Inbox.WriteString(want); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.Outbox, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// readReport reads what report wrote.
func readReport(t testing.TB, r io.Reader) string {
	t.Helper()
	var b strings.Builder
	for in := bufio.NewScanner(r); in.Scan(); {
		if in.Text() == "end" {
			return b.String()
		}
		b.WriteString(in.Text() + "\n")
	}
	t.Fatalf("report ends after %q", b.String())
	return ""
}

// reported returns the values of a key in a report.
func reported(report, key string) []string {
	var values []string
	for line := range strings.Lines(report) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+" "); ok {
			values = append(values, value)
		}
	}
	return values
}

func want(t testing.TB, report, key string, value ...string) {
	t.Helper()
	if got := reported(report, key); strings.Join(got, "\n") != strings.Join(value, "\n") {
		t.Errorf("%s: got %q, want %q", key, got, value)
	}
}

func TestStart(t *testing.T) {
	spawntest.Check(t)
	before := time.Now()
	p := greeted(t, "echo", Command{Name: "greeter"})
	if p.Pid != p.OS.Pid || p.Started.Before(before) || p.Started.After(time.Now()) {
		t.Errorf("got pid %d of %d, started %v", p.Pid, p.OS.Pid, p.Started)
	}
	if err := p.OS.WithHandle(func(uintptr) {}); err != nil {
		t.Errorf("handle: %v", err)
	}
	echo(t, p)
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.Pid))
	if got, want := string(cmdline), "progeny: greeter\x00"; err != nil || got != want {
		t.Errorf("cmdline: got %q, %v, want %q", got, err, want)
	}
	if text := p.CrashText(); len(text) != 0 {
		t.Errorf("crash text: %q", text)
	}
}

func TestStartLongestName(t *testing.T) {
	spawntest.Check(t)
	name := strings.Repeat("n", MaxName)
	p := greeted(t, "echo", Command{Name: name})
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.Pid))
	if got, want := string(cmdline), "progeny: "+name+"\x00"; err != nil || got != want {
		t.Errorf("cmdline: got %q, %v, want %q", got, err, want)
	}
}

func TestStartConcurrently(t *testing.T) {
	spawntest.Check(t)
	const n = 20
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		procs []*Process
	)
	cmd := Command{Name: "echo", Env: setRole(os.Environ(), "echo")}
	startOne := func() {
		p, err := Start(&cmd)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		procs = append(procs, p)
	}
	for range n {
		wg.Go(startOne)
	}
	wg.Wait()
	for _, p := range procs {
		defer end(p)
	}
	for _, p := range procs {
		if err := p.Hello(soon(t)); err != nil {
			t.Fatal(err)
		}
		echo(t, p)
	}
}

// The parent-death signal follows the thread that forked. That must not be the
// caller's.
func TestStartFromEndingThread(t *testing.T) {
	spawntest.Check(t)
	var p *Process
	var tid int
	done := make(chan struct{})
	startAndEndThread := func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread ends
		tid = unix.Gettid()
		p = start(t, "echo", Command{})
	}
	go startAndEndThread()
	<-done
	// The main thread is the one that Go parks instead of ending it.
	for tid != os.Getpid() {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err != nil {
			break
		}
		runtime.Gosched()
	}
	if err := p.Hello(soon(t)); err != nil {
		t.Fatal(err)
	}
	echo(t, p)
}

func TestStandardStreams(t *testing.T) {
	spawntest.Check(t)
	p := greeted(t, "streams", Command{})
	for _, test := range []struct {
		file *os.File
		want string
	}{
		{p.Stdout, "to stdout\n"}, {p.Stderr, "to stderr\n"}, {p.Outbox, "0 EOF\n"},
	} {
		test.file.SetReadDeadline(time.Now().Add(patience))
		if got, err := io.ReadAll(test.file); err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.file.Name(), got, err, test.want)
		}
	}
}

// Descriptors run out one after the other: at every stage of a start the error
// is clear and nothing is left behind.
func TestStartWithoutDescriptors(t *testing.T) {
	spawntest.Check(t)
	end(greeted(t, "echo", Command{})) // the poller has its own by now

	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	setLimit := func(n uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	defer setLimit(limit.Cur)

	cmd := Command{Name: "greeter", Env: setRole(os.Environ(), "silent"), Files: []*os.File{os.Stdin}}
	seen := map[string]bool{}
	for n := uint64(3); ; n++ {
		setLimit(n)
		p, err := Start(&cmd)
		if err == nil {
			end(p)
			break
		}
		if !errors.Is(err, syscall.EMFILE) {
			t.Errorf("limit %d: got %v, want EMFILE", n, err)
		}
		seen[err.Error()] = true
	}
	for _, want := range []string{
		"spawn greeter: open /dev/null: too many open files",
		"spawn greeter: pipe2: too many open files",
		"spawn greeter: memfd_create: too many open files",
		"spawn greeter: file /dev/stdin: dup: too many open files",
		"spawn greeter: fork/exec /proc/self/exe: too many open files",
	} {
		if !seen[want] {
			t.Errorf("never said %q, but %v", want, seen)
		}
	}
}

func TestStartInMissingDir(t *testing.T) {
	spawntest.Check(t)
	_, err := Start(&Command{Name: "greeter", Dir: "/no/such/dir"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// A file replaced on disk changes nothing for a running program.
func TestStartReplacedExecutable(t *testing.T) {
	spawntest.Check(t)
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	host := exec.Command(path)
	host.Env = setRole(os.Environ(), "replaced")
	if out, err := host.CombinedOutput(); err != nil || string(out) != "hello\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestMalformedBirth(t *testing.T) {
	spawntest.Check(t)
	for _, value := range []string{"", "garbage", "1:x:", "1:0:", "1:70000:"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(setRole(os.Environ(), "exit"), birthVariable+"="+value)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != ExitCannotBoot {
			t.Errorf("%q: got %v, want exit status %d", value, err, ExitCannotBoot)
		}
		if got := stderr.String(); !strings.HasPrefix(got, "spawn: cannot boot: ") || strings.Count(got, "\n") != 1 {
			t.Errorf("%q: stderr: %q", value, got)
		}
	}
}

func TestClose(t *testing.T) {
	spawntest.Check(t)
	p := start(t, "silent", Command{})
	inbox := p.TakeInbox()
	if inbox == nil || p.Inbox != nil || p.TakeInbox() != nil {
		t.Errorf("took %v, left %v", inbox, p.Inbox)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error("again:", err)
	}
	if p.TakeOutbox() != nil || p.TakeStdout() != nil || p.TakeStderr() != nil || p.CrashText() != nil {
		t.Error("something is left after Close")
	}
	// The taken file is still open: its closing is what ends the process.
	if err := inbox.Close(); err != nil {
		t.Error(err)
	}
	if state, err := p.OS.Wait(); err != nil || !state.Success() {
		t.Errorf("got %v, %v, want success", state, err)
	}
}
