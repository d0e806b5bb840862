package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// markVariable is in the environment of the program and of all that it starts.
const markVariable = "PROGENY_CHAOS"

// A watch looks at what the program holds.
type watch struct {
	mark  string
	fault func(string, ...any)

	mu       sync.Mutex // protects the following
	points   []sample   // of the pauses
	most     sample
	zombies  int // for suspectFor
	orphans  int
	suspects map[string]time.Time // zombies and orphans, and since when they have been; zero when that is told
	closed   time.Duration        // how long Close took
	left     int                  // processes after it
}

// A sample is what the program holds at a moment.
type sample struct {
	At         time.Duration
	FDs        int
	Goroutines int
	RSS        int64 // of the program, in bytes
	Heap       int64 // live, after a collection; in pauses
	PSS        int64 // of all children together; in pauses
	Children   int
	Groups     int // control groups of its actors
}

func newWatch(fault func(string, ...any)) *watch {
	return &watch{mark: os.Getenv(markVariable), fault: fault, suspects: map[string]time.Time{}}
}

// begun is when the program began.
var begun = time.Now()

// run looks once a second until ctx is done.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(time.Now())
		}
	}
}

// suspectFor is how long a process has to be a zombie or an orphan, at all looks, to be called one: this program may be
// without a processor for a while, and then it is not the runtime that has forgotten it.
const suspectFor = 5 * time.Second

// look counts, and finds zombies and orphans.
func (w *watch) look(at time.Time) {
	s, processes := w.sample()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most.FDs = max(w.most.FDs, s.FDs)
	w.most.Goroutines = max(w.most.Goroutines, s.Goroutines)
	w.most.RSS = max(w.most.RSS, s.RSS)
	w.most.Children = max(w.most.Children, s.Children)
	before := w.suspects
	w.suspects = map[string]time.Time{}
	for _, p := range processes {
		switch {
		case p.parent == os.Getpid() && p.state == 'Z':
			if w.convicts(before, fmt.Sprintf("zombie %d %d", p.pid, p.start), at) {
				w.zombies++
				w.fault("process %d has been a zombie for %v", p.pid, suspectFor)
			}
		case p.pid != os.Getpid() && p.parent != os.Getpid() && processes[p.parent].parent != os.Getpid() && p.state != 'Z' && marked(p.pid, w.mark):
			if w.convicts(before, fmt.Sprintf("orphan %d %d", p.pid, p.start), at) {
				w.orphans++
				stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
				group, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.pid))
				w.fault("process %d (%s) is an orphan: its parent is %d; %.60s; %q", p.pid, p.name, p.parent, stat, group)
			}
		}
	}
}

// convicts notes a suspect, and reports, once, that it has been one for suspectFor. mu is held.
func (w *watch) convicts(before map[string]time.Time, id string, at time.Time) bool {
	since, again := before[id]
	switch {
	case !again:
		since = at
	case since.IsZero(): // it has been told
	case at.Sub(since) >= suspectFor:
		w.suspects[id] = time.Time{}
		return true
	}
	w.suspects[id] = since
	return false
}

func (w *watch) sample() (sample, map[int]processInfo) {
	processes := readProcesses()
	s := sample{At: time.Since(begun), FDs: countFDs(), Goroutines: runtime.NumGoroutine(), RSS: residentSize(), Groups: len(groups(os.Getpid()))}
	for _, p := range processes {
		if p.parent == os.Getpid() {
			s.Children++
		}
	}
	return s, processes
}

