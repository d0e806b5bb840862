//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package reaper_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/reaper"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

func TestExitStatus(t *testing.T) {
	spawntest.Check(t)
	tests := []struct{ code, want int }{{0, 0}, {1, 1}, {2, 2}, {255, 255}, {256, 0}, {300, 44}}
	for _, test := range tests {
		before := time.Now()
		p := start(t, nil, "exit", strconv.Itoa(test.code))
		got := <-watch(t, p)
		if !got.Known || got.Err != nil || got.Code != test.want || got.Signal != 0 || got.Core {
			t.Errorf("os.Exit(%d): got %+v, want Code %d", test.code, got, test.want)
		}
		if got.Pid != p.Pid {
			t.Errorf("os.Exit(%d): got Pid %d, want %d", test.code, got.Pid, p.Pid)
		}
		if got.Time.Before(before) || got.Time.After(time.Now()) {
			t.Errorf("os.Exit(%d): got Time %v, started at %v", test.code, got.Time, before)
		}
	}
}

func TestSignal(t *testing.T) {
	spawntest.Check(t)
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		p, release := startOne(t, 0)
		exits := watch(t, p)
		if err := p.Signal(signal); err != nil {
			t.Fatal(err)
		}
		got := <-exits
		if !got.Known || got.Code != -1 || got.Signal != signal || got.Core {
			t.Errorf("%v: got %+v", signal, got)
		}
		if err := p.Signal(signal); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Signal after the end: got %v, want %v", err, os.ErrProcessDone)
		}
		release()
	}
}

func TestUsage(t *testing.T) {
	spawntest.Check(t)
	got := <-watch(t, start(t, nil, "use"))
	if got.User < useCPU || got.User > time.Hour {
		t.Errorf("got User %v, want at least %v", got.User, useCPU)
	}
	if got.System < 0 || got.System > time.Hour {
		t.Errorf("got System %v", got.System)
	}
	if got.MaxRSS < useMemory || got.MaxRSS > 64*useMemory {
		t.Errorf("got MaxRSS %d, want at least %d", got.MaxRSS, useMemory)
	}
}

// Ten that end together, all of which are told.
func TestTenAtOnce(t *testing.T) {
	spawntest.Check(t)
	c := startCrowd(t, 10, 5)
	var all []<-chan reaper.Exit
	for _, p := range c.processes {
		all = append(all, watch(t, p))
	}
	c.release()
	for i, exits := range all {
		if got := <-exits; got.Code != 5 || got.Pid != c.processes[i].Pid {
			t.Errorf("got %d: %v, want %d: exit status 5", got.Pid, got, c.processes[i].Pid)
		}
	}
}

// A thousand, watched from several goroutines while others end; some have
// ended before they are watched.
func TestThousand(t *testing.T) {
	spawntest.Check(t)
	const goroutines = 8
	n := 1000
	if testing.Short() {
		n = 100
	}
	var mu sync.Mutex
	codes := make(map[int]int) // by pid, what the child exits with
	exits := make(chan reaper.Exit, n+1)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < n; i += goroutines {
				p := start(t, nil, "exit", strconv.Itoa(i%256))
				mu.Lock()
				if _, ok := codes[p.Pid]; ok {
					t.Errorf("pid %d was given away again within the test", p.Pid)
				}
				codes[p.Pid] = i % 256
				mu.Unlock()
				if err := reaper.Watch(p, func(e reaper.Exit) { exits <- e }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range n {
		got := <-exits
		if want, ok := codes[got.Pid]; !ok || !got.Known || got.Code != want {
			t.Errorf("process %d: got %v, want exit status %d, once", got.Pid, got, want)
		}
		delete(codes, got.Pid)
	}
	if len(exits) > 0 {
		t.Errorf("told once too often: %+v", <-exits)
	}
}

// An exec.Cmd of the host program keeps its own exit status.
func TestForeignCommand(t *testing.T) {
	spawntest.Check(t)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		ours := watch(t, start(t, nil, "exit", "3"))
		cmd := exec.Command(executable, strconv.Itoa(i))
		cmd.Env = append(os.Environ(), roleEnv+"=exit")
		_ = cmd.Run() // its error is the status, looked at below
		if got := cmd.ProcessState.ExitCode(); got != i {
			t.Errorf("foreign command: got exit code %d (%v), want %d", got, cmd.ProcessState, i)
		}
		if got := <-ours; got.Code != 3 {
			t.Errorf("got %v, want exit status 3", got)
		}
	}
}

// A foreign wait4 for the pid competes for the status: whoever gets it, the
// exit is told.
func TestForeignWait(t *testing.T) {
	spawntest.Check(t)
	for range 20 {
		p, release := startOne(t, 7)
		exits := watch(t, p)
		stolen := make(chan error, 1)
		go func() {
			_, err := syscall.Wait4(p.Pid, nil, 0, nil)
			stolen <- err
		}()
		release()
		got, err := <-exits, <-stolen
		if got.Known == (err == nil) {
			t.Errorf("the foreign wait4 got %v, the reaper %+v", err, got)
		}
		if got.Known && got.Code != 7 || !got.Known && !errors.Is(got.Err, syscall.ECHILD) {
			t.Errorf("got %+v, want exit status 7 or ECHILD", got)
		}
		p.Release()
	}
}

func TestWatchTwice(t *testing.T) {
	spawntest.Check(t)
	p, release := startOne(t, 0)
	exits := watch(t, p)
	err := reaper.Watch(p, func(e reaper.Exit) { t.Errorf("told by a Watch that failed: %v", e) })
	if !errors.Is(err, syscall.EEXIST) {
		t.Errorf("second Watch: got %v, want %v", err, syscall.EEXIST)
	}
	release()
	if got := <-exits; !got.Known || got.Code != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestWatchWaited(t *testing.T) {
	spawntest.Check(t)
	p := start(t, nil, "exit", "0")
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	err := reaper.Watch(p, func(e reaper.Exit) { t.Errorf("told by a Watch that failed: %v", e) })
	if !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v, want %v", err, os.ErrProcessDone)
	}
	if want := "watch process " + strconv.Itoa(p.Pid) + ": os: process already finished"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// The caller may forget the process.
func TestForgottenProcess(t *testing.T) {
	spawntest.Check(t)
	exits, release := func() (<-chan reaper.Exit, func()) {
		p, release := startOne(t, 6)
		return watch(t, p), release
	}()
	runtime.GC()
	runtime.GC() // what the first one's cleanups have let go
	release()
	if got := <-exits; got.Code != 6 {
		t.Errorf("got %+v, want exit status 6", got)
	}
}

// notify may call Watch: a chain in which each exit starts to watch the next.
func TestWatchInNotify(t *testing.T) {
	spawntest.Check(t)
	c := startCrowd(t, 5, 0)
	done := make(chan []int, 1)
	var got, want []int
	var notify func(reaper.Exit)
	watchNext := func() {
		if err := reaper.Watch(c.processes[len(got)], notify); err != nil {
			t.Error(err)
			done <- got
		}
	}
	notify = func(e reaper.Exit) {
		got = append(got, e.Pid)
		if len(got) < len(c.processes) {
			watchNext()
		} else {
			done <- got
		}
	}
	for _, p := range c.processes {
		want = append(want, p.Pid)
	}
	watchNext()
	c.release()
	if got := <-done; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
