package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A killer is a way to kill a group.
type killer struct {
	m    *Manager
	kill func(*Group) error
}

// killers are the ways that there are: as found, and as it is where there is
// no cgroup.kill.
func killers(t *testing.T) map[string]killer {
	m := opened(t)
	each := func(g *Group) error { return g.at[kill].killEach(time.Now().Add(KillTimeout)) }
	all := map[string]killer{"as found": {m, (*Group).Kill}, "each": {m, each}}
	for name, r := range map[string]resource{"each, tasks counted": tasks, "each, version 1": memory} {
		if h := m.at[r]; h != nil {
			other := *m
			other.at[kill] = h
			all[name] = killer{&other, each}
		}
	}
	return all
}

func TestKill(t *testing.T) {
	for name, k := range killers(t) {
		g := created(t, k.m, Limits{})
		cmd := command(t, "family")
		pid, err := strconv.Atoi(ready(t, cmd, intoGroup(g, cmd)))
		if err != nil {
			t.Fatal(err)
		}
		grandchild := handle(t, pid)
		if dead(grandchild, 0) {
			t.Fatalf("%s: the grandchild is dead before", name)
		}
		// A SIGSTOP is no way out.
		cmd.Process.Signal(syscall.SIGSTOP)
		if err := k.kill(g); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !dead(grandchild, 0) || !dead(handle(t, cmd.Process.Pid), 0) {
			t.Errorf("%s: alive when Kill has returned", name)
		}
		if err := k.kill(g); err != nil {
			t.Errorf("%s: again: %v", name, err)
		}
		// Though nobody has reaped the child.
		if err := g.Remove(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if sig := killedBy(cmd); sig != syscall.SIGKILL {
			t.Errorf("%s: ended by %v", name, sig)
		}
	}
}

// Processes that multiply are no match.
func TestKillForking(t *testing.T) {
	for name, k := range killers(t) {
		g := created(t, k.m, Limits{})
		cmd := shell(t, `f() { sleep 1000 & while :; do (sleep 0.05); done; }
			for i in 1 2 3 4 5 6 7 8; do f & done; echo ready; wait`)
		ready(t, cmd, intoGroup(g, cmd))
		if err := k.kill(g); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		pids, err := processes(g.at[kill].dir)
		if err != nil || len(pids) > 0 {
			t.Errorf("%s: left %v, %v", name, pids, err)
		}
		if err := g.Remove(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a process hides in a group within its own is found.
func TestNested(t *testing.T) {
	for name, k := range killers(t) {
		g := created(t, k.m, Limits{})
		inner := g.at[kill].dir + "/a/b"
		if err := os.MkdirAll(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := command(t, "idle")
		ready(t, cmd, intoGroup(g, cmd))
		if err := write(inner+"/cgroup.procs", strconv.Itoa(cmd.Process.Pid)); err != nil {
			t.Fatal(err)
		}
		if err := k.kill(g); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !dead(handle(t, cmd.Process.Pid), 0) {
			t.Errorf("%s: alive", name)
		}
		if err := g.Remove(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := g.Remove(); err != nil {
			t.Errorf("%s: again: %v", name, err)
		}
	}
}

// Remove does not wait for ever, and works when what was in the way is gone.
func TestRemoveOccupied(t *testing.T) {
	g := created(t, opened(t), Limits{})
	cmd := command(t, "idle")
	ready(t, cmd, intoGroup(g, cmd))
	begun := time.Now()
	err := g.Remove()
	if !errors.Is(err, unix.EBUSY) || !strings.HasPrefix(err.Error(), "cgroup greeter: rmdir ") {
		t.Errorf("got %v, want EBUSY", err)
	}
	if took := time.Since(begun); took < removeTimeout || took > removeTimeout+patience {
		t.Errorf("took %v, want %v", took, removeTimeout)
	}
	if err := g.Kill(); err != nil {
		t.Error(err)
	}
	if err := g.Remove(); err != nil {
		t.Error(err)
	}
}

// Remove waits for what is about to end.
func TestRemoveWaits(t *testing.T) {
	g := created(t, opened(t), Limits{})
	cmd := command(t, "idle")
	ready(t, cmd, intoGroup(g, cmd))
	removed := make(chan error, 1)
	go func() { removed <- g.Remove() }()
	cmd.Process.Kill()
	if err := <-removed; err != nil {
		t.Error(err)
	}
}

// The process is inside from its first instruction; the program is not, and its
// thread is back.
func TestStart(t *testing.T) {
	m := opened(t, memory, cpu, tasks)
	g := created(t, m, Limits{Memory: 1 << 30, CPU: 1, Processes: 100})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat", "/proc/self/cgroup")
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	var out []byte
	err = g.Start(cmd.SysProcAttr, func() (err error) {
		out, err = cmd.Output()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range g.places {
		if want := filepath.Base(p.dir) + "\n"; !strings.Contains(string(out), want) {
			t.Errorf("%s: the child was in\n%s", p.dir, out)
		}
	}
	if got, want := strings.Count(string(out), filepath.Base(g.places[0].dir)), len(g.places); got != want {
		t.Errorf("in %d groups, want %d", got, want)
	}
	after, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil || string(after) != string(before) {
		t.Errorf("this thread is in\n%s, %v, want\n%s", after, err, before)
	}
	if cmd.SysProcAttr.UseCgroupFD || cmd.SysProcAttr.CgroupFD != 0 {
		t.Error("attr names a closed descriptor")
	}
}

func TestStartError(t *testing.T) {
	g := created(t, opened(t, memory), Limits{Memory: 1 << 30})
	want := errors.New("no")
	if err := g.Start(&syscall.SysProcAttr{}, func() error { return want }); err != want {
		t.Errorf("got %v, want that of fork", err)
	}
	cmd := exec.Command("/no/such/program")
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if err := g.Start(cmd.SysProcAttr, cmd.Start); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	forked := false
	err := g.Start(&syscall.SysProcAttr{}, func() error { forked = true; return nil })
	if !errors.Is(err, os.ErrNotExist) || forked {
		t.Errorf("removed: got %v, forked %v", err, forked)
	}
}

func TestEnter(t *testing.T) {
	m := opened(t, memory, tasks)
	g := created(t, m, Limits{Memory: 64 << 20, Processes: 50})
	cmd := command(t, "idle")
	ready(t, cmd, cmd.Start)
	if err := g.Enter(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	for _, p := range g.places {
		pids, err := processes(p.dir)
		if err != nil || len(pids) != 1 || pids[0] != cmd.Process.Pid {
			t.Errorf("%s: got %v, %v, want %d", p.dir, pids, err, cmd.Process.Pid)
		}
	}
	if err := g.Kill(); err != nil || !dead(handle(t, cmd.Process.Pid), 0) {
		t.Errorf("not killed: %v", err)
	}
	cmd.Wait()
	for _, pid := range []int{0, -1} {
		if err := g.Enter(pid); err == nil {
			t.Errorf("pid %d entered", pid)
		}
	}
	if err := g.Enter(cmd.Process.Pid); !errors.Is(err, unix.ESRCH) {
		t.Errorf("dead: got %v, want ESRCH", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	m := opened(t, memory, tasks)
	var wg sync.WaitGroup
	var forks sync.Mutex // 4 processes at a time are enough
	one := func(i int) error {
		g, err := m.Create("greeter", Limits{Memory: 32 << 20, Processes: 10})
		if err != nil {
			return err
		}
		if i%10 == 0 {
			forks.Lock()
			defer forks.Unlock()
			cmd := shell(t, "sleep 1000 & wait")
			if err := g.Start(cmd.SysProcAttr, cmd.Start); err != nil {
				return errors.Join(err, g.Remove())
			}
		}
		return errors.Join(g.Kill(), g.Remove())
	}
	for i := range 200 {
		wg.Go(func() {
			if err := one(i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantNothingLeft(t, m)
}

// Empty groups of dead programs go at the next Open, others stay.
func TestLeftovers(t *testing.T) {
	m := opened(t)
	h := m.at[kill]
	cmd := command(t, "idle")
	ready(t, cmd, cmd.Start)
	stranger := command(t, "idle")
	ready(t, stranger, stranger.Start)

	ofChild := h.parent + "/" + nameOf(cmd.Process.Pid, 7)
	nested := h.parent + "/" + nameOf(cmd.Process.Pid, 8)
	occupied := h.parent + "/" + nameOf(cmd.Process.Pid, 9)
	ofEarlier := h.parent + "/" + nameOf(os.Getpid(), 1<<40) // a program that had our pid
	misnamed := fmt.Sprintf("%s/progeny-%d-7x", h.parent, cmd.Process.Pid)
	for _, dir := range []string{ofChild, nested + "/a", occupied, ofEarlier, misnamed} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		defer removeTree(dir)
	}
	defer removeTree(nested)
	if err := write(occupied+"/cgroup.procs", strconv.Itoa(stranger.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	want := func(when string, want map[string]bool) {
		t.Helper()
		Open()
		for dir, want := range want {
			if got := exists(dir); got != want {
				t.Errorf("%s: %s: there %v, want %v", when, dir, got, want)
			}
		}
	}
	want("its program lives", map[string]bool{ofChild: true, nested: true, occupied: true, ofEarlier: false, misnamed: true})
	cmd.Process.Kill()
	cmd.Wait()
	want("its program is gone", map[string]bool{ofChild: false, nested: false, occupied: true, misnamed: true})
	stranger.Process.Kill()
	stranger.Wait()
	want("all are gone", map[string]bool{occupied: false, misnamed: true})
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"progeny-1-0": true, "progeny-32768-123456789": true,
		"progeny-1": false, "progeny-1-": false, "progeny--1": false, "progeny-01-1": false, "progeny-1-+1": false,
		"progeny-1-1-1": false, "progeny-x-1": false, "user.slice": false, "": false, "progeny-1-99999999999999999999": false,
	} {
		if pid, n, got := parseName(name); got != ok {
			t.Errorf("%q: got %d, %d, %v, want %v", name, pid, n, got, ok)
		}
	}
}
