package spawn

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestLimitsText(t *testing.T) {
	for _, l := range []Limits{{}, {OpenFiles: 1}, {FileSize: math.MaxInt64}, {NoCoreDumps: true}, {100, 1 << 20, true}} {
		if got, err := parseLimits(l.String()); err != nil || got != l {
			t.Errorf("%+v became %q, and that %+v, %v", l, l.String(), got, err)
		}
	}
	for _, bad := range []string{"", "1", "1:2", "1:2:0:4", "a:2:0", "-1:2:0", "1:-2:0", "1:9223372036854775808:0", "1: 2:0", "::"} {
		if got, err := parseLimits(bad); err == nil || !strings.Contains(err.Error(), limitsVariable) {
			t.Errorf("%q became %+v, %v", bad, got, err)
		}
	}
}

// The variable is only for the process that it is meant for.
func TestLimitsInTheEnvironment(t *testing.T) {
	has := func(c *Command) []string {
		return slices.DeleteFunc(c.environ(), func(entry string) bool { return !strings.HasPrefix(entry, limitsVariable) })
	}
	stale := []string{limitsVariable + "=1:1:1"}
	if got := has(&Command{Env: stale}); len(got) != 0 {
		t.Errorf("without Limits: %q", got)
	}
	if got, want := has(&Command{Env: stale, Limits: Limits{OpenFiles: 50}}), limitsVariable+"=50:0:0"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, l := range []Limits{{OpenFiles: -1}, {FileSize: -1}} {
		if err := (&Command{Limits: l}).validate(); err == nil {
			t.Errorf("%+v is taken", l)
		}
	}
}
