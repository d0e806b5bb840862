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

	Redeliver int    // how often a message may end the actor before it is poison; 0 and 1 are the same
	Absent    Absent // what becomes of Asks between two processes

	Procs int      // GOMAXPROCS
	Env   []string // nil means the node's
	Dir   string   // "" means the node's

	Limits         Limits
	HandlerTimeout time.Duration // for one message; zero means for ever
	Heartbeat      time.Duration // silent for that long is hung; zero means that nobody asks
	Recycle        Recycle

	Sandbox *Sandbox // nil for none
	Deny    Services
}

// Absent says what becomes of an Ask to an actor that is being restarted.
type Absent uint8

// The values of Absent.
const (
	AbsentWait  Absent = iota // it waits for the next process, as long as its asker does
	AbsentFail                // it fails at once
	AbsentQueue               // it waits, and is handled also when its asker has given up
)

// Check says what is wrong with a Spec. The node asks it too: a Spec may come
// from an actor that did not.
func (s *Spec) Check() error {
	if err := CheckName(s.Name); err != nil {
		return err
	}
	switch {
	case s.Messages <= 0 || s.Bytes <= 0:
		return fmt.Errorf("wrong Spec: a mailbox of %d messages and %d bytes", s.Messages, s.Bytes)
	case s.BootTimeout <= 0 || s.StartTimeout <= 0:
		return fmt.Errorf("wrong Spec: time-outs of %v and %v", s.BootTimeout, s.StartTimeout)
	case s.Redeliver < 0:
		return fmt.Errorf("wrong Spec: Redeliver %d", s.Redeliver)
	case s.Absent > AbsentQueue:
		return fmt.Errorf("wrong Spec: Absent %d", s.Absent)
	case s.Procs < 0:
		return fmt.Errorf("wrong Spec: %d Procs", s.Procs)
	case s.Deny > allServices:
		return fmt.Errorf("wrong Spec: Deny %v", s.Deny)
	}
	if err := s.Limits.check(); err != nil {
		return err
	}
	return s.checkTimes()
}

// CheckName says what is wrong with a name to be registered under. None is not wrong.
func CheckName(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("the name has %d bytes, the limit is %d", len(name), maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("the name %q has a control character", name)
	}
	return nil
}
