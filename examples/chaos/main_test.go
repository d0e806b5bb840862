package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
)

// roleVariable says what the test binary is to be, instead of tests.
const roleVariable = "CHAOS_TEST_ROLE"

// roles has others, by platform.
var roles = map[string]func(){"program": main}

func TestMain(m *testing.M) {
	actor.Boot() // the test binary is the executable of the actors too
	if role := os.Getenv(roleVariable); role != "" {
		do, ok := roles[role]
		if !ok {
			fmt.Fprintf(os.Stderr, "no role %q\n", role)
			os.Exit(3)
		}
		do()
		return
	}
	os.Exit(m.Run())
}

// command prepares a run of the test binary in a role.
func command(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "TMPDIR="+t.TempDir())
	return cmd
}

// finish runs it to its end.
func finish(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			t.Fatal(err)
		}
	}
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode()
}

func TestArguments(t *testing.T) {
	for want, args := range map[string][]string{
		"-actors 39: 40 to 1000":         {"-actors", "39"},
		"-actors 1001: 40 to 1000":       {"-actors", "1001"},
		"-for 0s":                        {"-for", "0"},
		"-rate 0":                        {"-rate", "0"},
		"-every 999.999µs: at least 1ms": {"-every", "999999ns"},
		"-faults 0 -times 0":             {"-times", "0"},
		"unexpected argument \"more\"":   {"more"},
	} {
		_, stderr, status := finish(t, command(t, "program", args...))
		if status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%q: got status %d and %q, want 2 and %q", args, status, stderr, want)
		}
	}
	for _, actors := range []string{"40", "1000"} {
		if o := parse([]string{"-actors", actors, "-every", "1ms"}); fmt.Sprint(o.actors) != actors || o.seed == 0 {
			t.Errorf("-actors %s: got %+v", actors, o)
		}
	}
}
