package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A Second is this program again, in a role of its own: the other process of a system whose
// processes find each other over the network.
type Second struct {
	Says string // the line it has said: where it is to be found

	cmd  *exec.Cmd
	stop io.Closer
}

// StartSecond starts this program with these arguments and waits for the line it
// says.
func StartSecond(ctx context.Context, args ...string) (*Second, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Second{cmd: cmd, stop: stop}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("second process: %w", err), s.Close())
	}
	s.Says = strings.TrimSpace(line)
	return s, nil
}

// Close has it end, and waits until it has.
func (s *Second) Close() error { return errors.Join(s.stop.Close(), s.cmd.Wait()) }

// BeSecond says a line and returns when the first process wants this one to end, or
// has itself.
func BeSecond(says string) {
	fmt.Println(says)
	io.Copy(io.Discard, os.Stdin)
}
