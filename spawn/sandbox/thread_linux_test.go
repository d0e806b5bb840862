package sandbox

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
	"golang.org/x/sys/unix"
)

// TestOnlyThisThread confines one thread of this process: others, those made
// meanwhile too, stay as they are.
func TestOnlyThisThread(t *testing.T) {
	spawntest.Check(t)
	p := &Policy{NoNetwork: true}
	requireKernel(t, p)
	socket := func() error { return pair(unix.SOCK_DGRAM) }
	onThread(func() error {
		c, err := p.Apply()
		if err != nil {
			return err
		}
		if len(c.InForce) == 0 {
			t.Error("nothing is said to be in force")
		}
		if err := socket(); err != unix.EACCES {
			t.Errorf("on the confined thread: got %v, want %v", err, unix.EACCES)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				onThread(func() error {
					if err := socket(); err != nil {
						t.Errorf("on another thread: %v", err)
					}
					return nil
				})
			})
		}
		wg.Wait()
		return nil
	})
}

// TestEmpty: the zero Policy does not even need a thread.
func TestEmpty(t *testing.T) {
	spawntest.Check(t)
	c, err := new(Policy).Apply()
	if err != nil || len(c.InForce)+len(c.Missing) != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	if err := set(unix.PR_GET_NO_NEW_PRIVS); err == nil {
		t.Skip("run without no_new_privs to see that it is not set")
	}
}

// TestApplyInvalid: an invalid Policy confines nothing.
func TestApplyInvalid(t *testing.T) {
	spawntest.Check(t)
	p := &Policy{NoNetwork: true, Files: Listed, ReadOnly: []string{"/nonexistent"}}
	if _, err := p.Apply(); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "/nonexistent") {
		t.Errorf("got %v", err)
	}
	if err := pair(unix.SOCK_DGRAM); err != nil {
		t.Errorf("the thread is confined: %v", err)
	}
}

func TestProbe(t *testing.T) {
	spawntest.Check(t)
	c := Probe()
	t.Logf("%+v", c)
	abi, err := landlockABI()
	if c.LandlockABI != abi || (c.Landlock == nil) != (err == nil) || (abi > 0) != (err == nil) {
		t.Errorf("Landlock: got %d, %v, want %d, %v", c.LandlockABI, c.Landlock, abi, err)
	}
	if c.NoNewPrivileges != nil {
		t.Errorf("no new privileges: %v", c.NoNewPrivileges)
	}
	// What it says can be done is what can be done.
	for _, part := range []struct {
		err    error
		policy Policy
	}{{c.Seccomp, Policy{NoNetwork: true}}, {c.Seccomp, Policy{NoProcesses: true}}, {c.Landlock, Policy{Files: ReadOnly}}} {
		onThread(func() error {
			_, err := part.policy.Apply()
			if (err == nil) != (part.err == nil && (part.policy.Files == Unrestricted || abi >= abiTruncate)) {
				t.Errorf("Probe says %v, Apply of %s says %v", part.err, part.policy.text(), err)
			}
			return nil
		})
	}
}
