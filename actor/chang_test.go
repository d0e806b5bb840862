package actor_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestHangInC runs a program whose actor hangs in C code, and there blocks all signals: test files
// themselves cannot use cgo.
func TestHangInC(t *testing.T) {
	enabled, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	if err != nil || strings.TrimSpace(string(enabled)) != "1" {
		t.Skip("cgo is off: install a C compiler, or set CGO_ENABLED=1")
	}
	program := t.TempDir() + "/chang"
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/chang").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for how, stacks := range map[string]string{"spin": "true", "deaf": "false"} {
		out, err := exec.Command(program, how).Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", how, err, out)
		}
		if got, want := string(out), "hung: its handler took longer than 100ms; it says where: "+stacks+"\n"; got != want {
			t.Errorf("%s: got %q, want %q", how, got, want)
		}
	}
}
