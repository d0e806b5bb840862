package actor_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"golang.org/x/sys/unix"
)

// glutton is an actor that takes what it is told to take.
type glutton struct {
	memory [][]byte
	files  []*os.File
}

type (
	// Take takes so many bytes of memory, a MiB at a time, with a pause after each; it is answered when it has them.
	Take struct {
		MiB   int
		Pause time.Duration
	}
	// Open opens so many files, and is answered with how many it got.
	Open struct{ Files int }
	// MakeFile makes a file of that size at Path.
	MakeFile struct {
		Path string
		Size int64
	}
	// Fork starts so many processes that sleep, in sessions of their own, and is answered with their pids.
	Fork struct{ Processes int }
	// Burn uses the processor for so long, and is answered with how much of it it got.
	Burn struct{ For time.Duration }
	// LimitOf is answered with the soft and the hard limit.
	LimitOf struct{ Resource int }
)

// GluttonArg says how much memory it takes when it starts.
type GluttonArg struct{ MiB int }

func newGlutton(c *actor.Context, arg GluttonArg) (*glutton, error) {
	g := &glutton{}
	_, err := g.Take(c, Take{MiB: arg.MiB})
	return g, err
}

var gluttons = actor.Define("glutton", newGlutton,
	actor.On((*glutton).Take), actor.On((*glutton).Open), actor.On((*glutton).MakeFile), actor.On((*glutton).Fork),
	actor.On((*glutton).Burn), actor.On((*glutton).LimitOf), actor.On((*glutton).Facts), actor.On((*glutton).Env))

func (g *glutton) Facts(*actor.Context, Facts) (Facts, error) { return Facts{Pid: os.Getpid()}, nil }

func (g *glutton) Env(_ *actor.Context, m Env) (string, error) { return os.Getenv(m.What), nil }

func (g *glutton) Take(_ *actor.Context, m Take) (int, error) {
	for range m.MiB {
		block, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return 0, err
		}
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		g.memory = append(g.memory, block)
		time.Sleep(m.Pause)
	}
	return m.MiB, nil
}

func (g *glutton) Open(_ *actor.Context, m Open) (int, error) {
	for n := range m.Files {
		f, err := os.Open(os.DevNull)
		if err != nil {
			if !errors.Is(err, syscall.EMFILE) {
				return n, err
			}
			return n, nil
		}
		g.files = append(g.files, f)
	}
	return m.Files, nil
}

func (g *glutton) MakeFile(_ *actor.Context, m MakeFile) (int, error) {
	f, err := os.Create(m.Path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	block := make([]byte, 4096)
	for left := m.Size; left > 0; left -= int64(len(block)) {
		block = block[:min(left, int64(len(block)))]
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
	}
	return int(m.Size), nil
}

func (g *glutton) Fork(_ *actor.Context, m Fork) ([]int, error) {
	var pids []int
	for range m.Processes {
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return pids, fmt.Errorf("process %d: %w", len(pids)+1, err)
		}
		pids = append(pids, cmd.Process.Pid)
	}
	return pids, nil
}

func (g *glutton) Burn(_ *actor.Context, m Burn) (time.Duration, error) {
	until := time.Now().Add(m.For)
	for time.Now().Before(until) {
	}
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}

func (g *glutton) LimitOf(_ *actor.Context, m LimitOf) ([]uint64, error) {
	var l syscall.Rlimit
	err := syscall.Getrlimit(m.Resource, &l)
	return []uint64{l.Cur, l.Max}, err
}

// limitedTo is a glutton with limits. Under the race detector a process is larger.
func limitedTo(l actor.Limits) actor.Spec {
	s := gluttons.With(GluttonArg{})
	s.Limits = l
	return s
}

// needs skips the test where there is no control group for what it is about.
func needs(t *testing.T, what string, s actor.Support) {
	t.Helper()
	t.Logf("%s: %+v", what, s)
	if !strings.HasPrefix(s.By, "cgroup") {
		t.Skipf("no control groups for %s here: %s; run the tests as root, or where they are delegated", what, s.Reason)
	}
}

