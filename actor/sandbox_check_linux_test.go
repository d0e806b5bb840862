package actor_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// An actor in a sandbox cannot start one that is not.
func TestSandboxIsInherited(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := jail(t, sys, actor.Strict())
	child, err := actor.Ask[actor.Ref](t.Context(), ref, descend{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask[string](t, child, attempt{What: "execute", Path: "/bin/true"}); got != "EPERM" {
		t.Errorf("a child without a sandbox of its own: %s", got)
	}
	before := sys.Stats().Denied
	if _, err := actor.Ask[actor.Ref](t.Context(), ref, descend{Other: true}); err == nil || !strings.Contains(err.Error(), actor.ErrDenied.Error()) {
		t.Errorf("a child with another sandbox: %v", err)
	}
	if got := sys.Stats().Denied - before; got != 1 {
		t.Errorf("%d are counted as denied", got)
	}
}

// What is wrong, or cannot be had here, is an error before there is a process.
func TestSandboxRefused(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for name, sandbox := range map[string]actor.Sandbox{
		"no such path":      {Files: actor.ListedFiles, Read: []string{"/nonexistent"}},
		"relative path":     {Files: actor.ListedFiles, Read: []string{"x"}},
		"paths, all files":  {Write: []string{"/tmp"}},
		"unknown files":     {Files: 7},
		"user, namespaces":  {User: &actor.User{}, Namespaces: actor.PIDNamespace},
		"no user":           {User: &actor.User{UID: 1<<32 - 1}},
		"unknown namespace": {Namespaces: 1 << 7},
	} {
		spec := inmates.With(actor.None{})
		spec.Sandbox = sandbox
		_, err := sys.Spawn(t.Context(), spec)
		if e, ok := errors.AsType[*actor.SpawnError](err); !ok || e.Down != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if _, checked := sandbox.Check(); checked == nil {
			t.Errorf("%s: Check finds nothing", name)
		}
		t.Log(err)
	}
	if os.Geteuid() != 0 {
		spec := inmates.With(actor.None{})
		spec.Sandbox = actor.Sandbox{User: &actor.User{UID: 1, GID: 1}}
		if _, err := sys.Spawn(t.Context(), spec); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "CAP_SETUID") {
			t.Errorf("another user: got %v", err)
		}
		spec.Sandbox.BestEffort = true
		ref, err := sys.Spawn(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask[string](t, ref, attempt{What: "new privileges"}); got != "ok" {
			t.Errorf("nothing was asked for but a user, and there is more: %s", got)
		}
	}
}

// Check says what is in force.
func TestSandboxCheck(t *testing.T) {
	if _, err := actor.Strict().Check(); err != nil {
		t.Skip("boot a kernel that can: ", err)
	}
	c, err := actor.Strict().Check()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no new privileges", "landlock: files listed", "seccomp: no network", "seccomp: no processes", "seccomp: system calls", "empty environment"} {
		if !slices.Contains(c.InForce, want) {
			t.Errorf("%q is not in %q", want, c.InForce)
		}
	}
	sys := actortest.New(t, actor.Options{})
	if got := sys.Capabilities().Sandbox; got.NoNetwork.By != "seccomp" || !strings.HasPrefix(got.Files.By, "landlock ABI ") ||
		(got.User.By == "") == (got.User.Reason == "") {
		t.Errorf("capabilities: %+v", got)
	}
	if c, err := (actor.Sandbox{}).Check(); err != nil || c.InForce != nil || c.Missing != nil {
		t.Errorf("no sandbox: %v, %v", c, err)
	}
}
