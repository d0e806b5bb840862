package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
)

// again is this program, started once more. It is to end when its input does.
type again struct {
	cmd  *exec.Cmd
	stop io.Closer
}

// startAgain starts this program with these arguments. out is what it says.
func startAgain(ctx context.Context, args ...string) (a again, out io.Reader, err error) {
	a.cmd = exec.CommandContext(ctx, "/proc/self/exe", args...)
	a.cmd.Stderr = os.Stderr
	if a.stop, err = a.cmd.StdinPipe(); err != nil {
		return a, nil, err
	}
	if out, err = a.cmd.StdoutPipe(); err != nil {
		return a, nil, err
	}
	return a, out, a.cmd.Start()
}

// Close has it end, and waits until it has.
func (a again) Close() error { return errors.Join(a.stop.Close(), a.cmd.Wait()) }
