package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// workersOf returns the processes that are children of pid and actors already.
func workersOf(t *testing.T, pid int) (workers []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // its thread may be gone
		for child := range strings.FieldsSeq(string(children)) {
			if name, _ := os.ReadFile("/proc/" + child + "/cmdline"); strings.HasPrefix(string(name), "progeny: ") {
				n, err := strconv.Atoi(child)
				if err != nil {
					t.Fatal(err)
				}
				workers = append(workers, n)
			}
		}
	}
	slices.Sort(workers)
	return workers
}

// reads reports whether a process has a file below dir open.
func reads(pid int, dir string) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(fds, func(fd string) bool {
		path, _ := os.Readlink(fd)
		return strings.HasPrefix(path, dir)
	})
}

// bigTree is one that takes seconds to count.
func bigTree(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("counts 150 MB")
	}
	src, err := goSource(t.Context())
	if err != nil {
		t.Skip(err)
	}
	if src, err = filepath.EvalSymlinks(src); err != nil { // as /proc has it
		t.Fatal(err)
	}
	return src
}

// begin starts the program and returns what waits for it. If the test ends
// early, so does the program.
func begin(t *testing.T, cmd *exec.Cmd) (wait func() error) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait = sync.OnceValue(cmd.Wait)
	t.Cleanup(func() {
		cmd.Process.Kill()
		wait()
	})
	return wait
}

// TestKill kills workers from outside until one of them was counting a file.
func TestKill(t *testing.T) {
	spawntest.Check(t)
	src := bigTree(t)
	undisturbed, _, _ := count(t, src)
	want, wantFiles := totals(t, undisturbed)
	cmd := command(t, "-workers", "2", src)
	var stdout strings.Builder
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	wait := begin(t, cmd)
	done := make(chan struct{})
	killed := make(chan string, wantFiles)
	var last string // line on standard error
	go func() {
		defer close(done)
		reported := regexp.MustCompile(`not counted: (.*): its worker, process \d+, died: signal: killed$`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			last = lines.Text()
			if match := reported.FindStringSubmatch(last); match != nil {
				killed <- match[1]
			}
		}
		io.Copy(io.Discard, stderr)
	}()
	for len(killed) == 0 {
		for _, worker := range workersOf(t, cmd.Process.Pid) {
			if reads(worker, src) {
				syscall.Kill(worker, syscall.SIGKILL)
				break
			}
		}
		select {
		case <-done:
			t.Fatal("the program ended, and no file was in progress in a worker that was killed; it said: ", last)
		case <-time.After(time.Millisecond): // look again
		}
	}
	<-done
	if err := wait(); err != nil {
		t.Errorf("the program: %v", err)
	}
	close(killed)
	for file := range killed {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("reported: %v", err)
		}
		if bytes.IndexByte(data[:min(len(data), binarySize)], 0) >= 0 {
			continue // a binary file: it would not have been counted anyway
		}
		words, _ := split(data, true, len(data))
		want -= words
		wantFiles--
	}
	if words, n := totals(t, stdout.String()); words != want || n != wantFiles {
		t.Errorf("got %d words in %d files, want %d in %d", words, n, want, wantFiles)
	}
}

// TestInterrupt ends the program with all its workers at work.
func TestInterrupt(t *testing.T) {
	spawntest.Check(t)
	src := bigTree(t)
	cmd := command(t, "-workers", "3", src, src, src, src, src)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	wait := begin(t, cmd)
	exited := make(chan error, 1)
	go func() { exited <- wait() }()
	var workers []int
	for len(workers) < 3 {
		workers = workersOf(t, cmd.Process.Pid)
		select {
		case err := <-exited:
			t.Fatalf("ended too early: %v\n%s", err, &stderr)
		case <-time.After(time.Millisecond): // look again
		}
	}
	cmd.Process.Signal(os.Interrupt)
	<-exited
	if cmd.ProcessState.ExitCode() != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupt") {
		t.Errorf("got %v, stdout %q, stderr %q", cmd.ProcessState, &stdout, &stderr)
	}
	for _, pid := range workers {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("worker %d: %v, want it gone", pid, err)
		}
	}
}

func TestNamedPipe(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "good"), "two words")
	stdout, stderr, status := count(t, dir, fifo)
	if words, files := totals(t, stdout); words != 2 || files != 1 || status != 0 {
		t.Errorf("got %d words in %d files, status %d", words, files, status)
	}
	if n := strings.Count(stderr, fifo+": not a regular file: named pipe\n"); n != 2 {
		t.Errorf("stderr: %s", stderr)
	}
}
