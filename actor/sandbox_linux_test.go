package actor_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

// An inmate tries to get out.
type inmate struct{}

// attempt is what it tries. It answers "ok", or the name of the error.
type attempt struct {
	What string
	Path string
	On   bool // another thread
}

type (
	crashLoudly struct{}
	wedge       struct{}
)

var inmates = actor.Define("inmate", actor.Zero[inmate],
	actor.On((*inmate).Attempt), actor.On((*inmate).Spawn), actor.OnTell((*inmate).Crash), actor.OnTell((*inmate).Wedge))

var attempts = map[string]func(path string) error{
	"socket": func(string) error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		unix.Close(fd)
		return err
	},
	"unix socket": func(string) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		unix.Close(fd)
		return err
	},
	"read": func(path string) error {
		_, err := os.ReadFile(path)
		return err
	},
	"write":  func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
	"remove": os.Remove,
	"execute": func(path string) error {
		p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{})
		if err != nil {
			return err
		}
		_, err = p.Wait()
		return err
	},
	"replace itself": func(path string) error { return syscall.Exec(path, []string{path}, nil) },
	"unshare":        func(string) error { return unix.Unshare(unix.CLONE_FS) },
	"namespace": func(path string) error {
		p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}})
		if err != nil {
			return err
		}
		_, err = p.Wait()
		return err
	},
	"new privileges": func(string) error {
		if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); n != 0 || err != nil {
			return errors.Join(unix.EPERM, err)
		}
		return nil
	},
	"signal": func(pid string) error {
		n, err := strconv.Atoi(pid)
		if err != nil {
			return err
		}
		return unix.Kill(n, 0)
	},
	"read memory": func(pid string) error {
		f, err := os.Open("/proc/" + pid + "/mem")
		f.Close()
		return err
	},
	"environment": func(key string) error {
		if _, ok := os.LookupEnv(key); !ok {
			return fs.ErrNotExist
		}
		return nil
	},
}

func (*inmate) Attempt(_ *actor.Context, m attempt) (string, error) {
	if m.What == "who" {
		groups, err := os.Getgroups()
		return fmt.Sprint(os.Getpid(), " ", os.Getuid(), " ", os.Getgid(), " ", groups), err
	}
	result := make(chan error, 1)
	do := func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		result <- attempts[m.What](m.Path)
	}
	if m.On {
		go do()
	} else {
		do()
	}
	return outcome(<-result), nil
}

// outcome is an error without its circumstances.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

func (*inmate) Crash(c *actor.Context, _ crashLoudly) error {
	c.Logger().Info("a record")
	fmt.Println("a line")
	fmt.Fprintln(os.Stderr, "another line")
	panic("out of here")
}

// Wedge makes the process deaf to all but SIGKILL: its only P waits in the kernel, on a thread
// that takes no signals.
func (*inmate) Wedge(*actor.Context, wedge) error {
	runtime.LockOSThread()
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i]--
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &all, nil); err != nil {
		return err
	}
	for {
		unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
}

// isWedged looks at it from outside.
func isWedged(t testing.TB, pid int) bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(tasks, func(task string) bool {
		status, _ := os.ReadFile(task)
		return bytes.Contains(status, []byte("SigBlk:\tfffffff"))
	})
}

// inmateSpec breaks the cycle of inmates and its handler.
var inmateSpec actor.Spec

func init() { inmateSpec = inmates.With(actor.None{}) }

// descend has it start another one, in a sandbox or not.
type descend struct{ Other bool }

func (*inmate) Spawn(c *actor.Context, m descend) (actor.Ref, error) {
	spec := inmateSpec
	if m.Other {
		spec.Sandbox = actor.Sandbox{NoNetwork: true}
	}
	return c.Spawn(c, spec)
}

// jail spawns an inmate, or skips the test where the kernel cannot.
func jail(t testing.TB, sys *actor.System, sandbox actor.Sandbox) actor.Ref {
	t.Helper()
	spec := inmates.With(actor.None{})
	spec.Sandbox = sandbox
	ref, err := sys.Spawn(t.Context(), spec)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("boot a kernel that can: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

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

// Another user's rights, and the others' are lost; the parent's death still is the actor's.
func TestSandboxUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("run as root")
	}
	sys := actortest.New(t, actor.Options{})
	for name, sandbox := range map[string]actor.Sandbox{"alone": {}, "strict": actor.Strict()} {
		sandbox.User = &actor.User{UID: 65534, GID: 65533}
		ref := jail(t, sys, sandbox)
		who := ask[string](t, ref, attempt{What: "who"})
		if _, ids, _ := strings.Cut(who, " "); ids != "65534 65533 []" {
			t.Errorf("%s: got %s", name, ids)
		}
		if got := ask[string](t, ref, attempt{What: "read", Path: "/etc/shadow"}); got != "EACCES" {
			t.Errorf("%s: reads /etc/shadow: %s", name, got)
		}
		m := sys.Monitor(ref)
		tell(t, ref, crashLoudly{})
		if p, ok := ended(t, m).Reason.(actor.Panic); !ok || p.Stack == "" {
			t.Errorf("%s: no stack", name)
		}
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); n != 1 || err != nil {
		t.Errorf("the program is not dumpable any more: %d, %v", n, err)
	}
}

