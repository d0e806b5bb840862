package actor_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

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
