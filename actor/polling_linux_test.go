package actor_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// What polls could starve what does not, or never stop. pollingMain is the program that finds
// out, on the processors that the test gives it.

const (
	pollingHot     = 8      // actors, and who asks them
	pollingAsks    = 24_000 // of the hot ones, together
	pollingSeldom  = 300    // Asks of the hot ones for each of the cold one
	pollingCallers = 64     // of one actor
	pollingEach    = 3000   // Asks of each
	pollingRounds  = 3      // how often it is measured what is used after the last answer

	// idleAfter is how long after the last answer nobody polls any more, and idleFor how long
	// that is looked at. In that time the program and its actors may use idleLimit, and what an idle
	// Go runtime uses: half a percent.
	idleAfter = time.Millisecond
	idleFor   = 200 * time.Millisecond
	idleLimit = time.Millisecond
)

// pollingVariable is for pollingPart.
const pollingVariable = "ACTOR_TEST_POLLING"

// polled answers, and knows who it is.
type polled struct{}

func (*polled) Ping(_ *actor.Context, n Ping) (int, error) { return int(n), nil }

func (*polled) Pid(*actor.Context, Pid) (int, error) { return os.Getpid(), nil }

type (
	Ping int
	Pid  struct{}
)

var polleds = actor.Define("polled", actor.Zero[polled], actor.On((*polled).Ping), actor.On((*polled).Pid))

var _ = addRole("polling", pollingMain)

// A pollingReport is what pollingMain prints.
type pollingReport struct {
	processors, procs int
	least, mean       int           // Asks of one hot actor
	cold, worst       time.Duration // the median Ask of the cold one, and the longest
	callers           time.Duration // for all Asks of the callers
	used, control     time.Duration // the median of what was used after the last answer, and later
	usedOne           time.Duration // the same as used, when only one actor was asked
}

func (r *pollingReport) fields() []any {
	return []any{&r.processors, &r.procs, &r.least, &r.mean, &r.cold, &r.worst, &r.callers, &r.used, &r.usedOne, &r.control}
}

// pollingMain asks its actors, hot ones and a cold one, and measures.
func pollingMain() {
	sys := hostSystem()
	r := pollingReport{processors: runtime.NumCPU(), procs: runtime.GOMAXPROCS(0)}
	var hot []actor.Ref
	var pids []int
	var cold actor.Ref
	for _, step := range []func(ctx context.Context){
		func(ctx context.Context) {
			for range pollingHot {
				ref := must(sys.Spawn(ctx, polleds))
				hot, pids = append(hot, ref), append(pids, must(actor.Ask[int](ctx, ref, Pid{})))
			}
			cold = must(sys.Spawn(ctx, polleds))
		},
		func(ctx context.Context) { r.compete(ctx, hot, cold) },
		func(ctx context.Context) { r.crowd(ctx, hot[0]) },
		func(ctx context.Context) { r.usedOne, _ = rest(ctx, hot[:1], pids) }, // then it polls most
		func(ctx context.Context) { r.used, r.control = rest(ctx, hot, pids) },
		func(ctx context.Context) { must(0, sys.Close(ctx)) },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		step(ctx)
		cancel()
	}
	fmt.Println(r.processors, r.procs, r.least, r.mean, int64(r.cold), int64(r.worst), int64(r.callers), int64(r.used), int64(r.usedOne), int64(r.control))
}

// pollingPart divides how often each caller asks: a short test has less time.
func pollingPart() int {
	part, _ := strconv.Atoi(os.Getenv(pollingVariable))
	return max(part, 1)
}

func ping(ctx context.Context, ref actor.Ref, n int) {
	if got := must(actor.Ask[int](ctx, ref, Ping(n))); got != n {
		must(0, fmt.Errorf("got %d, want %d", got, n))
	}
}

