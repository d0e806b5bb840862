package actor_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/progeny-go/progeny/actor"
)

// What a process could not do for its sandbox is in the error of Spawn.
func TestSandboxUnfinished(t *testing.T) {
	if _, err := actor.Strict().Check(); err != nil {
		t.Skip("boot a kernel that can: ", err)
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("put the go command into PATH: ", err)
	}
	cmd := exec.Command("go", "run", "./testdata/early", "filter")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	want := regexp.MustCompile(`it cannot boot: sandbox: .*thread \d+ has a filter of its own \(exit status 70\)`)
	if err != nil || !want.Match(out) {
		t.Errorf("%v, got\n%swant %s", err, out, want)
	}
}
