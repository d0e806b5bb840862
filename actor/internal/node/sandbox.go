package node

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn"
	"github.com/progeny-go/progeny/spawn/sandbox"
)

// probed is what this machine gives sandboxes. It is found out once.
var probed = sync.OnceValue(sandbox.Probe)

// Probe says what this machine gives sandboxes.
func Probe() sandbox.Capabilities { return probed() }

// keptEntries are the environment that is no secret and that the Go runtime, or the
// loader of the C library, looks at before main.
var keptEntries = []string{"GODEBUG", "GOGC", "GOMEMLIMIT", "GORACE", "GOTRACEBACK", "LD_LIBRARY_PATH"}

// enclose makes cmd a command for a process in s, which may be nil.
func enclose(cmd *spawn.Command, s *wire.Sandbox) error {
	if s == nil {
		return nil
	}
	cmd.Sandbox = new(sandbox.Policy)
	if err := cmd.Sandbox.UnmarshalText([]byte(s.Policy)); err != nil {
		return err
	}
	if s.User != nil && !(s.BestEffort && probed().SetUser != nil) {
		cmd.User = new(spawn.User(*s.User))
	}
	if s.Namespaces != 0 && !(s.BestEffort && probed().UserNamespaces != nil) {
		cmd.Namespaces = spawn.Namespaces(s.Namespaces)
	}
	if s.EmptyEnv {
		env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
			key, _, _ := strings.Cut(entry, "=")
			return !slices.Contains(keptEntries, key)
		})
		cmd.Env = append(env, cmd.Env...)
	}
	return nil
}

// CheckSandbox says what is wrong with s, or what this machine lacks for it, before
// there is a process.
func CheckSandbox(s *wire.Sandbox) (*sandbox.Confinement, error) {
	var cmd spawn.Command
	if err := enclose(&cmd, s); err != nil {
		return nil, refused(err.Error())
	}
	if s == nil {
		return new(sandbox.Confinement), nil
	}
	asked := spawn.Command{User: (*spawn.User)(s.User), Namespaces: spawn.Namespaces(s.Namespaces)}
	if err := asked.CheckSandbox(); err != nil {
		return nil, refused("wrong Spec: sandbox: " + err.Error())
	}
	c, err := cmd.Sandbox.Plan()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, unsupported(err)
	case err != nil:
		return nil, refused("wrong Spec: " + err.Error())
	}
	part := func(what string, missing error) {
		switch {
		case missing == nil:
			c.InForce = append(c.InForce, what)
		case s.BestEffort:
			c.Missing = append(c.Missing, fmt.Sprintf("%s: %v", what, missing))
		default:
			err = unsupported(fmt.Errorf("sandbox: %s: %w", what, missing))
		}
	}
	if u := s.User; u != nil {
		part(fmt.Sprintf("user %d, group %d", u.UID, u.GID), probed().SetUser)
	}
	if s.Namespaces != 0 {
		part("namespaces: "+spawn.Namespaces(s.Namespaces).String(), probed().UserNamespaces)
	}
	if s.EmptyEnv {
		c.InForce = append(c.InForce, "empty environment")
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func unsupported(err error) *wire.Failure {
	text := strings.TrimSuffix(err.Error(), ": "+errors.ErrUnsupported.Error())
	return &wire.Failure{Code: wire.Unsupported, Fate: wire.FateNotSent, Text: text}
}

// restrain sees to it that what an actor starts has no more rights than it has itself: it
// may be the enemy. Without a sandbox of its own it gets that of the actor.
func restrain(by *wire.Spec, child *wire.Child) error {
	if child == nil {
		return nil // the template of a supervisor
	}
	if spec := child.Actor; spec != nil {
		if by.Sandbox != nil && spec.Sandbox != nil && !spec.Sandbox.Equal(by.Sandbox) {
			return &wire.Failure{Code: wire.Denied, Fate: wire.FateNotSent, Text: "an actor in a sandbox starts actors in the same one only"}
		}
		if by.Sandbox != nil {
			spec.Sandbox = by.Sandbox
		}
		spec.Deny |= by.Deny
	}
	if child.Supervisor != nil {
		for i := range child.Supervisor.Children {
			if err := restrain(by, &child.Supervisor.Children[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// denied answers an Ask to the node that the actor's Spec does not allow.
func (l *link) denied(env *codec.Envelope) bool {
	bits := l.cell.spec.Deny.Denies(string(env.Type))
	if bits == 0 {
		return false
	}
	l.conclude(env.Corr, nil, &wire.Failure{Code: wire.Denied, Fate: wire.FateNotSent,
		Text: fmt.Sprintf("%s: its Spec denies %v", env.Type, bits)})
	return true
}

// addresses counts id if nothing has that address, nor is known to have had it: an actor that
// uses such a one has made it up, or has slept for long.
func (l *link) addresses(id codec.ID) {
	if _, ok := routes.Load(id); !ok && epitaphs.find(id) == nil {
		l.cell.node.unknown.Add(1)
	}
}
