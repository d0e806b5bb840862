//go:build linux

package actor_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// titles returns what ps shows of this program's children, by their pids.
func titles(t *testing.T) map[int]string {
	t.Helper()
	found := make(map[int]string)
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		fields := strings.Fields(string(rest))
		if len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		found[pid] = strings.Trim(string(cmdline), " \x00")
	}
	return found
}

// standbysAre waits until so many are there, and returns their pids.
func standbysAre(t *testing.T, n int) map[int]bool {
	t.Helper()
	var pids map[int]bool
	eventually(t, strconv.Itoa(n)+" standbys", func() bool {
		pids = make(map[int]bool)
		for pid, title := range titles(t) {
			if title == "progeny: standby" {
				pids[pid] = true
			}
		}
		return len(pids) == n
	})
	return pids
}

// spawnChanged spawns a peer with another Spec.
func spawnChanged(t *testing.T, sys *actor.System, change func(*actor.Spec)) actor.Ref {
	t.Helper()
	spec := peers.With(peerArg{})
	spec.Intensity = 1 << 20
	change(&spec)
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// A Spawn and a restart take a process that was there before; each is used once and
// replaced, and ps shows what it has become.
func TestStandby(t *testing.T) {
	sys := actortest.New(t, actor.Options{Standby: 2})
	var ref actor.Ref
	var first int
	eventually(t, "a start that takes a standby", func() bool { // they may still be booting
		before := standbysAre(t, 2)
		ref = spawnChanged(t, sys, func(*actor.Spec) {})
		first = ask[int](t, ref, getpid{})
		return before[first]
	})
	if got := titles(t)[first]; got != "progeny: peer" {
		t.Errorf("ps shows %q", got)
	}
	if standbysAre(t, 2)[first] {
		t.Error("it is still one")
	}
	eventually(t, "a restart that takes a standby", func() bool {
		m := sys.Monitor(ref)
		again := standbysAre(t, 2)
		sendSignal(t, ask[int](t, ref, getpid{}), syscall.SIGKILL)
		ended(t, m)
		return again[ask[int](t, ref, getpid{})]
	})
	standbysAre(t, 2)
}

// What a standby cannot be is started anew, and one that has died is not used.
func TestStandbyNotUsed(t *testing.T) {
	sys := actortest.New(t, actor.Options{Standby: 1})
	for name, change := range map[string]func(*actor.Spec){
		"Env":   func(s *actor.Spec) { s.Env = []string{"A=b"} },
		"Dir":   func(s *actor.Spec) { s.Dir = "/" },
		"Procs": func(s *actor.Spec) { s.Procs = 2 },
	} {
		before := standbysAre(t, 1)
		if pid := ask[int](t, spawnChanged(t, sys, change), getpid{}); before[pid] {
			t.Errorf("%s: a standby was used", name)
		}
	}
	for pid := range standbysAre(t, 1) {
		sendSignal(t, pid, syscall.SIGKILL)
		eventually(t, "its end was seen", func() bool { _, there := titles(t)[pid]; return !there })
		if got := ask[int](t, spawnPeer(t, sys), getpid{}); got == pid {
			t.Errorf("%d answers, and is dead", got)
		}
	}
	standbysAre(t, 1)
}

// One that a start has used which came to nothing is replaced as well.
func TestStandbyOfFailedStart(t *testing.T) {
	sys := actortest.New(t, actor.Options{Standby: 1})
	eventually(t, "a start that takes a standby", func() bool { // it may still be booting
		before := standbysAre(t, 1)
		if _, err := sys.Spawn(t.Context(), closers.With(Close{4, 4})); err == nil {
			t.Fatal("it has started without an outbox")
		}
		for pid := range standbysAre(t, 1) {
			return !before[pid]
		}
		return false
	})
}

// A standby that was roused for starts that were refused is as good as before.
func TestStandbyRousedInVain(t *testing.T) {
	sys := actortest.New(t, actor.Options{Standby: 1})
	named := peers.With(peerArg{}).Named("there")
	if _, err := sys.Spawn(t.Context(), named); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a start that takes a standby", func() bool { // it may still be booting
		before := standbysAre(t, 1)
		for range 3 {
			if _, err := sys.Spawn(t.Context(), named); !errors.Is(err, actor.ErrNameTaken) {
				t.Fatalf("got %v", err)
			}
		}
		return before[ask[int](t, spawnPeer(t, sys), getpid{})]
	})
}

// An argument of any size arrives, whether Init is offered early or sent with the rest.
func TestInitOfAnySize(t *testing.T) {
	for _, standby := range []int{0, 1} {
		sys := actortest.New(t, actor.Options{Standby: standby})
		for _, n := range []int{0, 3800, 3900, 4000, 4100, 70_000} {
			ref, err := sys.Spawn(t.Context(), sizes.With(bytes.Repeat([]byte{7}, n)))
			if err != nil {
				t.Fatal(err)
			}
			if got := ask[int](t, ref, sizeOf{}); got != n {
				t.Errorf("of %d bytes %d have come", n, got)
			}
		}
	}
}

// size is an actor that knows how large its argument was.
type size struct{ n int }

type sizeOf struct{}

func (s *size) Of(*actor.Context, sizeOf) (int, error) { return s.n, nil }

var sizes = actor.Define("size", func(_ *actor.Context, arg []byte) (*size, error) { return &size{len(arg)}, nil }, actor.On((*size).Of))

// The number has limits.
func TestStandbyLimits(t *testing.T) {
	for _, n := range []int{-1, 1025} {
		if _, err := actor.NewSystem(actor.Options{Standby: n}); err == nil || !strings.Contains(err.Error(), "Standby") {
			t.Errorf("%d: got %v", n, err)
		}
	}
	sys := actortest.New(t, actor.Options{Standby: 3})
	if err := sys.Close(t.Context()); err != nil { // while they boot
		t.Error(err)
	}
}
