package actor_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// Each part of a Sandbox refuses what it says, on all threads, and without it that works.
func TestSandbox(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	in, out := t.TempDir(), t.TempDir()
	open := func(dir string) { // for those who run as another user
		for ; dir != "/" && os.Chmod(dir, 0o777) == nil && dir != os.TempDir(); dir = filepath.Dir(dir) {
		}
	}
	open(in)
	open(out)
	file := filepath.Join(out, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "x")
	free := jail(t, sys, actor.Sandbox{})
	for name, c := range map[string]struct {
		sandbox actor.Sandbox
		refused map[attempt]string
		allowed []attempt
	}{
		"network": {actor.Sandbox{NoNetwork: true},
			map[attempt]string{{What: "socket"}: "EACCES", {What: "unix socket"}: "EACCES", {What: "new privileges"}: "EPERM"},
			[]attempt{{What: "read", Path: file}, {What: "execute", Path: "/bin/true"}}},
		"read-only": {actor.Sandbox{Files: actor.ReadOnlyFiles, Write: []string{in}},
			map[attempt]string{{What: "write", Path: file}: "EACCES", {What: "write", Path: filepath.Join(out, "new")}: "EACCES"},
			[]attempt{{What: "read", Path: file}, {What: "write", Path: filepath.Join(in, "new")}, {What: "socket"}, {What: "execute", Path: "/bin/true"}}},
		"listed": {actor.Sandbox{Files: actor.ListedFiles, Read: []string{in}},
			map[attempt]string{{What: "read", Path: file}: "EACCES", {What: "read", Path: "/proc/self/status"}: "EACCES",
				{What: "write", Path: filepath.Join(in, "new")}: "EACCES", {What: "execute", Path: "/bin/true"}: "EACCES"},
			[]attempt{{What: "read", Path: filepath.Join(in, "old")}, {What: "write", Path: os.DevNull}, {What: "unix socket"}}},
		"processes": {actor.Sandbox{NoProcesses: true},
			map[attempt]string{{What: "execute", Path: "/bin/true"}: "EPERM", {What: "replace itself", Path: "/bin/true"}: "EPERM"},
			[]attempt{{What: "socket"}, {What: "write", Path: file}}},
		"privileges": {actor.Sandbox{NoNewPrivileges: true},
			map[attempt]string{{What: "new privileges"}: "EPERM"},
			[]attempt{{What: "socket"}, {What: "execute", Path: "/bin/true"}}},
		"system calls": {actor.Sandbox{Syscalls: true},
			map[attempt]string{{What: "unshare"}: "EPERM", {What: "namespace", Path: "/bin/true"}: "EPERM"},
			[]attempt{{What: "socket"}, {What: "execute", Path: "/bin/true"}, {What: "write", Path: file}}},
		"environment": {actor.Sandbox{EmptyEnv: true},
			map[attempt]string{{What: "environment", Path: "SECRET"}: fs.ErrNotExist.Error(), {What: "environment", Path: "HOME"}: fs.ErrNotExist.Error()},
			[]attempt{{What: "socket"}}},
		"strict": {actor.Strict(),
			map[attempt]string{{What: "socket"}: "EACCES", {What: "unix socket"}: "EACCES", {What: "read", Path: file}: "EACCES",
				{What: "write", Path: file}: "EACCES", {What: "remove", Path: file}: "EACCES", {What: "execute", Path: "/bin/true"}: "EPERM",
				{What: "replace itself", Path: "/bin/true"}: "EPERM", {What: "replace itself", Path: "/proc/self/exe"}: "EPERM",
				{What: "unshare"}: "EPERM", {What: "namespace", Path: "/bin/true"}: "EPERM",
				{What: "environment", Path: "SECRET"}: fs.ErrNotExist.Error()},
			[]attempt{{What: "write", Path: os.DevNull}}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(in, "old"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			ref := jail(t, sys, c.sandbox)
			for a, want := range c.refused {
				for _, a.On = range []bool{false, true} {
					if got := ask[string](t, ref, a); got != want {
						t.Errorf("%+v: got %s, want %s", a, got, want)
					}
				}
				if a.What == "replace itself" || a.What == "remove" || a.What == "namespace" && os.Geteuid() != 0 {
					continue // the control would end itself, or the file; or depends on the machine
				}
				if os.Getenv("HOME") == "" && a.Path == "HOME" {
					continue
				}
				if got := ask[string](t, free, a); got != "ok" {
					t.Errorf("control: %+v: got %s, want ok", a, got)
				}
				os.Remove(filepath.Join(in, "new"))
				os.Remove(filepath.Join(out, "new"))
			}
			for _, a := range c.allowed {
				if got := ask[string](t, ref, a); got != "ok" {
					t.Errorf("%+v: got %s, want ok", a, got)
				}
			}
		})
	}
	// None of it has reached the program.
	for _, a := range []attempt{{What: "socket"}, {What: "read", Path: file}, {What: "execute", Path: "/bin/true"}, {What: "unshare"}, {What: "new privileges"}} {
		for range 4 {
			if got, _ := new(inmate).Attempt(nil, attempt{a.What, a.Path, true}); got != "ok" {
				t.Errorf("the program itself: %+v: %s", a, got)
			}
		}
	}
}