// Who takes more memory than its limit ends, with that reason, and nobody else notices. Who takes
// less goes on, and a SIGKILL by somebody else is told apart.
func TestMemoryLimit(t *testing.T) {
	const limit = 128 << 20
	sys := actortest.New(t, actor.Options{})
	t.Logf("by %+v", sys.Capabilities().Memory)
	other := svSpawn(t, sys, hanger.With(actor.None{}))
	defer asksGoOn(t, other)()
	ref := svSpawn(t, sys, limitedTo(actor.Limits{Memory: limit}))
	if got, want := ask[string](t, ref, Env{"GOMEMLIMIT"}), strconv.Itoa(limit/10*9); got != want {
		t.Errorf("GOMEMLIMIT is %q, want %q", got, want)
	}
	ask[int](t, ref, Take{MiB: 20})

	m := sys.Monitor(ref)
	_, err := actor.Ask[int](t.Context(), ref, Take{MiB: 1000})
	if oom, ok := errors.AsType[actor.OutOfMemory](err); !ok || oom.Limit != limit {
		t.Errorf("the Ask: %v", err)
	}
	d := ended(t, m)
	oom, ok := d.Reason.(actor.OutOfMemory)
	if !ok || oom.Limit != limit || !d.Restarting || d.InProgress == nil {
		t.Fatalf("the Down is %+v", d)
	}
	t.Logf("peak %d MiB of %d MiB", oom.Peak>>20, limit>>20)

	m = sys.Monitor(ref)
	ask[int](t, ref, Take{MiB: 20}) // the next process
	if err := syscall.Kill(pidOf(t, ref), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, m); d.Reason != (actor.Signal{Signal: syscall.SIGKILL}) {
		t.Errorf("a stranger's SIGKILL: %#v", d.Reason)
	}
}

// Who takes too much before it is ready does not come up, and Spawn says why.
func TestMemoryLimitAtStart(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := gluttons.With(GluttonArg{MiB: 1000})
	spec.Limits.Memory = 128 << 20
	_, err := sys.Spawn(t.Context(), spec)
	if oom, ok := errors.AsType[actor.OutOfMemory](err); !ok || oom.Limit != spec.Limits.Memory {
		t.Errorf("Spawn: %v", err)
	}
}

// A confined process has its limits, too.
func TestLimitsInASandbox(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := limitedTo(actor.Limits{Memory: 128 << 20, OpenFiles: 50, BestEffort: true})
	spec.Sandbox = actor.Strict()
	spec.Sandbox.BestEffort = true
	ref := svSpawn(t, sys, spec)
	if l := ask[[]uint64](t, ref, LimitOf{syscall.RLIMIT_NOFILE}); l[0] != 50 || l[1] != 50 {
		t.Errorf("limits %v of open files, want 50", l)
	}
	m := sys.Monitor(ref)
	tell(t, ref, Take{MiB: 1000})
	if oom, ok := ended(t, m).Reason.(actor.OutOfMemory); !ok || oom.Limit != spec.Limits.Memory {
		t.Errorf("the reason is %v", oom)
	}
}

// Tests of what control groups do run with them as root, mostly, and those of the watcher without.
func TestLimitsUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root, so the other tests are this")
	}
	dir, err := os.MkdirTemp("/tmp", "limits") // which others can enter
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(os.Chmod(dir, 0o777), copyFile(dir+"/test", "/proc/self/exe")); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	cmd := exec.Command(dir+"/test", "-test.run", "^(TestMemoryLimit|TestMemoryLimitAtStart|TestUnsupportedLimit|TestOpenFilesLimit|TestRecycleForMemory|TestLimitsInASandbox)$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	// os/exec's child changed its user in this program's memory, which the kernel has therefore
	// made undumpable for good (PR_SET_DUMPABLE(2const)).
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		t.Error(err)
	}
}

func copyFile(to, from string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// The limits of what a Spec may ask for.
func TestLimitsAreChecked(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		name string
		l    actor.Limits
	}{
		{"Memory", actor.Limits{Memory: 16<<20 - 1}}, {"Memory", actor.Limits{Memory: -1}},
		{"CPU", actor.Limits{CPU: 0.0099}}, {"CPU", actor.Limits{CPU: 8192.1}}, {"CPU", actor.Limits{CPU: -1}},
		{"Processes", actor.Limits{Processes: 15}}, {"Processes", actor.Limits{Processes: 1<<22 + 1}},
		{"OpenFiles", actor.Limits{OpenFiles: 23}}, {"OpenFiles", actor.Limits{OpenFiles: 1<<20 + 1}},
		{"FileSize", actor.Limits{FileSize: 64<<10 - 1}}, {"FileSize", actor.Limits{FileSize: -1}},
	} {
		test.l.BestEffort = true // that does not help
		if _, err := sys.Spawn(t.Context(), limitedTo(test.l)); err == nil || !strings.Contains(err.Error(), "Limits."+test.name) {
			t.Errorf("%+v: %v", test.l, err)
		}
	}
	for _, l := range []actor.Limits{
		{CPU: 8192, BestEffort: true}, {Processes: 16, BestEffort: true}, {OpenFiles: 24}, {OpenFiles: 1 << 20},
		{FileSize: 64 << 10}, {FileSize: 1<<63 - 1}, {Memory: 1<<63 - 1},
	} {
		ref, err := sys.Spawn(t.Context(), limitedTo(l))
		if err != nil {
			t.Errorf("%+v: %v", l, err)
			continue
		}
		if pid := ask[Facts](t, ref, Facts{}).Pid; pid == 0 {
			t.Errorf("%+v: no answer", l)
		}
	}
}

