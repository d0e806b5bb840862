package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// A Second is this program again, in a role of its own: the other process of a system whose
// processes find each other over the network.
type Second struct {
	again
	Says string // the line it has said: where it is to be found
}

// StartSecond starts this program with these arguments and waits for the line it
// says.
func StartSecond(ctx context.Context, args ...string) (*Second, error) {
	p, out, err := startAgain(ctx, args...)
	if err != nil {
		return nil, err
	}
	s := &Second{again: p}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("second process: %w", err), s.Close())
	}
	s.Says = strings.TrimSpace(line)
	return s, nil
}

// BeSecond says a line and returns when the first process wants this one to end, or
// has itself.
func BeSecond(says string) {
	fmt.Println(says)
	io.Copy(io.Discard, os.Stdin)
}
