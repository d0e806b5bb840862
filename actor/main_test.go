package actor_test

import (
	"os"
	"testing"

	"github.com/progeny-go/progeny/actor"
)

// The test binary is also the executable of every actor in these tests.
func TestMain(m *testing.M) {
	actor.Boot()
	os.Exit(m.Run())
}