// Actors in different sandboxes can do nothing to each other, nor to the program; those in equal ones
// can send signals.
func TestSandboxFromEachOther(t *testing.T) {
	sandbox := func() actor.Sandbox {
		return actor.Sandbox{Files: actor.ReadOnlyFiles, Write: []string{t.TempDir()}, Syscalls: true}
	}
	one, other := sandbox(), sandbox()
	c, err := one.Check()
	if err != nil || !slices.Contains(c.InForce, "landlock: no signals to others") {
		t.Skip("boot Linux 6.12 or later, with lsm=landlock: ", err, c.Missing)
	}
	sys := actortest.New(t, actor.Options{})
	enemy := jail(t, sys, one)
	free := jail(t, sys, actor.Sandbox{})
	for name, c := range map[string]struct {
		pid    int
		signal string
		memory string
	}{
		"the program":        {os.Getpid(), "EPERM", "EACCES"},
		"another sandbox":    {outerPid(t, sys, jail(t, sys, other)), "EPERM", "EACCES"},
		"no sandbox":         {outerPid(t, sys, free), "EPERM", "EACCES"},
		"the same one again": {outerPid(t, sys, jail(t, sys, one)), "ok", ""},
	} {
		pid := strconv.Itoa(c.pid)
		if got := ask[string](t, enemy, attempt{What: "signal", Path: pid}); got != c.signal {
			t.Errorf("%s: a signal: got %s, want %s", name, got, c.signal)
		}
		if got := ask[string](t, enemy, attempt{What: "read memory", Path: pid}); c.memory != "" && got != c.memory {
			t.Errorf("%s: its memory: got %s, want %s", name, got, c.memory)
		}
		if got := ask[string](t, free, attempt{What: "signal", Path: pid}); got != "ok" {
			t.Errorf("control: %s: a signal: got %s", name, got)
		}
	}
}

// A path stands for what is there when a process starts, though other processes know it from before.
func TestSandboxPathAnew(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	dir := filepath.Join(t.TempDir(), "work")
	sandbox := actor.Sandbox{Files: actor.ListedFiles, Write: []string{dir}}
	write := attempt{What: "write", Path: filepath.Join(dir, "file")}
	var refs []actor.Ref
	for range 3 {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		ref := jail(t, sys, sandbox)
		refs = append(refs, ref)
		if got := ask[string](t, ref, write); got != "ok" {
			t.Errorf("the newest: %s", got)
		}
		if got := ask[string](t, refs[0], write); len(refs) > 1 && got != "EACCES" {
			t.Errorf("the oldest, which knows another directory: %s", got)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	m := sys.Monitor(refs[0])
	tell(t, refs[0], crashLoudly{})
	ended(t, m)
	if got := ask[string](t, refs[0], write); got != "ok" {
		t.Errorf("after a restart: %s", got)
	}
}

// A strict actor does all that an actor does: it answers, logs, prints and crashes with a stack,
// and is restarted into the same sandbox.
func TestStrictActor(t *testing.T) {
	var log bytes.Buffer
	sys := actortest.New(t, actor.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Standby: 1})
	ref := jail(t, sys, actor.Strict())
	for life := range 3 {
		if got := ask[string](t, ref, attempt{What: "socket"}); got != "EACCES" {
			t.Errorf("life %d: got %s", life, got)
		}
		if got := ask[string](t, ref, attempt{What: "execute", Path: "/bin/true"}); got != "EPERM" {
			t.Errorf("life %d: got %s", life, got)
		}
		m := sys.Monitor(ref)
		tell(t, ref, crashLoudly{})
		down := ended(t, m)
		p, ok := down.Reason.(actor.Panic)
		if !ok || !strings.Contains(p.Error(), "out of here") || !strings.Contains(p.Stack, "(*inmate).Crash") {
			t.Errorf("life %d: got %#v", life, down.Reason)
		}
	}
	if err := sys.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a record", "a line", "another line"} {
		if n := strings.Count(log.String(), want); n < 3 {
			t.Errorf("%q is %d times in the log, want 3:\n%s", want, n, log.String())
		}
	}
}

// TestSandboxEarly: the init of a package that Go runs before any of this module's is
// confined as well, but for NoProcesses.
func TestSandboxEarly(t *testing.T) {
	if _, err := actor.Strict().Check(); err != nil {
		t.Skip("boot a kernel that can: ", err)
	}
	byDefault, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	if err != nil {
		t.Skip("put the go command into PATH: ", err)
	}
	for _, cgo := range slices.Compact([]string{"0", strings.TrimSpace(string(byDefault))}) {
		cmd := exec.Command("go", "run", "./testdata/early")
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		const want = "map[open: process: socket: unshare:]\n" +
			"map[open:permission denied process: socket:permission denied unshare:operation not permitted]\n"
		if err != nil || string(out) != want {
			t.Errorf("CGO_ENABLED=%s: %v, got\n%swant\n%s", cgo, err, out, want)
		}
	}
}