// measure takes a sample in a pause: it waits for what is about to go, and for the
// standby processes.
func (w *watch) measure(alive map[int]bool) {
	runtime.GC()
	debug.FreeOSMemory()
	var s sample
	var processes map[int]processInfo
	want := len(alive) + standby
	w.mu.Lock()
	first := sample{FDs: 1 << 30, Goroutines: 1 << 30, Groups: 1 << 30}
	if len(w.points) > 0 {
		first = w.points[0]
	}
	w.mu.Unlock()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		s, processes = w.sample()
		if s.Children == want && len(s.beyond(first)) == 0 && len(strays(processes, w.mark)) == 0 {
			break
		}
		if time.Since(begin) > grace {
			break
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap = int64(m.HeapAlloc)
	for pid := range alive {
		s.PSS += proportionalSize(pid)
	}
	w.mu.Lock()
	w.points = append(w.points, s)
	w.mu.Unlock()
	if s.Children != want {
		var who []string
		for _, pid := range slices.Sorted(maps.Keys(processes)) {
			if p := processes[pid]; p.parent == os.Getpid() && !alive[pid] {
				who = append(who, fmt.Sprintf("%d %s %c", pid, p.name, p.state))
			}
		}
		w.fault("%d children in a pause, want %d actors and %d in reserve; not actors: %q", s.Children, len(alive), standby, who)
	}
	for _, more := range s.beyond(first) {
		w.fault("in a pause there were %s; descriptors: %s", more, describeFDs(os.Getpid()))
	}
}

// beyond lists what s has more of than the first pause had.
func (s sample) beyond(first sample) (more []string) {
	for _, of := range []struct {
		name       string
		now, first int
	}{
		{"descriptors", s.FDs, first.FDs}, {"goroutines", s.Goroutines, first.Goroutines}, {"control groups", s.Groups, first.Groups},
	} {
		if of.now > of.first {
			more = append(more, fmt.Sprintf("%d %s, in the first %d", of.now, of.name, of.first))
		}
	}
	return more
}

// afterClose looks at what is left when the System is closed.
func (w *watch) afterClose(took time.Duration) {
	s, processes := w.sample()
	left := strays(processes, w.mark)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.left = took, len(left)+s.Children
	for _, p := range processes {
		if p.parent == os.Getpid() {
			w.fault("process %d (%s) is left after Close", p.pid, p.name)
		}
	}
	for _, dir := range groups(os.Getpid()) {
		w.fault("control group %s is left after Close", dir)
	}
	for _, p := range left {
		w.fault("process %d (%s) is an orphan after Close", p.pid, p.name)
		syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// groups are the directories of control groups that a program has made, in all hierarchies.
func groups(pid int) (dirs []string) {
	list, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(list)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1]+",unified", ",") {
			found, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", controller, parts[2], fmt.Sprintf("progeny-%d-*", pid)))
			dirs = append(dirs, found...)
		}
		if parts[1] == "" {
			found, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", parts[2], fmt.Sprintf("progeny-%d-[1-9]*", pid)))
			dirs = append(dirs, found...)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// A processInfo is of /proc/PID/stat.
type processInfo struct {
	pid, parent int
	state       byte
	name        string
	start       uint64
}

func readProcess(pid int) (p processInfo, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	open, shut := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if err != nil || open < 0 || shut < open {
		return p, false
	}
	fields := strings.Fields(string(b[shut+1:]))
	if len(fields) < 20 {
		return p, false
	}
	p = processInfo{pid: pid, name: string(b[open+1 : shut]), state: fields[0][0]}
	p.parent, _ = strconv.Atoi(fields[1])
	p.start, _ = strconv.ParseUint(fields[19], 10, 64)
	return p, true
}

func readProcesses() map[int]processInfo {
	all := map[int]processInfo{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := readProcess(pid); ok {
				all[pid] = p
			}
		}
	}
	return all
}

// strays are the marked processes, zombies left out, that are neither children
// nor grandchildren of this one.
func strays(processes map[int]processInfo, mark string) (found []processInfo) {
	me := os.Getpid()
	for pid, p := range processes {
		if pid != me && p.parent != me && processes[p.parent].parent != me && p.state != 'Z' && marked(pid, mark) {
			found = append(found, p)
		}
	}
	return found
}

// marked reports whether a process has the mark in its environment.
func marked(pid int, mark string) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(env, []byte(markVariable+"="+mark+"\x00"))
}

func countFDs() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries) - 1 // without the one that reads them
}

// describeFDs says how many descriptors of each kind there are.
func describeFDs(pid int) string {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	entries, _ := os.ReadDir(dir)
	kinds := map[string]int{}
	for _, e := range entries {
		file, _ := os.Readlink(dir + e.Name())
		file, _, _ = strings.Cut(file, ":[")
		kinds[file]++
	}
	return fmt.Sprint(kinds)
}

func residentSize() int64 {
	b, _ := os.ReadFile("/proc/self/statm")
	var size, resident int64
	fmt.Sscan(string(b), &size, &resident)
	return resident * int64(os.Getpagesize())
}

// proportionalSize is a process's share of memory in bytes; 0 if it has gone.
func proportionalSize(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			var kib int64
			fmt.Sscan(rest, &kib)
			return kib << 10
		}
	}
	return 0
}

// free gives a part of a file back to the file system; where that cannot do it, it stays.
func free(f *os.File, offset, length int64) error {
	const keepSize, punchHole = 1, 2
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { syscall.Fallocate(int(fd), keepSize|punchHole, offset, length) })
}
