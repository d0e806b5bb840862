package actor_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

var (
	_ = addRole("host", hostMain)
	_ = addRole("churn", churnMain)
	_ = addRole("spinner", spinnerMain)
)

// markVariable is in the environment of a host and so of all that it starts.
const markVariable = "ACTOR_TEST_MARK"

// orphanLimit is far more than an orphan takes on an idle machine, and far
// less than one lives that does not notice.
const orphanLimit = 10 * time.Second

// marked returns the processes, zombies left out, whose environment has mark.
func marked(t testing.TB, mark string) (pids []int) {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environs {
		// A zombie's is empty; one that is gone meanwhile is an error.
		env, err := os.ReadFile(path)
		if err == nil && bytes.Contains(env, []byte(markVariable+"="+mark+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func mark(t testing.TB) string { return fmt.Sprintf("%s %d", t.Name(), os.Getpid()) }

// extinct waits until no process has the mark, and ends those that stay.
func extinct(t testing.TB, mark string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var left []int
	for deadline := time.Now().Add(orphanLimit); ; <-tick.C {
		if left = marked(t, mark); len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	for _, pid := range left {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		t.Errorf("process %d outlived its host by %v: %q", pid, orphanLimit, cmdline)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// startHost starts a host and returns what it prints.
func startHost(t testing.TB, role string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := program(t, role, markVariable+"="+mark(t))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(out)
}

// line waits for the next line of a host.
func line(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("the host said %q: %v", s, err)
	}
	return strings.TrimSpace(s)
}

// must ends a host that does not work.
func must[T any](v T, err error) T {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	return v
}

// hostSystem boots and makes a System that says nothing.
func hostSystem() *actor.System {
	actor.Boot()
	return must(actor.NewSystem(actor.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}))
}

// hostMain starts actors that are idle, that spin, that flood it with frames
// and with lines, that boot, and one that has not even begun to. Then it says so.
func hostMain() {
	sys, ctx := hostSystem(), context.Background()
	inbox := must(sys.NewInbox(Held{}))
	started := func() { must(inbox.Receive(ctx)) }
	idle := must(sys.Spawn(ctx, rigger))
	must(sys.Spawn(ctx, rigger))

	busy := must(sys.Spawn(ctx, rigger))
	must(0, busy.Tell(ctx, Spin{inbox.Ref()}))
	started()

	poured := must(sys.NewInbox(Count{}))
	writing := must(sys.Spawn(ctx, rigger))
	must(0, writing.Tell(ctx, Pour{To: poured.Ref(), N: 1 << 40}))
	must(poured.Receive(ctx))
	go func() {
		for {
			must(poured.Receive(ctx))
		}
	}()
	printing := must(sys.Spawn(ctx, rigger))
	must(0, printing.Tell(ctx, Say{Out: "flood\n", Times: 1 << 40}))

	go sys.Spawn(ctx, rigger.With(rigArg{Gate: inbox.Ref(), Hang: true}))
	started()
	mute := rigger.With(rigArg{})
	mute.Env, mute.BootTimeout = as("mute"), time.Hour
	go sys.Spawn(ctx, mute)

	must(actor.Ask[string](ctx, idle, Echo{"still here"}))
	fmt.Println("ready")
	select {}
}

// hostActors is how many processes hostMain starts.
const hostActors = 7

// Nobody outlives a host that is killed, whatever they are doing.
func TestHostKilled(t *testing.T) {
	spawntest.Check(t)
	host, out := startHost(t, "host")
	defer extinct(t, mark(t))
	defer host.Wait()
	defer host.Process.Kill()
	if got := line(t, out); got != "ready" {
		t.Fatalf("the host said %q", got)
	}
	eventually(t, "all processes have started", func() bool { return len(marked(t, mark(t))) == 1+hostActors })
}

// churnMain starts and ends actors for ever, and says what it does.
func churnMain() {
	sys, ctx := hostSystem(), context.Background()
	for range 3 {
		go func() {
			for {
				ref := must(sys.Spawn(ctx, rigger))
				fmt.Println("spawned")
				must(actor.Ask[string](ctx, ref, Echo{"x"}))
				ref.Tell(ctx, Spin{})
				fmt.Println("told")
				must(0, ref.Kill(ctx))
			}
		}()
	}
	select {}
}

// The same at any moment in the life of an actor.
func TestHostKilledAtAnyMoment(t *testing.T) {
	spawntest.Check(t)
	for range 6 {
		host, out := startHost(t, "churn")
		for range 1 + rand.IntN(30) {
			if got := line(t, out); got != "spawned" && got != "told" {
				t.Errorf("the host said %q", got)
			}
		}
		host.Process.Kill()
		host.Wait()
		extinct(t, mark(t))
	}
}

// endThreads makes the runtime end n threads, so also those that were idle.
func endThreads(t testing.TB, n int) {
	t.Helper()
	tids, release := make(chan int, n), make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			tids <- syscall.Gettid()
			<-release
		}()
	}
	var all []int
	for range n {
		if tid := within(t, tids); tid != os.Getpid() { // the main thread does not end
			all = append(all, tid)
		}
	}
	close(release)
	for _, tid := range all {
		eventually(t, "the thread has ended", func() bool {
			_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid))
			return os.IsNotExist(err)
		})
	}
}

// An actor outlives the thread whose goroutine spawned it, and every other one,
// although the kernel's death signal follows threads.
func TestSpawnFromEndedThread(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for range 3 {
		refs := make(chan actor.Ref, 1)
		go func() {
			runtime.LockOSThread()
			ref, err := sys.Spawn(t.Context(), rigger)
			if err != nil {
				t.Error(err)
			}
			refs <- ref
		}()
		ref := within(t, refs)
		m := sys.Monitor(ref)
		endThreads(t, 32)
		for range 20 {
			if _, err := actor.Ask[string](t.Context(), ref, Echo{"alive"}); err != nil {
				t.Fatal(err)
			}
		}
		if !m.Stop() {
			t.Errorf("it is down: %v", ended(t, m).Reason)
		}
	}
}

// spinnerMain uses half a second of processor time.
func spinnerMain() {
	for spent := time.Duration(0); spent < 500*time.Millisecond; {
		for range 1 << 16 {
		}
		var ru syscall.Rusage
		must(0, syscall.Getrusage(syscall.RUSAGE_SELF, &ru))
		spent = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
}

// processorTime is what a process has used so far.
func processorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	var sum time.Duration
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		t.Skip("this kernel has no schedstat")
	}
	for _, path := range tasks {
		var ns int64
		if b, err := os.ReadFile(path); err == nil {
			fmt.Sscan(string(b), &ns)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// An idle system uses no processor time: in what a spinning process takes to
// use half a second, twenty actors and their host use next to nothing.
func TestIdleUsesNoProcessor(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	const n = 20
	pids := []int{}
	for range n {
		ref := spawnRig(t, sys, rigArg{})
		for range 100 { // so that it has been hot
			ask[string](t, ref, Echo{"x"})
		}
		pids = append(pids, pidOf(t, ref))
	}
	used := func() (sum time.Duration) {
		for _, pid := range pids {
			sum += processorTime(t, pid)
		}
		var ru syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
			t.Fatal(err)
		}
		return sum + time.Duration(ru.Utime.Nano()+ru.Stime.Nano())
	}
	spinner := program(t, "spinner")
	if err := spinner.Start(); err != nil { // a start is not idle
		t.Fatal(err)
	}
	before := used()
	if err := spinner.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := used() - before; got > 100*time.Millisecond {
		t.Errorf("%d idle actors and their host used %v of processor time", n, got)
	} else {
		t.Logf("%v in all", got)
	}
}
