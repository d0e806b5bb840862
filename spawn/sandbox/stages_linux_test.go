package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

func init() {
	roles["inside"] = inside
	roles["nothing"] = func() {}
}

// inside tries what a confined process may, before and after ApplyInside, on a
// thread that was there before.
func inside() {
	var p Policy
	must(p.UnmarshalText([]byte(os.Getenv(policyVariable))))
	tries := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range tries {
			f()
		}
	}()
	try := func(what string) {
		done := make(chan bool)
		tries <- func() {
			defer close(done)
			cmd := exec.Command(selfExe)
			cmd.Env = append(os.Environ(), roleVariable+"=nothing")
			process := cmd.Run()
			cmd = exec.Command(selfExe)
			cmd.Env = append(os.Environ(), roleVariable+"=nothing")
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUTS | unix.CLONE_NEWUSER}
			namespace := cmd.Run()
			fmt.Println(what, result(pair(unix.SOCK_DGRAM)), result(unix.Unshare(unix.CLONE_FS)), result(process), result(namespace))
		}
		<-done
	}
	try("before:")
	must(p.ApplyInside())
	try("after:")
	must(p.ApplyInside())
	try("twice:")
}

// TestStages: a thread confined by ApplyOutside starts processes, in namespaces too, and these
// confine all their threads further.
func TestStages(t *testing.T) {
	spawntest.Check(t)
	for _, c := range []struct {
		policy *Policy
		want   string
	}{
		{&Policy{NoNetwork: true}, "EACCES ok ok ok|EACCES ok ok ok"},
		{&Policy{Syscalls: true}, "ok EPERM ok ok|ok EPERM ok EPERM"},
		{&Policy{NoProcesses: true}, "ok ok ok ok|ok ok EPERM EPERM"},
		{strict(), "EACCES EPERM ok ok|EACCES EPERM EPERM EPERM"},
	} {
		requireKernel(t, c.policy)
		if err := userNamespaces(); err != nil {
			t.Skip("allow user namespaces: ", err)
		}
		text, err := c.policy.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		onThread(func() error {
			if _, err = c.policy.ApplyOutside(); err != nil {
				return err
			}
			cmd := exec.Command(selfExe)
			cmd.Env = append(os.Environ(), roleVariable+"=inside", policyVariable+"="+string(text))
			var read, write *os.File
			if read, write, err = os.Pipe(); err != nil { // no goroutine but this is confined
				return err
			}
			defer read.Close()
			cmd.Stdout, cmd.Stderr, cmd.Stdin = write, os.Stderr, read
			err = cmd.Run()
			write.Close()
			buffer := make([]byte, 4096)
			n, _ := read.Read(buffer)
			out = buffer[:n]
			return err
		})
		before, after, _ := strings.Cut(c.want, "|")
		if want := fmt.Sprintf("before: %s\nafter: %s\ntwice: %[2]s\n", before, after); err != nil || string(out) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", text, err, out, want)
		}
	}
}

// TestInside: what ApplyInside has to do is in every process's environment, so it is short.
func TestInside(t *testing.T) {
	for want, p := range map[string]*Policy{
		"1":                          {NoNetwork: true, Files: Listed, ReadOnly: []string{"/"}, BestEffort: true},
		"1 no-processes syscalls":    strict(),
		"1 no-processes best-effort": {NoProcesses: true, NoNewPrivileges: true, BestEffort: true},
		"1 syscalls":                 {Syscalls: true, Files: ReadOnly, ReadWrite: []string{"/"}},
	} {
		q := p.Inside()
		if got := string(q.text()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := new(Policy).ApplyInside(); err != nil {
		t.Error(err)
	}
}

// TestPlanPublic: it says what Apply does, and does not do it.
func TestPlanPublic(t *testing.T) {
	requireKernel(t, strict())
	planned, err := strict().Plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := pair(unix.SOCK_DGRAM); err != nil {
		t.Error(err)
	}
	onThread(func() error {
		applied, err := strict().Apply()
		if err != nil {
			return err
		}
		if strings.Join(planned.InForce, "\n") != strings.Join(applied.InForce, "\n") || strings.Join(planned.Missing, "\n") != strings.Join(applied.Missing, "\n") {
			t.Errorf("planned %+v, applied %+v", planned, applied)
		}
		return nil
	})
	if _, err := (&Policy{Files: Listed, ReadOnly: []string{"/nonexistent"}}).Plan(); err == nil {
		t.Error("a wrong one is planned")
	}
}
