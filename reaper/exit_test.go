package reaper_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/reaper"
)

func TestExitString(t *testing.T) {
	tests := []struct {
		exit reaper.Exit
		want string
	}{
		{reaper.Exit{}, "exit status unknown"},
		{reaper.Exit{Err: errors.New("wait: no child processes")}, "exit status unknown: wait: no child processes"},
		{reaper.Exit{Known: true}, "exit status 0"},
		{reaper.Exit{Known: true, Code: 44}, "exit status 44"},
		{reaper.Exit{Known: true, Code: -1, Signal: syscall.SIGKILL}, "signal: killed"},
		{reaper.Exit{Known: true, Code: -1, Signal: syscall.SIGABRT, Core: true}, "signal: aborted (core dumped)"},
	}
	for _, test := range tests {
		if got := test.exit.String(); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.exit, got, test.want)
		}
	}
}
