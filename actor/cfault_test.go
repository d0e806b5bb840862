package actor_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestSegfaultInC runs a program whose actor crashes in C code: test files
// themselves cannot use cgo.
func TestSegfaultInC(t *testing.T) {
	enabled, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	if err != nil || strings.TrimSpace(string(enabled)) != "1" {
		t.Skip("cgo is off: install a C compiler, or set CGO_ENABLED=1")
	}
	out, err := exec.Command("go", "run", "./testdata/cfault").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := string(out), "actor.Signal: signal: segmentation fault\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
