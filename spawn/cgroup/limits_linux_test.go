package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	m := opened(t, memory)
	const limit = 64 << 20
	g := created(t, m, Limits{Memory: limit})
	neighbour := created(t, m, Limits{Memory: limit})
	other := command(t, "idle")
	ready(t, other, intoGroup(neighbour, other))

	cmd := command(t, "hog")
	if err := g.Start(cmd.SysProcAttr, cmd.Start); err != nil {
		t.Fatal(err)
	}
	if sig := killedBy(cmd); sig != syscall.SIGKILL {
		t.Fatalf("ended by %v, want SIGKILL", sig)
	}
	got, err := g.Memory()
	if err != nil || !got.OutOfMemory() || got.OOMKills < 1 || got.LimitHits < 1 {
		t.Errorf("got %+v, %v, want it out of memory", got, err)
	}
	// The kernel lets some pages through that it cannot do without.
	if got.Peak < limit*9/10 || got.Peak > limit+limit/10 {
		t.Errorf("peak %d, want about %d", got.Peak, limit)
	}
	// Nobody else notices.
	got, err = neighbour.Memory()
	if err != nil || got.OOMKills != 0 || got.OutOfMemory() || got.Current <= 0 || got.Current > limit {
		t.Errorf("neighbour: got %+v, %v", got, err)
	}
	if dead(handle(t, other.Process.Pid), 0) {
		t.Error("the neighbour is dead")
	}
}

// What stays under the limit is not killed, and a stranger's SIGKILL is not taken
// for the kernel's.
func TestMemoryStrangersKill(t *testing.T) {
	g := created(t, opened(t, memory), Limits{Memory: 256 << 20})
	cmd := command(t, "full")
	ready(t, cmd, intoGroup(g, cmd))
	cmd.Process.Kill()
	if sig := killedBy(cmd); sig != syscall.SIGKILL {
		t.Fatalf("ended by %v, want SIGKILL", sig)
	}
	got, err := g.Memory()
	if err != nil || got.OutOfMemory() || got.OOMKills != 0 || got.Peak < 64<<20 || got.Peak > 200<<20 {
		t.Errorf("got %+v, %v, want no kill and a peak of 64 MiB or somewhat more", got, err)
	}
}

func TestOutOfMemory(t *testing.T) {
	for _, test := range []struct {
		memory Memory
		want   bool
	}{
		{Memory{}, false},
		{Memory{LimitHits: 3}, false}, // reclaim was enough
		{Memory{OOMKills: 1}, false},  // it was the machine's memory
		{Memory{LimitHits: 1, OOMKills: 1}, true},
	} {
		if got := test.memory.OutOfMemory(); got != test.want {
			t.Errorf("%+v: got %v, want %v", test.memory, got, test.want)
		}
	}
}

