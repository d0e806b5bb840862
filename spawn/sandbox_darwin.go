package spawn

import (
	"errors"
	"fmt"
	"os"
)

// begin starts a process as cmd says.
func begin(cmd *Command, path string, attr *os.ProcAttr) (p *os.Process, release func(), err error) {
	confined := cmd.Sandbox != nil && !cmd.Sandbox.Empty() && !cmd.Sandbox.BestEffort
	if confined || cmd.User != nil || cmd.Namespaces != 0 {
		return nil, nil, fmt.Errorf("a sandbox: %w", errors.ErrUnsupported)
	}
	attr.Sys = childAttributes()
	p, err = theSpawner.start(path, cmd.argv(), attr, cmd.Group)
	return p, func() {}, err
}
