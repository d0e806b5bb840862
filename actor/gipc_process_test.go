//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// sendSignal is a signal from outside: it goes to the pid.
func sendSignal(t testing.TB, pid int, sig os.Signal) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	if err := p.Signal(sig); err != nil {
		t.Fatalf("signal %v to %d: %v", sig, pid, err)
	}
}

// freeze stops a process. kill(2) returns before all its threads stand still, so it waits for that.
func freeze(t testing.TB, pid int) {
	t.Helper()
	sendSignal(t, pid, syscall.SIGSTOP)
	eventually(t, "it is stopped", func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // there is none but on Linux
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(stats, func(file string) bool {
			stat, err := os.ReadFile(file)
			return err == nil && !strings.Contains(string(stat), ") T ")
		})
	})
}

// 17–23, 31: a process lives after its start, and however it ends, that is told
// with its pid and its exit code to a program that does not wait for it.
func TestGipcExits(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		name string
		end  func(ref actor.Ref, pid int)
		want actor.Reason
	}{
		{"status 0", func(ref actor.Ref, _ int) { tell(t, ref, leave{0}) }, actor.ExitCode{Code: 0}},
		{"status 1", func(ref actor.Ref, _ int) { tell(t, ref, leave{1}) }, actor.ExitCode{Code: 1}},
		{"SIGKILL", func(_ actor.Ref, pid int) { sendSignal(t, pid, os.Kill) }, actor.Signal{Signal: syscall.SIGKILL}},
		{"SIGTERM", func(_ actor.Ref, pid int) { sendSignal(t, pid, syscall.SIGTERM) }, actor.Signal{Signal: syscall.SIGTERM}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref := spawnPeer(t, sys)
			pid := ask[int](t, ref, getpid{})
			m := sys.Monitor(ref)
			if pid == os.Getpid() {
				t.Fatal("the actor runs in this process")
			}
			test.end(ref, pid)
			d := ended(t, m)
			if d.Reason != test.want || d.Pid != pid {
				t.Errorf("got %#v of pid %d, want %#v of %d", d.Reason, d.Pid, test.want, pid)
			}
			_, err := actor.Ask[parcel](t.Context(), ref, parcel{})
			if late, _ := errors.AsType[*actor.DownError](err); late == nil || late.Down.Reason != test.want {
				t.Errorf("ask after the end: got %v, want a DownError", err)
			}
			if n := sys.Stats().Actors; n != 0 {
				t.Errorf("%d actors are alive after the end", n)
			}
		})
	}
}

// 24, 39: a Ref is passed down three levels, and used there. What each level
// started ends with it.
func TestGipcThreeGenerations(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := openInbox(t, sys, lineage{})
	eldest, err := sys.Spawn(t.Context(), peers.With(peerArg{Generations: 2, Report: inbox.Ref()}))
	if err != nil {
		t.Fatal(err)
	}
	m, line := receive[lineage](t, inbox)
	slices.Sort(line.Pids)
	if pids := slices.Compact(line.Pids); len(pids) != 3 || slices.Contains(pids, os.Getpid()) {
		t.Errorf("got pids %v, want those of three processes", pids)
	}
	youngest := sys.Monitor(m.From)
	if err := eldest.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, youngest); d.Reason != (actor.Shutdown{}) {
		t.Errorf("the youngest: got %v, want Shutdown", d.Reason)
	}
}

// 25: a wait that is given up leaves the child alone, which ends in its own time.
func TestGipcShortWait(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, gate := spawnPeer(t, sys), openInbox(t, sys, knock{})
	m := sys.Monitor(ref)
	held := askLater[string](t, ref, linger{gate.Ref()})
	knocked, _ := receive[knock](t, gate)

	short, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ref.Stop(short); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	select {
	case d := <-m.C:
		t.Errorf("it did not live on: %v", d)
	default:
	}
	if err := knocked.Reply("come in", nil); err != nil {
		t.Error(err)
	}
	if err := finally(t, "linger", held); err != nil {
		t.Error("the message in progress was not finished:", err)
	}
	if d := ended(t, m); d.Reason != (actor.Shutdown{}) {
		t.Errorf("got %v, want Shutdown", d.Reason)
	}
}