// What cannot be kept here is an error that says so, or left out.
func TestUnsupportedLimit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	c := sys.Capabilities()
	for _, test := range []struct {
		name string
		by   actor.Support
		l    actor.Limits
	}{
		{"Memory", c.Memory, actor.Limits{Memory: 256 << 20}},
		{"CPU", c.CPU, actor.Limits{CPU: 1}},
		{"Processes", c.Processes, actor.Limits{Processes: 100}},
		{"OpenFiles", c.OpenFiles, actor.Limits{OpenFiles: 100}},
		{"FileSize", c.FileSize, actor.Limits{FileSize: 1 << 20}},
		{"NoCoreDumps", c.NoCoreDumps, actor.Limits{NoCoreDumps: true}},
	} {
		_, err := sys.Spawn(t.Context(), limitedTo(test.l))
		t.Logf("%s: %+v", test.name, test.by)
		if test.by.By != "" {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if !errors.Is(err, actor.ErrUnsupportedLimit) || !errors.Is(err, errors.ErrUnsupported) ||
			!strings.Contains(err.Error(), "Limits."+test.name) || test.by.Reason == "" || !strings.Contains(err.Error(), test.by.Reason) {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, isSpawn := errors.AsType[*actor.SpawnError](err); !isSpawn {
			t.Errorf("%s: not a SpawnError: %v", test.name, err)
		}
		test.l.BestEffort = true
		if _, err := sys.Spawn(t.Context(), limitedTo(test.l)); err != nil {
			t.Errorf("%s, best effort: %v", test.name, err)
		}
	}
}

// With a limit of n open files there are n, those of the runtime included.
func TestOpenFilesLimit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, limit := range []int{24, 25, 100} {
		ref := svSpawn(t, sys, limitedTo(actor.Limits{OpenFiles: limit}))
		got := ask[int](t, ref, Open{limit})
		if open := len(descriptorsOf(t, pidOf(t, ref))); open != limit {
			t.Errorf("limit %d: %d are open, of which the handler opened %d", limit, open, got)
		}
		if l := ask[[]uint64](t, ref, LimitOf{syscall.RLIMIT_NOFILE}); l[0] != uint64(limit) || l[1] != uint64(limit) {
			t.Errorf("limits %v, want %d", l, limit)
		}
	}
}

func descriptorsOf(t *testing.T, pid int) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// A file may be as large as the limit.
func TestFileSizeLimit(t *testing.T) {
	const limit = 100_000
	sys := actortest.New(t, actor.Options{})
	ref := svSpawn(t, sys, limitedTo(actor.Limits{FileSize: limit, NoCoreDumps: true}))
	for _, size := range []int64{limit - 1, limit, limit + 1} {
		path := t.TempDir() + "/file"
		_, err := actor.Ask[int](t.Context(), ref, MakeFile{path, size})
		if size <= limit && err != nil || size > limit && (err == nil || !strings.Contains(err.Error(), syscall.EFBIG.Error())) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != min(size, limit) {
			t.Errorf("the file: %v, %v", info, err)
		}
	}
	if l := ask[[]uint64](t, ref, LimitOf{syscall.RLIMIT_CORE}); l[0] > 1 || l[1] > 1 {
		t.Errorf("limits of core files: %v", l)
	}
}

// Without Limits a process has those of the program.
func TestNoLimits(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := svSpawn(t, sys, gluttons.With(GluttonArg{}))
	for _, resource := range []int{syscall.RLIMIT_NOFILE, syscall.RLIMIT_FSIZE, syscall.RLIMIT_CORE} {
		var mine syscall.Rlimit
		if err := syscall.Getrlimit(resource, &mine); err != nil {
			t.Fatal(err)
		}
		if l := ask[[]uint64](t, ref, LimitOf{resource}); l[1] != mine.Max {
			t.Errorf("limit %d: %v, the program has %d", resource, l, mine.Max)
		}
	}
	for _, variable := range []string{"GOMEMLIMIT", "PROGENY_LIMITS"} {
		if got := ask[string](t, ref, Env{variable}); got != os.Getenv(variable) {
			t.Errorf("%s is %q", variable, got)
		}
	}
}

// The Spec's own GOMEMLIMIT counts.
func TestOwnMemoryLimit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := limitedTo(actor.Limits{Memory: 256 << 20})
	spec.Env = append(os.Environ(), "GOMEMLIMIT=50MiB")
	ref := svSpawn(t, sys, spec)
	if got := ask[string](t, ref, Env{"GOMEMLIMIT"}); got != "50MiB" {
		t.Errorf("GOMEMLIMIT is %q", got)
	}
}

