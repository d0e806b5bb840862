// Package spawntest checks that a test which starts processes leaves nothing
// behind: no goroutine, no open file descriptor, no shared memory, no child
// process, not even a zombie.
//
//	func TestGreeter(t *testing.T) {
//		spawntest.Check(t)
//		…
//	}
//
// Not for tests that run in parallel with others: what those hold open meanwhile
// would be reported too.
package spawntest

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long Check waits for stragglers before it reports them.
const patience = 5 * time.Second

// raceVariable configures the race detector of processes started later. By
// default a -race binary sleeps for a second at its exit.
const raceVariable = "GORACE"

// Check notes what the program holds now, and at the end of the test, after the
// cleanups registered later, compares. What ends within 5 seconds is no leak.
// The rest is reported as an error of the test: goroutines with their stacks,
// descriptors with what they refer to, children with their command lines. Call
// it first.
//
// It knows what is started once per program and stays: the spawner's and the
// reaper's goroutine, those of the standard library for signals, epoll and
// kqueue instances. Descriptors, memory and children are checked on Linux only.
//
// Check also sets GORACE in the environment, unless it is set, so that children
// built with -race exit without delay.
func Check(t testing.TB) {
	t.Helper()
	if _, set := os.LookupEnv(raceVariable); !set {
		os.Setenv(raceVariable, "atexit_sleep_ms=0")
	}
	before := take()
	t.Cleanup(func() {
		t.Helper()
		if leaked := settle(before); len(leaked) > 0 {
			t.Errorf("spawntest: left behind after %v:\n%s", patience, strings.Join(leaked, "\n"))
		}
	})
}

// A snapshot maps whatever identifies a held resource to its description.
type snapshot map[string]string

func take() snapshot {
	s := snapshot{}
	addGoroutines(s)
	addSystem(s)
	return s
}

// settle waits until nothing is held that was not in before, and returns what
// still is when patience is over.
func settle(before snapshot) []string {
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		leaked := take().beyond(before)
		if len(leaked) == 0 || time.Now().After(deadline) {
			return leaked
		}
		time.Sleep(pause)
	}
}

// beyond describes what is in s and not in before, in order.
func (s snapshot) beyond(before snapshot) []string {
	var extra []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if _, ok := before[key]; !ok {
			extra = append(extra, s[key])
		}
	}
	return extra
}
