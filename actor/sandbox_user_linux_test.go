package actor_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"golang.org/x/sys/unix"
)

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
	// While the last one is restarted, the program is not dumpable: see keepDumpable in package spawn.
	if err := sys.Close(t.Context()); err != nil {
		t.Fatal(err)
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