func TestProcessesLimit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	needs(t, "processes", sys.Capabilities().Processes)
	ref := svSpawn(t, sys, limitedTo(actor.Limits{Processes: 24}))
	if _, err := actor.Ask[[]int](t.Context(), ref, Fork{4}); err != nil {
		t.Errorf("4 processes: %v", err)
	}
	if _, err := actor.Ask[[]int](t.Context(), ref, Fork{24}); err == nil || !strings.Contains(err.Error(), "resource temporarily unavailable") {
		t.Errorf("24 more: %v", err)
	}
}

func TestCPULimit(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	needs(t, "CPU", sys.Capabilities().CPU)
	ref := svSpawn(t, sys, limitedTo(actor.Limits{CPU: 0.2}))
	used := ask[time.Duration](t, ref, Burn{time.Second})
	if used > 600*time.Millisecond { // 200 ms, and what the start took; without a limit a second
		t.Errorf("it used %v of a processor in a second, the limit is 0.2", used)
	}
}

// The end of a process, by whatever, is that of all it has started, in sessions of their own too.
func TestWholeTreeIsKilled(t *testing.T) {
	for _, how := range []string{"kill", "stop", "crash"} {
		t.Run(how, func(t *testing.T) {
			sys := actortest.New(t, actor.Options{})
			needs(t, "kill", sys.Capabilities().KillTree)
			spec := limitedTo(actor.Limits{NoCoreDumps: true})
			spec.Restart = actor.Temporary
			ref := svSpawn(t, sys, spec)
			pids := ask[[]int](t, ref, Fork{3})
			if len(pids) != 3 || !alive(pids[0]) {
				t.Fatalf("processes %v", pids)
			}
			w := sys.Watch(ref)
			switch how {
			case "kill":
				ref.Kill(t.Context())
			case "stop":
				ref.Stop(t.Context())
			case "crash":
				syscall.Kill(pidOf(t, ref), syscall.SIGSEGV)
			}
			ended(t, w)
			for _, pid := range pids {
				if alive(pid) {
					t.Errorf("process %d lives", pid)
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
}

// So it is with a supervisor and all under it, one of which is stopped.
func TestWholeTreeOfSupervisorIsKilled(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	needs(t, "kill", sys.Capabilities().KillTree)
	spec := limitedTo(actor.Limits{NoCoreDumps: true})
	ref := svSpawn(t, sys, actor.Supervisor{Children: []actor.Child{
		spec.Named("a"), actor.Supervisor{Children: []actor.Child{spec.Named("b"), spec.Named("c")}},
	}})
	var pids []int
	for _, name := range []string{"a", "b", "c"} {
		child, err := sys.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, ask[[]int](t, child, Fork{2})...)
		pids = append(pids, pidOf(t, child))
	}
	for _, pid := range pids[:3] { // a and its processes
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d lives", pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// alive reports whether the process runs, and is no zombie that waits for init.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

// No group is left when the System is closed.
func TestNoGroupIsLeft(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	needs(t, "memory", sys.Capabilities().Memory)
	var spawning sync.WaitGroup
	for range 8 {
		spawning.Go(func() {
			ref, err := sys.Spawn(t.Context(), limitedTo(actor.Limits{Memory: 256 << 20}))
			if err != nil {
				t.Error(err)
				return
			}
			if mine := groupsOf(t, ask[Facts](t, ref, Facts{}).Pid); mine == groupsOf(t, os.Getpid()) {
				t.Errorf("it is in the program's groups:\n%s", mine)
			}
		})
	}
	spawning.Wait()
	if n := ourGroups(t); n != 8 {
		t.Errorf("%d groups of ours, want 8", n)
	}
	if err := sys.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := ourGroups(t); n != 0 {
		t.Errorf("%d groups of ours are left", n)
	}
}

func groupsOf(t *testing.T, pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// ourGroups counts the groups of this program with a memory limit.
func ourGroups(t *testing.T) int {
	t.Helper()
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer mounts.Close()
	found := 0
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		left, right, _ := strings.Cut(lines.Text(), " - ")
		if !strings.HasPrefix(right, "cgroup") || !strings.Contains(right, "memory") && !strings.HasPrefix(right, "cgroup2") {
			continue
		}
		out, _ := exec.Command("find", strings.Fields(left)[4], "-name", fmt.Sprintf("progeny-%d-*", os.Getpid()),
			"!", "-name", fmt.Sprintf("progeny-%d-0", os.Getpid())).Output() // 0 is the program's own
		if n := len(strings.Fields(string(out))); n > 0 && found == 0 {
			found = n
		}
	}
	return found
}