// compete has everybody ask an actor as fast as it answers, and now and then the cold one.
func (r *pollingReport) compete(ctx context.Context, hot []actor.Ref, cold actor.Ref) {
	var total atomic.Int64
	var all sync.WaitGroup
	turns := make(chan struct{}, pollingAsks/pollingSeldom)
	counts := make([]int, len(hot))
	for i, ref := range hot {
		all.Go(func() {
			for {
				n := total.Add(1)
				if n > pollingAsks {
					return
				}
				ping(ctx, ref, counts[i])
				counts[i]++
				if n%pollingSeldom == 0 {
					turns <- struct{}{}
				}
			}
		})
	}
	go func() { all.Wait(); close(turns) }()
	var took []time.Duration
	for range turns {
		start := time.Now()
		ping(ctx, cold, 1)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	r.least, r.mean = slices.Min(counts), pollingAsks/len(hot)
	r.cold, r.worst = took[len(took)/2], took[len(took)-1]
}

// crowd has many ask one actor: a wake-up that is lost leaves somebody waiting for ever.
func (r *pollingReport) crowd(ctx context.Context, ref actor.Ref) {
	start := time.Now()
	var all sync.WaitGroup
	for range pollingCallers {
		all.Go(func() {
			for n := range pollingEach / pollingPart() {
				ping(ctx, ref, n)
			}
		})
	}
	all.Wait()
	r.callers = time.Since(start)
}

// rest returns what is used after the last answer, and, for control, when it is long past.
func rest(ctx context.Context, asked []actor.Ref, pids []int) (used, control time.Duration) {
	var after, later []time.Duration
	for range pollingRounds {
		var all sync.WaitGroup
		for _, ref := range asked {
			all.Go(func() {
				for n := range 500 {
					ping(ctx, ref, n)
				}
			})
		}
		all.Wait()
		time.Sleep(idleAfter)
		after = append(after, usedWithin(idleFor, pids))
		later = append(later, usedWithin(idleFor, pids))
	}
	slices.Sort(after)
	slices.Sort(later)
	return after[len(after)/2], later[len(later)/2]
}

// usedWithin is how much processor time this program and the processes use in a while.
func usedWithin(while time.Duration, pids []int) time.Duration {
	theirs := func() (sum time.Duration) {
		for _, pid := range pids {
			sum += taskTime(pid)
		}
		return sum
	}
	ours := func() time.Duration {
		var t unix.Timespec
		must(0, unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t))
		return time.Duration(t.Nano())
	}
	theirsBefore := theirs()
	oursBefore := ours()
	time.Sleep(while)
	used := ours() - oursBefore
	return used + theirs() - theirsBefore
}

// taskTime is the processor time of a process, in nanoseconds as the scheduler counts it
// (Documentation/scheduler/sched-stats.rst).
func taskTime(pid int) (sum time.Duration) {
	dir := fmt.Sprintf("/proc/%d/task/", pid)
	for _, task := range must(os.ReadDir(dir)) {
		stat, err := os.ReadFile(dir + task.Name() + "/schedstat")
		if os.IsNotExist(err) {
			continue // a thread that has ended
		}
		var ns int64
		must(fmt.Sscan(string(must(stat, err)), &ns))
		sum += time.Duration(ns)
	}
	return sum
}

// runPolling runs pollingMain on so many processors (0: all), with that GOMAXPROCS (0: the default).
func runPolling(t *testing.T, processors, procs int) (r pollingReport) {
	t.Helper()
	var env []string
	if testing.Short() {
		env = append(env, pollingVariable+"=10")
	}
	if procs > 0 {
		env = append(env, fmt.Sprint("GOMAXPROCS=", procs))
	}
	cmd := program(t, "polling", env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = onProcessors(t, processors, cmd.Start)
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	_, scanErr := fmt.Sscan(line, r.fields()...)
	if err := cmd.Wait(); err != nil || scanErr != nil {
		t.Fatalf("it said %q: %v, %v", strings.TrimSpace(line), err, scanErr)
	}
	return r
}

// onProcessors calls start, which forks, on a thread that is bound to the first n of the processors
// (sched_setaffinity(2)); a child inherits that.
func onProcessors(t *testing.T, n int, start func() error) error {
	if n == 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, some unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := 0; some.Count() < n; cpu++ {
		if all.IsSet(cpu) {
			some.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &some); err != nil {
		t.Fatal(err)
	}
	defer unix.SchedSetaffinity(0, &all)
	return start()
}

// Who polls takes the processor from nobody for long, whether there is one for each, or one for
// all: everybody makes progress, an actor that is asked seldom answers in a few times of what it takes
// where nobody can poll, no wake-up is lost, and 1 ms after the last answer nobody polls.
func TestPolling(t *testing.T) {
	spawntest.Check(t)
	control := runPolling(t, 1, 0) // with one processor nobody polls
	for _, c := range []struct {
		name              string
		processors, procs int
	}{
		{"one thread at a time", 0, 1},
		{"two processors", 2, 0},
		{"all processors", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if runtime.NumCPU() < 2 {
				t.Skip("with one processor nobody polls: needs two")
			}
			r := runPolling(t, c.processors, c.procs)
			t.Logf("%+v", r)
			if c.processors > 0 && r.processors != c.processors || c.procs > 0 && r.procs != c.procs {
				t.Errorf("it had %d processors and GOMAXPROCS=%d", r.processors, r.procs)
			}
			if r.least < r.mean/4 {
				t.Errorf("one of the hot actors was asked %d times, the mean is %d", r.least, r.mean)
			}
			if r.cold > 10*control.cold {
				t.Errorf("an Ask of the cold actor took %v, where nobody polls %v", r.cold, control.cold)
			}
			r.checkIdle(t)
		})
	}
	control.checkIdle(t)
}

func (r *pollingReport) checkIdle(t *testing.T) {
	t.Helper()
	limit := r.control + idleLimit
	if withRace() { // whatever the runtime does takes many times as long
		limit += 9 * idleLimit
	}
	if used := max(r.used, r.usedOne); used > limit {
		t.Errorf("from %v after the last answer on %v were used in %v; %v when idle", idleAfter, used, idleFor, r.control)
	}
}
