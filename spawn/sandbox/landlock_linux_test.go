package sandbox

import (
	"errors"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRightsOfABI: exactly the rights that an ABI knows are handled, else the
// kernel refuses the ruleset, or enforces less than it could. See landlock(7).
func TestRightsOfABI(t *testing.T) {
	listed := &Policy{Files: Listed, NoNetwork: true}
	for abi, want := range []struct{ fs, net, scope int }{
		{}, {13, 0, 0}, {14, 0, 0}, {15, 0, 0}, {15, 2, 0}, {16, 2, 0}, {16, 2, 2}, {16, 2, 2}, {16, 2, 2}, {17, 2, 2}, {17, 4, 2}, {17, 4, 2},
	} {
		attr := listed.domain(abi)
		// Rights are handed out from the lowest bit on.
		if got := attr.Handled_access_fs; got != 1<<want.fs-1 {
			t.Errorf("ABI %d: rights %#x, want the first %d", abi, got, want.fs)
		}
		if got := bits.OnesCount64(attr.Handled_access_net); got != want.net {
			t.Errorf("ABI %d: %d network rights, want %d", abi, got, want.net)
		}
		if got := bits.OnesCount64(attr.Scoped); got != want.scope {
			t.Errorf("ABI %d: %d scopes, want %d", abi, got, want.scope)
		}
		if read := (&Policy{Files: ReadOnly}).domain(abi).Handled_access_fs & readRights; read != 0 {
			t.Errorf("ABI %d: read-only handles the rights %#x", abi, read)
		}
	}
	for _, p := range []Policy{{}, {NoNewPrivileges: true}, {NoProcesses: true}} {
		if attr := p.domain(99); attr != (unix.LandlockRulesetAttr{}) {
			t.Errorf("%s: domain %+v", p.text(), attr)
		}
	}
}

// TestPlan: what is in force and what is missing add up.
func TestPlan(t *testing.T) {
	none := errors.New("none")
	for _, c := range []struct {
		name                    string
		kernel                  kernel
		policy                  Policy
		inForce, missing, lacks string
	}{
		{"all of it", kernel{abi: 10}, Policy{Files: ReadOnly, NoNetwork: true, NoProcesses: true, Syscalls: true},
			"no new privileges; landlock: files read-only; landlock: no truncation; landlock: no ioctl on devices; " +
				"landlock: no connection to sockets by path; landlock: no TCP; landlock: no UDP; landlock: no connection to abstract sockets; " +
				"landlock: no signals to others; seccomp: no network; seccomp: no processes; seccomp: system calls", "", ""},
		{"truncation", kernel{abi: 2}, Policy{Files: Listed},
			"no new privileges; landlock: files listed",
			"landlock: no ioctl on devices: needs Landlock ABI 5, this kernel has 2; " +
				"landlock: no connection to sockets by path: needs Landlock ABI 9, this kernel has 2; " +
				"landlock: no signals to others: needs Landlock ABI 6, this kernel has 2",
			"files listed, against truncate(2) and O_TRUNC: needs Landlock ABI 3, this kernel has 2"},
		{"network without Landlock", kernel{landlock: none}, Policy{NoNetwork: true},
			"no new privileges; seccomp: no network",
			"landlock: no TCP: none; landlock: no UDP: none; landlock: no connection to abstract sockets: none; landlock: no signals to others: none", ""},
		{"network without seccomp", kernel{abi: 4, seccomp: none}, Policy{NoNetwork: true},
			"no new privileges; landlock: no TCP",
			"landlock: no UDP: needs Landlock ABI 10, this kernel has 4; landlock: no connection to abstract sockets: needs Landlock ABI 6, this kernel has 4; " +
				"landlock: no signals to others: needs Landlock ABI 6, this kernel has 4",
			"no network: none"},
		{"files without Landlock", kernel{landlock: none}, Policy{Files: ReadOnly, NoProcesses: true},
			"no new privileges; seccomp: no processes",
			"landlock: no ioctl on devices: none; landlock: no connection to sockets by path: none; landlock: no signals to others: none",
			"files read-only: none"},
		{"no kernel at all", kernel{landlock: none, seccomp: none}, Policy{NoProcesses: true, Syscalls: true},
			"no new privileges", "landlock: no signals to others: none", "no processes: none; system calls: none"},
	} {
		var got Confinement
		lacks := c.policy.plan(c.kernel, &got)
		for _, part := range []struct {
			name string
			got  []string
			want string
		}{{"in force", got.InForce, c.inForce}, {"missing", got.Missing, c.missing}, {"lacking", lacks, c.lacks}} {
			if s := strings.Join(part.got, "; "); s != part.want {
				t.Errorf("%s: %s:\n got %s\nwant %s", c.name, part.name, s, part.want)
			}
		}
	}
}

func TestExecutableMappings(t *testing.T) {
	const maps = "" +
		"00400000-00401000 r--p 00000000 fe:00 1   /data only\n" +
		"00401000-00402000 r-xp 00001000 fe:00 2   /opt/my lib.so\n" +
		"00402000-00403000 r-xp 00001000 fe:00 2   /opt/my lib.so\n" +
		"00403000-00404000 rwxp 00000000 00:00 0\n" +
		"00404000-00405000 r-xp 00000000 00:00 0   [vdso]\n" +
		"00405000-00406000 r-xs 00000000 fe:00 3   /lib64/ld.so"
	got, want := executableMappings(maps), []string{"/opt/my lib.so", "/lib64/ld.so"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
