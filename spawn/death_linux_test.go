package spawn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

func TestHelloOfOtherPrograms(t *testing.T) {
	spawntest.Check(t)
	for _, test := range []struct {
		role string
		as   func(error) bool
		want string
	}{
		{"refuse", func(err error) bool { return errors.Is(err, ErrNotBooted) }, "main did not boot"},
		{"garbage", isHelloError, "bad Hello: it begins with 0x68 0x65"},
		{"impostor", isHelloError, "wrong build"},
		{"exit", func(err error) bool { return errors.Is(err, io.EOF) }, "before Hello: EOF"},
		{"half", func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }, "within Hello: unexpected EOF"},
	} {
		err := start(t, test.role, Command{Name: "greeter"}).Hello(soon(t))
		if err == nil || !test.as(err) || !strings.HasPrefix(err.Error(), "spawn greeter: ") ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.role, err, test.want)
		}
	}
}

func TestHelloTimeout(t *testing.T) {
	spawntest.Check(t)
	p := start(t, "silent", Command{Name: "greeter"})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := p.Hello(ctx)
	if !errors.Is(err, context.DeadlineExceeded) ||
		err.Error() != "spawn greeter: waiting for Hello: context deadline exceeded" {
		t.Errorf("got %v", err)
	}
	ctx, cancelNow := context.WithCancel(t.Context())
	cancelNow()
	if err := p.Hello(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
}

// A late cancellation does not spoil the outbox for its next owner.
func TestHelloLeavesNoDeadline(t *testing.T) {
	spawntest.Check(t)
	p := start(t, "echo", Command{})
	ctx, cancel := context.WithCancel(t.Context())
	if err := p.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	echo(t, p)
}

func TestCrashText(t *testing.T) {
	spawntest.Check(t)
	for _, test := range []struct {
		role   string
		text   []string
		stderr string
	}{
		{"panic", []string{"panic: the last straw", "goroutine 1 [running]:", "TestMain"}, "panic: the last straw"},
		{"mapwrite", []string{"spawn.writeMap("}, "fatal error: concurrent map writes"},
		{"overflow", []string{"spawn.overflow("}, "fatal error: stack overflow"},
	} {
		p := start(t, test.role, Command{Procs: 4})
		p.Stderr.SetReadDeadline(time.Now().Add(patience))
		stderr, err := io.ReadAll(p.Stderr)
		if err != nil || !strings.Contains(string(stderr), test.stderr) {
			t.Fatalf("%s: stderr %q, %v: no %q", test.role, stderr, err, test.stderr)
		}
		if state, err := p.OS.Wait(); err != nil || state.ExitCode() != 2 {
			t.Errorf("%s: got %v, %v, want exit status 2", test.role, state, err)
		}
		text := string(p.CrashText())
		for _, want := range test.text {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %q", test.role, want, text)
			}
		}
	}
}

func TestCrashTextBounded(t *testing.T) {
	spawntest.Check(t)
	p := start(t, "huge", Command{})
	if _, err := io.Copy(io.Discard, p.Stderr); err != nil {
		t.Fatal(err)
	}
	p.OS.Wait()
	text := p.CrashText()
	if len(text) != crashSize || !strings.HasPrefix(string(text), "panic: xxx") {
		t.Errorf("got %d bytes, beginning %.20q, want %d", len(text), text, crashSize)
	}
	text[0] = 'P' // a copy: neither a fault nor seen by others
	if again := p.CrashText(); again[0] != 'p' {
		t.Error("the copies share memory")
	}
}

// Neither can a child fill the machine's memory through the crash output, nor
// take it away from under the parent's eyes.
func TestCrashMemorySealed(t *testing.T) {
	spawntest.Check(t)
	memory, child, err := newCrashMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer memory.close()
	defer child.Close()
	for _, size := range []int64{0, crashSize - 1, crashSize + 1} {
		if err := child.Truncate(size); !errors.Is(err, syscall.EPERM) {
			t.Errorf("truncate to %d: got %v, want EPERM", size, err)
		}
	}
	for _, test := range []struct {
		at  int64
		err error
	}{{crashSize - 2, nil}, {crashSize - 1, nil}, {crashSize, syscall.EPERM}} {
		if _, err := child.WriteAt([]byte{'x'}, test.at); !errors.Is(err, test.err) {
			t.Errorf("write at %d: got %v, want %v", test.at, err, test.err)
		}
	}
	if text := memory.text(); len(text) != crashSize || !strings.HasSuffix(string(text), "\x00xx") {
		t.Errorf("got %d bytes, want %d", len(text), crashSize)
	}
}

func TestCrashTextAfterKill(t *testing.T) {
	spawntest.Check(t)
	p := greeted(t, "echo", Command{})
	if err := p.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	p.OS.Wait()
	if text := p.CrashText(); len(text) != 0 {
		t.Errorf("got %q", text)
	}
	if err := p.Signal(os.Kill); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal: got %v, want ErrProcessDone", err)
	}
	if err := p.KillGroup(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("KillGroup: got %v, want ErrProcessDone", err)
	}
}

// family starts a process which starts one of its own, and returns both, the
// grandchild as a pidfd.
func family(t *testing.T, role string) (child *Process, grandchild int) {
	t.Helper()
	child = greeted(t, role, Command{Env: append(os.Environ(), "SPAWN_TEST_GRANDCHILD=busy")})
	line, err := bufio.NewReader(child.Outbox).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscanf(line, "pid %d", &pid); err != nil {
		t.Fatal(err)
	}
	grandchild, err = unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(grandchild) })
	return child, grandchild
}

// wantGone waits until the process behind a pidfd has exited.
func wantGone(t *testing.T, pidfd int) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 2000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
			t.Error("the grandchild lives on")
		}
		return
	}
}

// A busy child, which never looks at its pipes, does not outlive its parent.
func TestParentKilled(t *testing.T) {
	spawntest.Check(t)
	host, grandchild := family(t, "host")
	if err := host.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantGone(t, grandchild)
}

func TestKillGroup(t *testing.T) {
	spawntest.Check(t)
	keeper, kept := family(t, "keeper")
	if err := keeper.KillGroup(); err != nil {
		t.Error(err)
	}
	wantGone(t, kept)
	// Not waited for yet: a zombie takes signals.
	if err := keeper.KillGroup(); err != nil {
		t.Error(err)
	}
	state, err := keeper.OS.Wait()
	if err != nil || state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("got %v, %v, want SIGKILL", state, err)
	}
}
