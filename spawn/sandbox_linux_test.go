package spawn

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/spawn/sandbox"
	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

// policyOf returns the n-th of many different policies that confine little.
func policyOf(t testing.TB, n int) *sandbox.Policy {
	t.Helper()
	dir := fmt.Sprintf("%s/%d", os.TempDir(), n)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	p := &sandbox.Policy{Files: sandbox.ReadOnly, ReadWrite: []string{dir}}
	if _, err := p.Plan(); err != nil {
		t.Skip("boot a kernel that can: ", err)
	}
	return p
}

// spawners returns how many threads start confined processes, and how many need not.
func spawners() (all, idle int) {
	theConfined.mu.Lock()
	defer theConfined.mu.Unlock()
	return len(theConfined.byPolicy), len(theConfined.idle)
}

// A thread stays while it has a process; of those without, maxIdle do.
func TestConfinedThreads(t *testing.T) {
	spawntest.Check(t)
	t.Setenv("TMPDIR", t.TempDir())
	all, idle := spawners()
	others := all - idle
	var held []*Process
	for n := range maxIdle + 3 {
		held = append(held, start(t, "echo", Command{Sandbox: policyOf(t, n)}))
	}
	if all, idle := spawners(); all-idle != others+len(held) {
		t.Errorf("with %d policies in use there are %d threads, %d idle", len(held), all, idle)
	}
	again := start(t, "echo", Command{Sandbox: policyOf(t, 0)})
	if all, idle := spawners(); all-idle != others+len(held) {
		t.Errorf("a second process of a policy: %d threads, %d idle", all, idle)
	}
	for _, p := range append(held, again) {
		if err := p.Hello(soon(t)); err != nil {
			t.Error(err)
		}
		echo(t, p)
		end(p)
	}
	if all, idle := spawners(); all != others+maxIdle || idle != maxIdle {
		t.Errorf("afterwards there are %d threads, %d idle, want %d", all, idle, maxIdle)
	}
	// An idle one is used again, and one that has gone is made anew.
	for _, n := range []int{maxIdle + 2, 0} {
		p := greeted(t, "echo", Command{Sandbox: policyOf(t, n)})
		if all, idle := spawners(); all-idle != others+1 || idle > maxIdle {
			t.Errorf("policy %d: %d threads, %d idle", n, all, idle)
		}
		end(p)
	}
}

// A Close before the wait does not end the thread: its end would be the process's.
func TestConfinedClosedEarly(t *testing.T) {
	spawntest.Check(t)
	t.Setenv("TMPDIR", t.TempDir())
	before, idle := spawners()
	p := greeted(t, "echo", Command{Sandbox: policyOf(t, 100)})
	inbox, outbox := p.TakeInbox(), p.TakeOutbox()
	defer inbox.Close()
	defer outbox.Close()
	p.Close()
	if all, now := spawners(); all-now != before-idle+1 {
		t.Errorf("%d threads, %d idle", all, now)
	}
	p.OS.Kill()
	p.OS.Wait()
}

// Many starts at once share one thread. It is none that other goroutines run on, and
// not the first.
func TestConfinedAtOnce(t *testing.T) {
	spawntest.Check(t)
	t.Setenv("TMPDIR", t.TempDir())
	policy := policyOf(t, 200)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			p, err := Start(&Command{Name: "echo", Env: setRole(os.Environ(), "echo"), Sandbox: policy})
			if err != nil {
				t.Error(err)
				return
			}
			end(p)
		})
	}
	wg.Wait()
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); n != 0 || err != nil {
		t.Error("this thread is confined")
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t0") {
		t.Error("the first thread is confined")
	}
}

// A policy that is wrong is an error of Start and leaves no thread.
func TestConfinedRefused(t *testing.T) {
	spawntest.Check(t)
	before, _ := spawners()
	for _, cmd := range []Command{
		{Sandbox: &sandbox.Policy{Files: sandbox.Listed, ReadOnly: []string{"/nonexistent"}}},
		{Sandbox: &sandbox.Policy{Files: 9}},
		{Namespaces: allNamespaces + 1},
		{User: &User{UID: noID}},
		{User: new(User), Namespaces: PIDNamespace},
	} {
		cmd.Name = "never"
		if p, err := Start(&cmd); err == nil {
			t.Errorf("%+v starts", cmd)
			end(p)
		} else if !strings.HasPrefix(err.Error(), "spawn never: ") {
			t.Errorf("got %v", err)
		}
	}
	if all, _ := spawners(); all != before {
		t.Errorf("%d threads more", all-before)
	}
}

// What the child is told to do for its sandbox and cannot understand ends it.
func TestSandboxVariable(t *testing.T) {
	if err := applySandbox("1 no-such-word"); err == nil || !strings.Contains(err.Error(), "no-such-word") {
		t.Errorf("got %v", err)
	}
	p := sandbox.Policy{NoProcesses: true, Files: sandbox.Listed}
	cmd := Command{Sandbox: &p, Env: []string{sandboxVariable + "=x"}}
	entries := strings.Join(cmd.environ(), "\n")
	if want := sandboxVariable + "=1 no-processes"; strings.Count(entries, sandboxVariable) != 1 || !strings.Contains(entries+"\n", want+"\n") {
		t.Errorf("got %q", entries)
	}
}

// keepDumpable leaves the program as it was, if that has been changed meanwhile.
func TestKeepDumpable(t *testing.T) {
	restore := keepDumpable()
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	restore()
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if os.Geteuid() == 0 {
		return
	}
	if _, err := Start(&Command{Name: "another", User: &User{UID: 1, GID: 1}}); !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), "CAP_SETUID") {
		t.Errorf("got %v", err)
	}
}
