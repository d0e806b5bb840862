// Package actortest helps to test programs that use actors. A test binary hosts
// the actors' processes as well, so it has to boot:
//
//	func TestMain(m *testing.M) {
//		actor.Boot()
//		os.Exit(m.Run())
//	}
//
//	func TestGreeter(t *testing.T) {
//		sys := actortest.New(t, actor.Options{})
//		ref, err := sys.Spawn(t.Context(), greeter)
//		…
//	}
package actortest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// New returns a System that is closed at the end of the test. The test fails if
// Close does, or if anything is left then: a process, a goroutine, a file
// descriptor. Without a Logger in o, what actors print and log goes to the
// test's output. Call it first, and once, in a test that is not parallel to others.
//
// Two things the go command does not see: a data race that the race detector
// finds in an actor is printed and ends that actor with exit status 66, but
// does not fail the test by itself; and what runs in actors is not counted by
// go test -cover.
func New(t testing.TB, o actor.Options) *actor.System {
	t.Helper()
	spawntest.Check(t)
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	sys, err := actor.NewSystem(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := sys.Close(context.Background()); err != nil {
			t.Errorf("close system: %v", err)
		}
	})
	return sys
}
