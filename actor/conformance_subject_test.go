//go:build unix

package actor_test

import (
	"fmt"
	"os"
	"syscall"

	"github.com/progeny-go/progeny/actor"
)

// A report is what a subject says to its scenario: "start b#2" in its start
// function, "stop b#2" in Stop, "spin b#2" when it begins to spin.
type report struct {
	Phase       string
	Name        string
	Incarnation uint64
	Pid         int
	Self        actor.Ref
}

func (r report) String() string { return r.Phase + " " + r.who() }
func (r report) who() string    { return fmt.Sprintf("%s#%d", r.Name, r.Incarnation) }

// A command is the answer: in the start function it may fail or choose not to run.
type command struct {
	Fail   string
	Ignore bool
	Do     string // a deed
}

// deed tells a subject to do something; see do.
type deed struct{ Kind string }

// identify is answered with a report.
type identify struct{}

// A subject is an actor of the conformance tests.
type subject struct {
	arg  subjectArg
	spun uint64
}

// subjectArg is its argument.
type subjectArg struct {
	Name     string
	Scenario actor.Ref
}

// It starts children of its own type, hence the init function.
var subjects actor.Type[subjectArg]

func init() {
	subjects = actor.Define("subject", newSubject,
		actor.OnTell((*subject).deed), actor.On((*subject).identify), actor.On((*subject).manage))
}

func newSubject(c *actor.Context, arg subjectArg) (*subject, error) {
	s := &subject{arg: arg}
	m, err := s.report(c, "start")
	switch {
	case err != nil:
		return nil, err
	case m.Ignore:
		return nil, actor.ErrIgnore
	case m.Fail != "":
		return nil, fmt.Errorf("%s: %w", m.Fail, errProbe)
	}
	s.do(c, m.Do)
	return s, nil
}

func (s *subject) Stop(c *actor.Context) {
	if m, err := s.report(c, "stop"); err == nil {
		s.do(c, m.Do)
	}
}

func (s *subject) me(c *actor.Context, phase string) report {
	return report{phase, s.arg.Name, c.Incarnation(), os.Getpid(), c.Self()}
}

func (s *subject) report(c *actor.Context, phase string) (command, error) {
	return actor.Ask[command](c, s.arg.Scenario, s.me(c, phase))
}

func (s *subject) identify(c *actor.Context, _ identify) (report, error) { return s.me(c, "run"), nil }

func (s *subject) deed(c *actor.Context, m deed) error {
	s.do(c, m.Kind)
	return nil
}

func (s *subject) do(c *actor.Context, kind string) {
	switch kind {
	case "":
	case "normal":
		c.Exit(nil)
	case "shutdown":
		c.Exit(actor.Shutdown{})
	case "shutdown x":
		c.Exit(actor.Shutdown{Detail: "x"})
	case "error":
		c.Exit(fmt.Errorf("by itself: %w", errProbe))
	case "panic":
		panic("on purpose")
	case "exit 3":
		os.Exit(3)
	case "SIGKILL":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "spin":
		if _, err := s.report(c, "spin"); err != nil {
			panic(err)
		}
		for ; ; s.spun++ {
		}
	default:
		panic("what is " + kind)
	}
}
