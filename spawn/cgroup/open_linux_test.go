package cgroup

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestCapabilities(t *testing.T) {
	c := Open().Capabilities()
	t.Logf("%+v", c)
	for name, s := range map[string]Support{"memory": c.Memory, "cpu": c.CPU, "processes": c.Processes, "kill": c.Kill} {
		if (s.Version > 0) != (s.Reason == "") || s.Version < 0 || s.Version > 2 || strings.Contains(s.Reason, "\n") {
			t.Errorf("%s: got %+v, want a version or a reason of one line", name, s)
		}
	}
	if c != Open().Capabilities() {
		t.Error("another Open finds others")
	}
}

// A program alone in a group that it may change finds there what we have here. In
// version 2 that takes moving it into a leaf.
func TestOpenInside(t *testing.T) {
	m := opened(t)
	var asked Limits // for its controllers to be there
	if m.at[memory] != nil {
		asked.Memory = 1 << 30
	}
	if m.at[cpu] != nil {
		asked.CPU = 4
	}
	if m.at[tasks] != nil {
		asked.Processes = 1000
	}
	g := created(t, m, asked)
	cmd := command(t, "capabilities")
	var out []byte
	err := g.Start(cmd.SysProcAttr, func() (err error) {
		out, err = cmd.Output()
		return err
	})
	if got, want := string(out), fmt.Sprintf("%+v\n", m.Capabilities()); err != nil || got != want {
		t.Errorf("inside: got %s, %v, want %s", got, err, want)
	}
}

// Who may nothing is told so, for each resource in one line.
func TestUnprivileged(t *testing.T) {
	cmd := command(t, "capabilities")
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") != 1 || strings.Count(string(out), "Version:") != 4 {
		t.Fatalf("got %q, %v", out, err)
	}
	t.Logf("%s", out)
	if os.Getuid() != 0 {
		t.Skip("run this as root: what another user may do is to be seen")
	}
	if strings.Contains(string(out), "Version:1") {
		t.Errorf("got %s, want nothing of version 1", out)
	}
	for part := range strings.SplitSeq(string(out), "Version:0 Reason:") {
		if !strings.HasPrefix(part, "{") && !strings.Contains(part, "cgroup v2: ") {
			t.Errorf("%q: no reason for version 2", part)
		}
	}
}

func TestCreateUnsupported(t *testing.T) {
	m := &Manager{}
	m.refuse(memory, 2, errors.New("not mounted"))
	m.refuse(memory, 1, errors.New("not mounted either"))
	m.refuse(kill, 2, errors.New("not mounted"))
	_, err := m.Create("greeter", Limits{Memory: 1 << 30})
	want := "cgroup greeter: memory limit: unsupported operation: cgroup v2: not mounted; cgroup v1: not mounted either"
	if !errors.Is(err, errors.ErrUnsupported) || err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	_, err = m.Create("greeter", Limits{})
	want = "cgroup greeter: group: unsupported operation: cgroup v2: not mounted"
	if !errors.Is(err, errors.ErrUnsupported) || err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

// The texts are of real machines; the directories are made up, as only one
// machine can be here. What the kernel does with groups the other tests see.
func TestLocate(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"/u", "/u/user.slice/a b", "/memory", "/cpu,cpuacct/docker/abc", "/pids"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+dir+"/cgroup.procs", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mountinfo := strings.ReplaceAll(`24 1 0:22 / /proc rw,nosuid - proc proc rw
31 23 0:28 / R rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / R/u rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:30 / R/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 /docker/abc R/memory ro - cgroup cgroup rw,memory
35 31 0:32 / R/hidden rw - cgroup cgroup rw,pids
36 31 0:32 / R/pids rw - cgroup cgroup rw,pids
37 31 0:32 / R/gone rw - cgroup cgroup rw,pids
38 31 0:33 /elsewhere R/freezer rw - cgroup cgroup rw,freezer
broken line
`, "R", root)
	here := location{
		memberships: parseMemberships("5:freezer:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:pids:/\n" +
			"2:memory:/docker/abc\n6:devices:/../..\n1:name=systemd:/x\n0::/user.slice/a b\nbroken\n"),
		mounts: parseMounts(mountinfo),
	}
	for _, test := range []struct{ controller, dir, err string }{
		{"", "/u/user.slice/a b", ""},
		{"cpu", "/cpu,cpuacct/docker/abc", ""},
		{"cpuacct", "/cpu,cpuacct/docker/abc", ""},
		{"memory", "/memory", ""},
		{"pids", "/pids", ""},
		{"freezer", "", "the program's own group /docker/abc cannot be seen from here"},
		{"devices", "", "not mounted"},
		{"hugetlb", "", "not in this kernel, or not mounted"},
	} {
		dir, _, err := here.group(test.controller)
		if test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%s: got %q, %v, want %q", test.controller, dir, err, test.err)
			}
		} else if err != nil || dir != root+test.dir {
			t.Errorf("%s: got %q, %v, want %q", test.controller, dir, err, root+test.dir)
		}
	}
}

func TestBeneath(t *testing.T) {
	for _, test := range []struct {
		root, path, want string
		ok               bool
	}{
		{"/", "/", "/", true},
		{"/", "/a/b", "/a/b", true},
		{"/a", "/a", "", true},
		{"/a", "/a/b", "/b", true},
		{"/a", "/ab", "b", false},
		{"/a/b", "/a", "/a", false},
		{"/", "/../b", "", false},
	} {
		if got, ok := beneath(test.root, test.path); ok != test.ok || (ok && got != test.want) {
			t.Errorf("%s in %s: got %q, %v, want %q, %v", test.path, test.root, got, ok, test.want, test.ok)
		}
	}
	if got, want := unescape(`/a\040b\134c`), `/a b\c`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
