package actor_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/actor"
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
