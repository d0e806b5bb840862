//go:build unix

package actor_test

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// isReaped reports whether the process has ended and is no zombie.
func isReaped(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

// What goes wrong after the process was started, is Spawn's error as well, and
// the process is not lost: when Spawn returns it is gone.
func TestGipcDefectFailedStart(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	closed := openInbox(t, sys, lineage{})
	closed.Close()
	_, err := sys.Spawn(t.Context(), peers.With(peerArg{Report: closed.Ref()})) // its start function fails
	failed, _ := errors.AsType[*actor.SpawnError](err)
	if failed == nil || failed.Down == nil || !errors.Is(err, actor.ErrNoActor) {
		t.Fatalf("got %v, want the start function's error", err)
	}
	if pid := failed.Down.Pid; pid == 0 || !isReaped(pid) {
		t.Errorf("process %d is still there", pid)
	}
	if n := sys.Stats().Actors; n != 0 {
		t.Errorf("%d actors are left", n)
	}
}

// Fifty children exit while every processor of the program is busy. Each end is
// told, and by then there is no zombie of it.
func TestGipcDefectStarved(t *testing.T) {
	const n = 50
	sys := actortest.New(t, actor.Options{})
	refs, monitors := make([]actor.Ref, n), make([]*actor.Monitor, n)
	var starts sync.WaitGroup
	for i := range refs {
		starts.Go(func() {
			ref, err := sys.Spawn(t.Context(), temporary(peers.With(peerArg{})))
			if err != nil {
				t.Error(err)
			}
			refs[i], monitors[i] = ref, sys.Monitor(ref)
		})
	}
	starts.Wait()

	var busy atomic.Bool
	busy.Store(true)
	var spinners sync.WaitGroup
	defer spinners.Wait()
	defer busy.Store(false)
	for range 2 * runtime.GOMAXPROCS(0) {
		spinners.Go(func() {
			for busy.Load() {
			}
		})
	}
	for i, ref := range refs {
		tell(t, ref, leave{i})
	}
	for i, m := range monitors {
		d := ended(t, m)
		if d.Reason != (actor.ExitCode{Code: i}) {
			t.Errorf("child %d: got %v", i, d.Reason)
		}
		if !isReaped(d.Pid) {
			t.Errorf("child %d is a zombie after its Down", i)
		}
	}
}

// Somebody else in the program waits for the child's pid. Whoever gets the
// status, the end is told, and nothing hangs.
func TestGipcDefectForeignWait(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	stolen := 0
	for range 10 {
		ref := spawnPeer(t, sys)
		pid, m := ask[int](t, ref, getpid{}), sys.Monitor(ref)
		foreign := make(chan error, 1)
		go func() {
			_, err := syscall.Wait4(pid, nil, 0, nil)
			foreign <- err
		}()
		tell(t, ref, leave{7})
		want := actor.ExitCode{Code: 7}
		if err := finally(t, "foreign wait", foreign); err == nil {
			want = actor.ExitCode{Code: -1}
			stolen++
		}
		if d := ended(t, m); d.Reason != want {
			t.Errorf("got %v, want %v", d.Reason, want)
		}
	}
	t.Logf("the foreign wait had %d of 10", stolen)
}

// A child that hangs gets SIGTERM; one that does not die of it is killed.
func TestGipcDefectEscalation(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, m := spawnVandal(t, sys)
	inbox := openInbox(t, sys, knock{}, retire{})
	ask[actor.None](t, ref, deafen{inbox.Ref()})
	tell(t, ref, hang{inbox.Ref()})
	receive[knock](t, inbox)
	stopped := make(chan error, 1)
	go func() { stopped <- ref.Stop(t.Context()) }()
	receive[retire](t, inbox)
	if err := finally(t, "stop", stopped); err != nil {
		t.Error(err)
	}
	d := ended(t, m)
	if _, ok := d.Reason.(actor.Killed); !ok || !isReaped(d.Pid) {
		t.Errorf("got %v, want Killed", d.Reason)
	}
}

// A process that the child left behind holds all its pipes open, and lives. The
// child's end is told all the same.
func TestGipcDefectHeldOpen(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, forward{})
	ref, m := spawnVandal(t, sys)
	tell(t, ref, litter{inbox.Ref()})
	_, left := receive[forward](t, inbox)
	defer syscall.Kill(left.N, syscall.SIGKILL)
	if d := ended(t, m); d.Reason != (actor.ExitCode{}) {
		t.Errorf("got %v, want status 0", d.Reason)
	}
	if isReaped(left.N) {
		t.Error("the process it left behind has ended: nothing was held open")
	}
}

// One worker of a pool dies. Its own message fails, with the cause; those of
// the others are answered, and the pool can be filled up.
func TestGipcDefectDeadWorker(t *testing.T) {
	const n = 4
	sys := actortest.New(t, actor.Options{})
	gate := openInbox(t, sys, knock{})
	answers, knocks := make(map[actor.Ref]<-chan error), make(map[actor.Ref]*actor.Message)
	for range n {
		ref := spawnPeer(t, sys)
		answers[ref] = askLater[string](t, ref, linger{gate.Ref()})
	}
	for range n {
		m, _ := receive[knock](t, gate)
		knocks[m.From] = m
	}
	victim := spawnPeer(t, sys)
	pid := ask[int](t, victim, getpid{})
	answers[victim] = askLater[string](t, victim, linger{gate.Ref()})
	receive[knock](t, gate)
	sendSignal(t, pid, os.Kill)
	err := finally(t, "the victim's answer", answers[victim])
	if s, ok := errors.AsType[actor.Signal](err); !ok || s.Signal != syscall.SIGKILL || fate(err) != actor.InProgress {
		t.Errorf("got %v, want SIGKILL with the message in progress", err)
	}
	for ref, m := range knocks {
		if err := m.Reply("come in", nil); err != nil {
			t.Error(err)
		}
		if err := finally(t, "another's answer", answers[ref]); err != nil {
			t.Errorf("another worker: %v", err)
		}
	}
	ask[parcel](t, spawnPeer(t, sys), parcel{})
}

// An orderly life says nothing to anybody.
func TestGipcDefectNoise(t *testing.T) {
	printed := make(records, 100)
	sys := actortest.New(t, actor.Options{Logger: slog.New(printed)})
	stopped, quit := spawnPeer(t, sys), spawnPeer(t, sys)
	ask[parcel](t, stopped, parcel{Text: "OK"})
	m := sys.Monitor(quit)
	tell(t, quit, retire{})
	ended(t, m)
	if err := stopped.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	spawnPeer(t, sys) // for Close to stop
	if err := sys.Close(t.Context()); err != nil {
		t.Error(err)
	}
	close(printed)
	var said []string
	for text := range printed {
		said = append(said, text)
	}
	if len(said) > 0 {
		t.Errorf("it said %s", strings.Join(said, "\n"))
	}
}