// unfit has an argument that no message can hold.
type unfit struct{ C chan int }

var unfitter = actor.Define("unfit", func(*actor.Context, unfit) (*peer, error) { return new(peer), nil })

// 29, 30: what is wrong with a start is said before there is a process.
func TestGipcBadArguments(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	named := peers.With(peerArg{}).Named("taken")
	if _, err := sys.Spawn(t.Context(), named); err != nil {
		t.Fatal(err)
	}
	negative := named
	negative.Name, negative.StartTimeout = "", -1
	for name, spec := range map[string]actor.Child{
		"argument":      unfitter.With(unfit{make(chan int)}),
		"no type":       actor.Spec{},
		"name taken":    named,
		"name too long": named.Named(strings.Repeat("x", 256)),
		"odd name":      named.Named("two\nlines"),
		"time-out":      negative,
	} {
		_, err := sys.Spawn(t.Context(), spec)
		refused, ok := errors.AsType[*actor.SpawnError](err)
		if !ok || refused.Down != nil {
			t.Errorf("%s: got %v, want a SpawnError without a process", name, err)
		}
	}
	if n := sys.Stats().Actors; n != 1 {
		t.Errorf("%d actors are alive, want 1", n)
	}
}

// 34: what is sent to one address does not come out at another.
func TestGipcTwoChannels(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	first, second := openInbox(t, sys, forward{}), openInbox(t, sys, forward{})
	ref := spawnPeer(t, sys)
	tell(t, ref, forward{1, []actor.Ref{first.Ref()}})
	tell(t, ref, forward{2, []actor.Ref{second.Ref()}})
	for want, inbox := range map[int]*actor.Inbox{1: first, 2: second} {
		if from, m := receive[forward](t, inbox); m.N != want || from.From != ref {
			t.Errorf("got %d from %v, want %d from %v", m.N, from.From, want, ref)
		}
	}
}

// 35: a child talks to others between two messages of its parent's.
func TestGipcChannelsWithin(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnPeer(t, sys)
	for _, text := range []string{"OK", "FOO"} {
		if got := ask[parcel](t, ref, parcel{Text: text}); got.Text != text {
			t.Errorf("got %q, want %q", got.Text, text)
		}
		if !ask[bool](t, ref, confer{}) {
			t.Error("what the child sent to its own child came back otherwise")
		}
	}
}

// 36: one child sends to another; the parent has no part in it.
func TestGipcSiblings(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	a, b := spawnPeer(t, sys), spawnPeer(t, sys)
	want := parcel{Dict: map[string]string{"KLADUSCH": "foo"}}
	if got := ask[parcel](t, a, pass{b, want}); !reflect.DeepEqual(got.Dict, want.Dict) {
		t.Errorf("got %v, want %v", got.Dict, want.Dict)
	}
	if _, err := actor.Ask[parcel](t.Context(), a, pass{a, want}); !errors.Is(err, actor.ErrSelfAsk) {
		t.Errorf("a child that asks itself: got %v, want ErrSelfAsk", err)
	}
}

// 40, 41: a child reads once and exits. Whoever writes to it gets an error, not
// a SIGPIPE, and lives.
func TestGipcReaderExits(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	t.Run("program", func(t *testing.T) {
		reader := spawnPeer(t, sys)
		tell(t, reader, leave{0})
		err := sendItems(t.Context(), reader, 0, 1<<30, 100)
		if d, _ := errors.AsType[*actor.DownError](err); d == nil || d.Down.Reason != (actor.ExitCode{}) {
			t.Errorf("got %v, want a DownError with status 0", err)
		}
	})
	t.Run("sibling", func(t *testing.T) {
		reader, writer := spawnPeer(t, sys), spawnPeer(t, sys)
		flooded := make(chan error, 1)
		go func() {
			text, err := actor.Ask[string](t.Context(), writer, flood{reader})
			if err == nil && !strings.Contains(text, "exited with status 0") {
				err = errors.New(text)
			}
			flooded <- err
		}()
		tell(t, reader, leave{0})
		if err := finally(t, "the writer's error", flooded); err != nil {
			t.Error(err)
		}
		ask[parcel](t, writer, parcel{}) // it lives
	})
}