func TestMemoryNotCounted(t *testing.T) {
	g := created(t, opened(t), Limits{})
	if _, err := g.Memory(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
}

// A shell is one task, and each sleep one more.
func TestProcessLimit(t *testing.T) {
	m := opened(t, tasks)
	const limit = 4
	for _, test := range []struct {
		children int
		ok       bool
	}{{limit - 2, true}, {limit - 1, true}, {limit, false}} {
		g := created(t, m, Limits{Processes: limit})
		cmd := shell(t, "read go; "+strings.Repeat("sleep 1000 >/dev/null 2>&1 & ", test.children)+"echo all")
		in, err := cmd.StdinPipe() // it forks when all limits are set
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := g.Start(cmd.SysProcAttr, cmd.Start); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(in, "go")
		said := make([]byte, 3)
		n, _ := out.Read(said) // nothing, when the shell gives up
		if ok := string(said[:n]) == "all"; ok != test.ok {
			t.Errorf("%d children in %d tasks: %v, want %v", test.children, limit, ok, test.ok)
		}
		if err := g.Kill(); err != nil {
			t.Error(err)
		}
		cmd.Wait()
		if refused := strings.Contains(strings.ToLower(stderr.String()), "fork"); refused == test.ok {
			t.Errorf("%d children: stderr %q", test.children, stderr.String())
		}
	}
}

// One task is enough for a program of one thread, though a thread of ours was in
// the group to fork it.
func TestProcessLimitOfOne(t *testing.T) {
	g := created(t, opened(t, tasks), Limits{Processes: 1})
	cmd := shell(t, "echo ready; read go")
	ready(t, cmd, intoGroup(g, cmd))
	if got, err := readNumber(g.at[tasks].dir + "/pids.max"); err != nil || got != 1 {
		t.Errorf("pids.max: got %d, %v, want 1", got, err)
	}
	if got, err := readNumber(g.at[tasks].dir + "/pids.current"); err != nil || got != 1 {
		t.Errorf("pids.current: got %d, %v, want 1", got, err)
	}
}

func TestCPULimit(t *testing.T) {
	g := created(t, opened(t, cpu), Limits{CPU: 0.05})
	cmd := command(t, "spin")
	if err := g.Start(cmd.SysProcAttr, cmd.Start); err != nil {
		t.Fatal(err)
	}
	eventually(t, "throttled three times", func() bool {
		stat, err := readCounters(g.at[cpu].dir + "/cpu.stat")
		if err != nil {
			t.Fatal(err)
		}
		return stat["nr_throttled"] >= 3
	})
}

// In version 1 the kernel refuses more than the group around has. That is not an
// error: it is limited as it should be.
func TestCPULimitWithinSmaller(t *testing.T) {
	m := opened(t, cpu)
	outer := created(t, m, Limits{CPU: 0.5})
	if err := outer.limit(1); err != nil {
		t.Fatal(err)
	}
	within := *m
	h := *m.at[cpu]
	h.parent = outer.at[cpu].dir
	if h.version == 2 {
		t.Skip("version 2 takes the smaller one by itself")
	}
	within.at[cpu] = &h
	g := created(t, &within, Limits{CPU: 2})
	cmd := command(t, "idle")
	ready(t, cmd, intoGroup(g, cmd))
}

func TestLimitsValidate(t *testing.T) {
	tests := []struct {
		limits Limits
		want   string
	}{
		{Limits{}, ""},
		{Limits{Memory: MinMemory - 1}, "memory limit of 1048575 bytes is under the minimum of 1048576"},
		{Limits{Memory: MinMemory}, ""},
		{Limits{Memory: MinMemory + 1}, ""},
		{Limits{Memory: -1}, "memory limit of -1 bytes is under the minimum of 1048576"},
		{Limits{Memory: math.MaxInt64}, ""},
		{Limits{CPU: 0.009}, "CPU limit of 0.009 processors; 0.01 to 8192 are possible"},
		{Limits{CPU: 0.01}, ""},
		{Limits{CPU: 0.011}, ""},
		{Limits{CPU: 8191}, ""},
		{Limits{CPU: 8192}, ""},
		{Limits{CPU: 8193}, "CPU limit of 8193 processors; 0.01 to 8192 are possible"},
		{Limits{CPU: math.NaN()}, "CPU limit of NaN processors; 0.01 to 8192 are possible"},
		{Limits{Processes: -1}, "limit of -1 processes; 1 to 4194304 are possible"},
		{Limits{Processes: 1}, ""},
		{Limits{Processes: 4194303}, ""},
		{Limits{Processes: 4194304}, ""},
		{Limits{Processes: 4194305}, "limit of 4194305 processes; 1 to 4194304 are possible"},
	}
	for _, test := range tests {
		got := ""
		if err := test.limits.validate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: got %q, want %q", test.limits, got, test.want)
		}
	}
}

// What validate lets through the kernel takes.
func TestLimitsExtreme(t *testing.T) {
	m := opened(t, memory, cpu, tasks)
	for _, l := range []Limits{
		{Memory: MinMemory, CPU: MinCPU, Processes: 1},
		{Memory: math.MaxInt64, CPU: MaxCPU, Processes: MaxProcesses},
	} {
		g := created(t, m, l)
		if err := g.limit(1); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
	_, err := m.Create("greeter", Limits{Processes: -1})
	if want := "cgroup greeter: limit of -1 processes; "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q…", err, want)
	}
}

func TestResident(t *testing.T) {
	small, large := command(t, "idle"), command(t, "full")
	ready(t, small, small.Start)
	ready(t, large, large.Start)
	little, err1 := Resident(small.Process.Pid)
	much, err2 := Resident(large.Process.Pid)
	if err1 != nil || err2 != nil || little < 500<<10 || much-little < 60<<20 || much-little > 100<<20 {
		t.Errorf("idle %d, %v; with 64 MiB %d, %v", little, err1, much, err2)
	}
	allocs := testing.AllocsPerRun(100, func() { Resident(large.Process.Pid) })
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	fd := handle(t, large.Process.Pid)
	large.Process.Kill()
	if !dead(fd, patience) {
		t.Fatal("not dead")
	}
	if got, err := Resident(large.Process.Pid); err != nil || got != 0 {
		t.Errorf("zombie: got %d, %v", got, err)
	}
	large.Wait()
	if _, err := Resident(large.Process.Pid); err == nil || !strings.Contains(err.Error(), "process already finished") {
		t.Errorf("gone: got %v", err)
	}
}

func TestParseStatm(t *testing.T) {
	for text, want := range map[string]int64{
		"0 0 0 0 0 0 0\n":                   0,
		"1234 567 89 1 0 2 0\n":             567,
		"4503599627370495 4503599627370495": 1<<52 - 1,
		"":                                  0,
	} {
		if got := parseStatm([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
