package wire

import (
	"fmt"
	"strings"
	"time"
)

// maxName is the longest name an actor can be registered under, in bytes.
const maxName = 255

// Spec is what the node has to know to start an actor: everything but the code,
// which is the same executable.
type Spec struct {
	Type string // the name it was defined under
	Arg  []byte // msgpack of its argument
	Name string // to be registered under; "" for none

	Messages int  // mailbox capacity
	Bytes    int  // likewise
	Reject   bool // a full mailbox refuses instead of making the sender wait

	BootTimeout  time.Duration // fork to Hello
	StartTimeout time.Duration // Init to Ready
	StopTimeout  time.Duration // Stop to SIGTERM

	Procs int      // GOMAXPROCS
	Env   []string // nil means the node's
	Dir   string   // "" means the node's
}

// Check says what is wrong with a Spec. The node asks it too: a Spec may come
// from an actor that did not.
func (s *Spec) Check() error {
	switch {
	case len(s.Name) > maxName:
		return fmt.Errorf("the name has %d bytes, the limit is %d", len(s.Name), maxName)
	case strings.ContainsFunc(s.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("the name %q has a control character", s.Name)
	case s.Messages <= 0 || s.Bytes <= 0:
		return fmt.Errorf("wrong Spec: a mailbox of %d messages and %d bytes", s.Messages, s.Bytes)
	case s.BootTimeout <= 0 || s.StartTimeout <= 0 || s.StopTimeout <= 0:
		return fmt.Errorf("wrong Spec: time-outs of %v, %v and %v", s.BootTimeout, s.StartTimeout, s.StopTimeout)
	case s.Procs < 0:
		return fmt.Errorf("wrong Spec: %d Procs", s.Procs)
	}
	return nil
}
