package sandbox

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// strict is what a distrusted actor would get.
func strict() *Policy {
	return &Policy{NoNetwork: true, Files: Listed, NoProcesses: true, Syscalls: true}
}

// TestAllThreads reads from outside what is in force on each thread of a process
// that was confined by one of them.
func TestAllThreads(t *testing.T) {
	eachUser(t, func(t *testing.T, u user) {
		requireKernel(t, strict())
		for _, c := range []struct {
			policy *Policy
			want   string
		}{{&Policy{}, "NoNewPrivs: 0 Seccomp: 0"}, {strict(), "NoNewPrivs: 1 Seccomp: 2"}} {
			cmd := u.confined(t, c.policy, "wait")
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(stdout).ReadString('\n')
			if line != "ready\n" {
				t.Errorf("the process says %q, %v", line, err)
			}
			tasks, err := filepath.Glob("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/*/status")
			if err != nil || len(tasks) < 2 {
				t.Errorf("%d threads, %v; at least 2 are expected", len(tasks), err)
			}
			for _, task := range tasks {
				if got := status(t, task); got != c.want {
					t.Errorf("%s: got %q, want %q", task, got, c.want)
				}
			}
			stdin.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}
	})
}

func status(t *testing.T, path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	var found []string
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "NoNewPrivs:") || strings.HasPrefix(line, "Seccomp:") {
			found = append(found, strings.Fields(line)...)
		}
	}
	return strings.Join(found, " ")
}

// TestExecRefused: with NoProcesses nothing is executed, not even the process itself once more.
func TestExecRefused(t *testing.T) {
	eachUser(t, func(t *testing.T, u user) {
		requireKernel(t, strict())
		if got := output(t, u.confined(t, &Policy{}, "again")); got != "" {
			t.Errorf("without a policy: got %q", got)
		}
		if got, want := output(t, u.confined(t, strict(), "again")), "operation not permitted\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestSetUserID executes id(1), set-user-ID to root.
func TestSetUserID(t *testing.T) {
	spawntest.Check(t)
	if os.Geteuid() != 0 {
		t.Skip("run as root, who can make a set-user-ID program")
	}
	u := user{"unprivileged", unprivileged()}
	id, err := exec.LookPath("id")
	if err != nil {
		t.Skip("install id(1): ", err)
	}
	program := filepath.Join(playground(t, u), "id")
	copyExecutable(t, id, program, 0o755|os.ModeSetuid)
	if got := output(t, u.confined(t, &Policy{}, "id", program)); got != "0 <nil>\n" {
		t.Skipf("set TMPDIR to a file system that is not mounted nosuid, and have an id(1) that keeps its rights: set-user-ID it says %q", got)
	}
	if got, want := output(t, u.confined(t, &Policy{NoNewPrivileges: true}, "id", program)), "65534 <nil>\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOldKernel applies policies as if the kernel were older than this one.
func TestOldKernel(t *testing.T) {
	eachUser(t, func(t *testing.T, u user) {
		base := playground(t, u)
		for _, c := range []struct {
			name   string
			abi    string
			policy Policy
			want   string
		}{
			{"files without Landlock", "0", Policy{Files: ReadOnly}, "failed: this kernel cannot confine as asked: files read-only: unsupported operation: unsupported operation\n"},
			{"files with Landlock 2", "2", Policy{Files: Listed}, "failed: this kernel cannot confine as asked: " +
				"files listed, against truncate(2) and O_TRUNC: needs Landlock ABI 3, this kernel has 2: unsupported operation\n"},
			{"two things", "0", Policy{Files: ReadOnly, NoProcesses: true}, "failed: this kernel cannot confine as asked: " +
				"files read-only: unsupported operation; no processes: unsupported operation: unsupported operation\n"},
			{"no seccomp", "7", Policy{NoNetwork: true}, "failed: this kernel cannot confine as asked: no network: unsupported operation: unsupported operation\n"},
			{"best effort without anything", "0", Policy{Files: ReadOnly, NoNetwork: true, BestEffort: true},
				"missing files read-only: unsupported operation\nmissing no network: unsupported operation\n"},
		} {
			t.Run(c.name, func(t *testing.T) {
				cmd := u.confined(t, &c.policy, "exit", base)
				cmd.Env = append(cmd.Env, kernelVariable+"="+c.abi)
				out, err := cmd.Output()
				if (err != nil) != strings.HasPrefix(c.want, "failed") {
					t.Errorf("the process ends with %v", err)
				}
				var got strings.Builder
				for line := range strings.Lines(string(out)) {
					if !strings.HasPrefix(line, "missing landlock: ") { // additional safety: TestPlan
						got.WriteString(line)
					}
				}
				if got.String() != c.want {
					t.Errorf("got  %qwant %q", got.String(), c.want)
				}
			})
		}
	})
}

// TestOldRulesets: this kernel accepts the rulesets that are made for each of
// the ABIs before its own, and enforces them.
func TestOldRulesets(t *testing.T) {
	abi, err := landlockABI()
	if err != nil {
		t.Skip("boot with lsm=landlock: ", err)
	}
	eachUser(t, func(t *testing.T, u user) {
		base := playground(t, u)
		for old := 1; old <= abi; old++ {
			p := &Policy{Files: Listed, ReadWrite: []string{filepath.Join(base, "work")}, BestEffort: true}
			cmd := u.confined(t, p, "touch", filepath.Join(base, "work/new"), filepath.Join(base, "out/new"), filepath.Join(base, "in/file"))
			cmd.Env = append(cmd.Env, kernelVariable+"="+strconv.Itoa(old))
			got := output(t, cmd)
			if i := strings.LastIndex(got, "missing"); i >= 0 {
				_, got, _ = strings.Cut(got[i:], "\n")
			}
			truncated := "EACCES"
			if old < abiTruncate {
				truncated = "ok"
			}
			if want := "ok EACCES " + truncated + "\n"; got != want {
				t.Errorf("as with ABI %d: got %q, want %q", old, got, want)
			}
		}
	})
}
