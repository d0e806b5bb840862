package actor_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// descriptor is one open file of a process.
type descriptor struct {
	Number int
	Target string // "pipe:[1234]"
	Mode   int    // O_RDONLY, O_WRONLY or O_RDWR
}

// papers are what a process finds out about itself.
type papers struct {
	Descriptors []descriptor
	Ignored     uint64 // signals, a bit each, as in proc(5)
	Caught      uint64
	Blocked     []uint64 // of each thread
}

// ownPapers reads them.
func ownPapers() (p papers, err error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return p, err
	}
	for _, e := range entries {
		d := descriptor{}
		if d.Target, err = os.Readlink("/proc/self/fd/" + e.Name()); err != nil {
			continue // that of ReadDir itself
		}
		fmt.Sscan(e.Name(), &d.Number)
		d.Mode = int(field("/proc/self/fdinfo/"+e.Name(), "flags", 8)) & syscall.O_ACCMODE
		p.Descriptors = append(p.Descriptors, d)
	}
	p.Ignored = field("/proc/self/status", "SigIgn", 16)
	p.Caught = field("/proc/self/status", "SigCgt", 16)
	threads, err := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		p.Blocked = append(p.Blocked, field("/proc/self/task/"+t.Name()+"/status", "SigBlk", 16))
	}
	return p, err
}

// field returns a number from a file of lines "key: number"; 0 if it is not there.
func field(file, key string, base int) (n uint64) {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == key {
			format := map[int]string{8: "%o", 16: "%x"}[base]
			fmt.Sscanf(strings.TrimSpace(value), format, &n)
		}
	}
	return n
}

type clerk struct{}

var clerks = actor.Define("clerk", actor.Zero[clerk],
	actor.On(func(*clerk, *actor.Context, papers) (papers, error) { return ownPapers() }))

func spawnClerk(t testing.TB, sys *actor.System) actor.Ref {
	t.Helper()
	ref, err := sys.Spawn(t.Context(), clerks)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func pipes(p papers) (found []descriptor) {
	for _, d := range p.Descriptors {
		if strings.HasPrefix(d.Target, "pipe:") {
			found = append(found, d)
		}
	}
	return found
}

// 32, 37: of what the parent has open, the child gets its ends of the pipes and
// no more, and the parent keeps the other ends and no more.
func TestGipcLinuxDescriptors(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	var leak [2]int
	if err := syscall.Pipe(leak[:]); err != nil { // not close-on-exec
		t.Fatal(err)
	}
	defer syscall.Close(leak[0])
	defer syscall.Close(leak[1])

	theirs := pipes(ask[papers](t, spawnClerk(t, sys), papers{}))
	mine, err := ownPapers()
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, d := range theirs {
		numbers = append(numbers, d.Number)
		var modes []int
		for _, m := range mine.Descriptors {
			if m.Target == d.Target {
				modes = append(modes, m.Mode)
			}
		}
		want := syscall.O_WRONLY + syscall.O_RDONLY - d.Mode // the other one
		if !slices.Equal(modes, []int{want}) {
			t.Errorf("the child's fd %d (%s, mode %d): the parent has modes %v of it, want %d", d.Number, d.Target, d.Mode, modes, want)
		}
	}
	if want := []int{1, 2, 3, 4}; !slices.Equal(numbers, want) {
		t.Errorf("the child has pipes %v, want %v", theirs, want)
	}
}

// A defect of gipc's: children inherit what their elder siblings have open, so
// that the 200th has forty times as many descriptors as the first.
func TestGipcLinuxHundredth(t *testing.T) {
	const n = 100
	sys := actortest.New(t, actor.Options{})
	var first, last []string
	refs := make([]actor.Ref, n)
	for i := range refs {
		refs[i] = spawnClerk(t, sys)
		if i > 0 && i < n-1 {
			continue
		}
		last = nil
		for _, d := range ask[papers](t, refs[i], papers{}).Descriptors {
			kind, _, _ := strings.Cut(d.Target, ":[")
			last = append(last, fmt.Sprintf("%d %s %d", d.Number, kind, d.Mode))
		}
		if i == 0 {
			first = last
		}
	}
	if !slices.Equal(first, last) {
		t.Errorf("the first has %q, number %d has %q", first, n, last)
	}
	var kills sync.WaitGroup
	for _, ref := range refs { // quicker than one after the other
		kills.Go(func() { ref.Kill(t.Context()) })
	}
	kills.Wait()
}

// 38: what the program starts by itself gets nothing of an actor's.
func TestGipcLinuxForeignProcess(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	theirs := pipes(ask[papers](t, spawnClerk(t, sys), papers{}))
	list, err := exec.Command("ls", "-l", "/proc/self/fd").Output()
	if err != nil || !strings.Contains(string(list), " -> ") {
		t.Fatalf("ls: %v, %q", err, list)
	}
	for _, d := range theirs {
		if strings.Contains(string(list), d.Target) {
			t.Errorf("a foreign process has %s, the actor's fd %d:\n%s", d.Target, d.Number, list)
		}
	}
}

// 81: the parent's handlers do not run in the child, nor for the child.
func TestGipcLinuxHandlers(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			handled := make(chan os.Signal, 10)
			signal.Notify(handled, sig)
			defer signal.Stop(handled)
			ref := spawnPeer(t, sys)
			m := sys.Monitor(ref)
			sendSignal(t, ask[int](t, ref, getpid{}), sig)
			if d := ended(t, m); d.Reason != (actor.Signal{Signal: sig}) {
				t.Errorf("got %#v, want %v", d.Reason, sig)
			}
			sendSignal(t, os.Getpid(), sig) // the only one that is the parent's
			finally(t, "signal", handled)
			if n := len(handled); n != 0 {
				t.Errorf("the parent's handler ran %d times too often", n)
			}
		})
	}
}

