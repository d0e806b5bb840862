package sandbox

import (
	"path/filepath"
	"testing"
)

// TestPolicies makes all attempts under each part of a Policy. The first case is
// the control experiment of the others.
func TestPolicies(t *testing.T) {
	type changes = map[string]string
	confined := changes{"no new privileges": "ok", "reach into memory": "EPERM"}
	filtered := changes{"no new privileges": "ok", "io_uring": "ENOSYS"}
	scoped := changes{}
	if abi, _ := landlockABI(); abi >= abiScope {
		scoped["signal"], scoped["reach into memory"] = "EPERM", "EPERM"
	}
	if abi, _ := landlockABI(); abi >= abiResolveUnix {
		confined["Unix socket"] = "EACCES"
	}
	readOnly := changes{
		"write in": "EACCES", "write out": "EACCES", "create in": "EACCES", "create out": "EACCES",
		"mkdir out": "EACCES", "symlink out": "EACCES", "fifo out": "EACCES", "rename in out": "EACCES", "remove out": "EACCES",
		"truncate in": "EACCES", "open to truncate": "EACCES", "link out to work": "EXDEV",
	}
	listed := changes{
		"read out": "EACCES", "read /etc/passwd": "EACCES", "read /proc/self": "EACCES", "list out": "EACCES",
		"execute out": "EACCES", "execute work": "EACCES",
	}
	onlyFiles := changes{
		"list in": "EACCES", "execute in": "EACCES", "create work": "EACCES", "mkdir work": "EACCES", "fifo work": "EACCES",
		"device work": "EACCES", "rename in work": "EACCES", "link work to sub": "EACCES", "link out to work": "EACCES",
	}
	network := changes{
		"TCP connect": "EACCES", "TCP listen": "EACCES", "UDP": "EACCES", "netlink": "EACCES", "Unix socket": "EACCES",
		"abstract socket": "EACCES", "datagram pair": "EACCES", "inherited listen": "EACCES", "inherited connect": "EACCES", "inherited bind": "EACCES",
	}
	processes := changes{
		"execute in": "EPERM", "execute work": "EPERM", "execute out": "EPERM", "execute itself": "EPERM", "exec of nothing": "EPERM",
		"execveat": "EPERM", "clone3": "ENOSYS",
	}
	system := changes{
		"reach into memory": "EPERM",
		"ptrace":            "EPERM", "mount": "EPERM", "chroot": "EPERM", "unshare": "EPERM", "setns": "EPERM", "personality": "EPERM",
		"key": "EPERM", "handle": "EPERM", "clock": "EPERM", "type in terminal": "EPERM", "device work": "EPERM", "clone3": "ENOSYS",
	}
	eachUser(t, func(t *testing.T, u user) {
		base := playground(t, u)
		in, work := []string{filepath.Join(base, "in")}, []string{filepath.Join(base, "work")}
		for _, c := range []struct {
			name   string
			policy Policy
			want   []changes
		}{
			{"nothing", Policy{}, nil},
			{"no new privileges", Policy{NoNewPrivileges: true}, []changes{{"no new privileges": "ok"}}},
			{"read-only", Policy{Files: ReadOnly, ReadWrite: work}, []changes{confined, scoped, readOnly}},
			{"listed", Policy{Files: Listed, ReadOnly: in, ReadWrite: work}, []changes{confined, scoped, readOnly, listed}},
			{"listed files", Policy{Files: Listed, ReadOnly: []string{base + "/in/file"}, ReadWrite: []string{base + "/work/file"}},
				[]changes{confined, scoped, readOnly, listed, onlyFiles}},
			{"no network", Policy{NoNetwork: true}, []changes{filtered, scoped, network}},
			{"no processes", Policy{NoProcesses: true}, []changes{filtered, processes}},
			{"system calls", Policy{Syscalls: true}, []changes{filtered, scoped, system}},
			{"all", Policy{NoNetwork: true, Files: Listed, ReadOnly: in, ReadWrite: work, NoProcesses: true, Syscalls: true},
				[]changes{confined, filtered, scoped, readOnly, listed, network, system, processes}},
		} {
			t.Run(c.name, func(t *testing.T) {
				requireKernel(t, &c.policy)
				got, want := tryUnder(t, u, base, &c.policy), freeFor(u, c.want...)
				if got != want {
					t.Errorf("differs:\n%s", differences(got, want))
				}
			})
		}
	})
}