// Namespaces of its own, which it has no rights in.
func TestSandboxNamespaces(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	kinds := map[string]actor.Namespaces{"user": actor.UserNamespace, "pid": actor.PIDNamespace, "net": actor.NetNamespace,
		"ipc": actor.IPCNamespace, "uts": actor.UTSNamespace, "mnt": actor.MountNamespace}
	strict := actor.Strict()
	strict.EmptyEnv = false
	for _, base := range []actor.Sandbox{{}, strict} {
		var all actor.Namespaces
		for kind := range maps.Values(kinds) {
			all |= kind
		}
		for _, wanted := range append(slices.Collect(maps.Values(kinds)), all) {
			base.Namespaces = wanted
			ref := jail(t, sys, base)
			m := sys.Monitor(ref)
			pid := outerPid(t, sys, ref)
			for name, kind := range kinds {
				ours, err := os.Readlink("/proc/self/ns/" + name)
				theirs, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, name))
				if os.Geteuid() != 0 && errors.Is(err2, fs.ErrPermission) {
					continue // not ours to look into
				}
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if own := wanted&kind != 0 || name == "user"; own != (ours != theirs) {
					t.Errorf("%v: %s namespace: %s and %s", wanted, name, ours, theirs)
				}
			}
			who := ask[string](t, ref, attempt{What: "who"})
			if !strings.Contains(who, " 65534 65534 ") || strings.HasPrefix(who, "1 ") != (wanted&actor.PIDNamespace != 0) {
				t.Errorf("%v: it is %s", wanted, who)
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil || !strings.Contains(string(status), "CapEff:\t0000000000000000") {
				t.Errorf("%v: it has capabilities: %v", wanted, err)
			}
			tell(t, ref, crashLoudly{})
			if p, ok := ended(t, m).Reason.(actor.Panic); !ok || p.Stack == "" {
				t.Errorf("%v: no stack", wanted)
			}
			if err := ref.Stop(t.Context()); err != nil {
				t.Errorf("%v: %v", wanted, err)
			}
		}
	}
}

var _ = addRole("jailer", func() {
	actor.Main(func(ctx context.Context, sys *actor.System) error {
		for _, sandbox := range jails() {
			spec := inmates.With(actor.None{})
			spec.Sandbox = sandbox
			ref, err := sys.Spawn(ctx, spec)
			if err != nil {
				return err
			}
			if err := ref.Tell(ctx, wedge{}); err != nil {
				return err
			}
		}
		for info := range sys.Children() {
			fmt.Println(info.Pid)
		}
		fmt.Println("all")
		<-ctx.Done()
		return nil
	})
})

// jails are sandboxes of all kinds, as far as this machine has them.
func jails() []actor.Sandbox {
	user := actor.Strict()
	user.User = &actor.User{UID: 65534, GID: 65534}
	namespaces := actor.Strict()
	namespaces.Namespaces = actor.PIDNamespace | actor.NetNamespace
	return slices.DeleteFunc([]actor.Sandbox{{}, actor.Strict(), user, namespaces}, func(s actor.Sandbox) bool {
		_, err := s.Check()
		return err != nil
	})
}

// The program's sudden end is that of actors in sandboxes, even if they are wedged and cannot see that
// their pipes are closed.
func TestSandboxParentDeath(t *testing.T) {
	spawntest.Check(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"=jailer")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var handles []int
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "all"; {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		handle, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(handle)
		eventually(t, "an actor that is wedged", func() bool { return isWedged(t, pid) })
		handles = append(handles, handle)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if len(handles) != len(jails()) {
		t.Errorf("%d actors, want %d", len(handles), len(jails()))
	}
	for i, handle := range handles {
		polled := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(polled, int(orphanLimit.Milliseconds()))
			if err == unix.EINTR {
				continue
			}
			if n != 1 {
				t.Errorf("the actor in %+v lives on: %v", jails()[i], err)
				unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0)
			}
			break
		}
	}
}

// outerPid is the actor's pid as the program sees it.
func outerPid(t testing.TB, sys *actor.System, ref actor.Ref) int {
	t.Helper()
	for info := range sys.Children() {
		if info.Ref == ref {
			return info.Pid
		}
	}
	t.Fatal("no such child")
	return 0
}

// BenchmarkSpawnSandbox compares starts; the actor is stopped again.
func BenchmarkSpawnSandbox(b *testing.B) {
	for _, c := range []struct {
		name    string
		sandbox actor.Sandbox
	}{
		{"none", actor.Sandbox{}},
		{"privileges", actor.Sandbox{NoNewPrivileges: true}},
		{"network", actor.Sandbox{NoNetwork: true}},
		{"listed", actor.Sandbox{Files: actor.ListedFiles}},
		{"processes", actor.Sandbox{NoProcesses: true}},
		{"system calls", actor.Sandbox{Syscalls: true}},
		{"strict", actor.Strict()},
		{"namespaces", actor.Sandbox{Namespaces: actor.PIDNamespace | actor.NetNamespace}},
	} {
		b.Run(c.name, func(b *testing.B) {
			sys := actortest.New(b, actor.Options{})
			jail(b, sys, c.sandbox) // the first one makes the thread
			for b.Loop() {
				ref := jail(b, sys, c.sandbox)
				b.StopTimer()
				if err := ref.Kill(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