// 82: whatever the parent catches and ignores, the child's dispositions are
// the system's, or those with which Go's runtime begins in every program.
func TestGipcLinuxDispositions(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	plain := ask[papers](t, spawnClerk(t, sys), papers{})

	ignored := []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTTIN, syscall.SIGUSR1, syscall.SIGPIPE}
	signal.Ignore(ignored...)
	defer signal.Reset(ignored...)
	caught := []os.Signal{syscall.SIGTSTP, syscall.SIGTTOU, syscall.SIGCONT, syscall.SIGUSR2, syscall.SIGWINCH}
	c := make(chan os.Signal, 100)
	signal.Notify(c, caught...)
	defer signal.Stop(c)
	mine, err := ownPapers()
	if err != nil || mine.Ignored == 0 || mine.Caught&^plain.Caught == 0 {
		t.Fatalf("the parent ignores %#x and catches %#x: %v", mine.Ignored, mine.Caught, err)
	}

	clerk := spawnClerk(t, sys)
	got := ask[papers](t, clerk, papers{})
	if got.Ignored != 0 || got.Caught&^plain.Caught != 0 {
		t.Errorf("it ignores %#x and catches %#x, want 0 and of %#x", got.Ignored, got.Caught, plain.Caught)
	}
	// While it starts a thread, Go's runtime blocks all signals for a moment.
	eventually(t, "no thread blocks a signal", func() bool {
		blocked := ask[papers](t, clerk, papers{}).Blocked
		return !slices.ContainsFunc(blocked, func(mask uint64) bool { return mask != 0 })
	})
}

// deaf closes the pipe that it reads from.
type (
	deaf   struct{}
	Deafen struct{}
)

func (*deaf) Deafen(*actor.Context, Deafen) error { return syscall.Close(3) }

var deafType = actor.Define("deaf", actor.Zero[deaf], actor.OnTell((*deaf).Deafen))

// An actor that hears nothing any more is no actor: who asks it does not wait for ever.
func TestClosedInbox(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), temporary(deafType.With(actor.None{})))
	if err != nil {
		t.Fatal(err)
	}
	m := sys.Monitor(ref)
	if _, err := actor.Ask[actor.None](t.Context(), ref, Deafen{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // until it waits in its poller, which does not tell it
	_, err = actor.Ask[actor.None](t.Context(), ref, Deafen{})
	if _, ok := errors.AsType[*actor.DownError](err); !ok {
		t.Errorf("ask: got %v, want a DownError", err)
	}
	if d := ended(t, m); d.Ref != ref {
		t.Errorf("got %v", d)
	}
}
