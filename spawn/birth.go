package spawn

import (
	"fmt"
	"os"
	"strings"
)

// A process that cannot make of itself what Start asked for, for instance because it cannot finish its Sandbox,
// exits with ExitCannotBoot (EX_SOFTWARE of sysexits.h) before main, and the last line on its standard error is
// CannotBoot and why.
const (
	ExitCannotBoot = 70
	CannotBoot     = "spawn: cannot boot: "
)

// A Birth is what a process that Start started was given. Nobody but the caller
// of Inherited closes its files.
type Birth struct {
	Inbox  *os.File   // read end, nonblocking
	Outbox *os.File   // write end, nonblocking
	Files  []*os.File // Command.Files, in order; close-on-exec
}

// inherited is set by package init and never again.
var inherited *Birth

// Inherited returns what this process was given at its start, always the same,
// or nil if it was not started by Start.
func Inherited() *Birth { return inherited }

// HasRoom reports whether Command.Room was set.
func (b *Birth) HasRoom() bool { return strings.HasSuffix(os.Args[0], " ") }

// Hello tells the parent that this process is up. Call it once, before anything
// else is written to Outbox.
func (b *Birth) Hello() error { return b.say(ready) }

// Refuse tells the parent, in place of Hello, that main has not booted and never
// will. See [ErrNotBooted].
func (b *Birth) Refuse() error { return b.say(notBooted) }

func (b *Birth) say(s status) error {
	exe, err := executable()
	if err != nil {
		return fmt.Errorf("spawn: saying Hello: %w", err)
	}
	h := hello{min: MinVersion, max: MaxVersion, build: exe.build, status: s}
	if _, err := b.Outbox.Write(encodeHello(h)); err != nil {
		return fmt.Errorf("spawn: saying Hello: %w", err)
	}
	return nil
}
