package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

const (
	roleVariable   = "SANDBOX_TEST_ROLE"   // what the test binary does instead of running tests
	nextVariable   = "SANDBOX_TEST_NEXT"   // its role when it is confined
	policyVariable = "SANDBOX_TEST_POLICY" // the policy to apply before
	kernelVariable = "SANDBOX_TEST_KERNEL" // the Landlock ABI of a kernel without seccomp, to apply it as if this were one
)

var roles = map[string]func(){
	"confine": confine,
	"try":     try,
	"exit":    func() {},
	"wait": func() {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
	},
	"touch": func() { // creates two files and empties a third
		fmt.Println(result(create(os.Args[1])), result(create(os.Args[2])), result(syscall.Truncate(os.Args[3], 0)))
	},
	"foreign number": func() {
		_, _, errno := syscall.RawSyscall(0x40000000+syscall.SYS_GETPID, 0, 0, 0)
		fmt.Println(errno)
	},
	"foreign program": func() {
		p, err := os.StartProcess(os.Args[1], os.Args[1:], &os.ProcAttr{})
		must(err)
		state, err := p.Wait()
		must(err)
		fmt.Println(state)
	},
	"again": func() { // executes itself once more
		os.Setenv(roleVariable, "exit")
		fmt.Println(syscall.Exec(selfExe, os.Args, os.Environ()))
	},
	"id": func() {
		out, err := exec.Command(os.Args[1], "-u").Output()
		fmt.Println(strings.TrimSpace(string(out)), err)
	},
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		roles[role]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(3)
	}
}

// confine is the first life of a confined process.
func confine() {
	var p Policy
	must(p.UnmarshalText([]byte(os.Getenv(policyVariable))))
	c, err := p.applyOutsideAs(os.Getenv(kernelVariable))
	must(err)
	for _, line := range c.Missing {
		if os.Getenv(kernelVariable) != "" {
			fmt.Println("missing", line)
		}
	}
	os.Setenv(roleVariable, "confined")
	must(syscall.Exec(selfExe, os.Args, os.Environ()))
}

func init() { roles["confined"] = confined }

// confined is the second: it finishes the confinement.
func confined() {
	if os.Getenv(kernelVariable) == "" {
		var p Policy
		must(p.UnmarshalText([]byte(os.Getenv(policyVariable))))
		must(p.ApplyInside())
	}
	roles[os.Getenv(nextVariable)]()
}

// applyOutsideAs is ApplyOutside, and as if on an older kernel if abi is not empty.
func (p *Policy) applyOutsideAs(abi string) (*Confinement, error) {
	if abi == "" {
		return p.ApplyOutside()
	}
	k := kernel{seccomp: errors.ErrUnsupported}
	if _, err := fmt.Sscan(abi, &k.abi); err != nil {
		return nil, err
	}
	if k.abi == 0 {
		k.landlock = errors.ErrUnsupported
	}
	return p.applyOutside(k)
}

// A user is whom a confined process belongs to.
type user struct {
	name string
	attr *syscall.SysProcAttr
}

const nobody = 65534

func unprivileged() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// eachUser runs test as this user and, if that is root, as an unprivileged one.
func eachUser(t *testing.T, test func(t *testing.T, u user)) {
	users := []user{{name: "this user"}}
	if os.Geteuid() == 0 {
		users = append(users, user{"unprivileged", unprivileged()})
	}
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) {
			spawntest.Check(t)
			test(t, u)
		})
	}
}

func (u user) root() bool { return u.attr == nil && os.Geteuid() == 0 }

// confined returns a command that runs role under p.
func (u user) confined(t *testing.T, p *Policy, role string, args ...string) *exec.Cmd {
	t.Helper()
	text, err := p.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(selfExe, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = u.attr
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), roleVariable+"=confine", nextVariable+"="+role, policyVariable+"="+string(text))
	return cmd
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// playground makes a directory that is u's, with the parts in, work and out,
// and in each a file, a program and a directory.
func playground(t *testing.T, u user) string {
	t.Helper()
	base, err := os.MkdirTemp("", "sandbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"in", "work", "out"} {
		dir := filepath.Join(base, part)
		if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(part), 0o644); err != nil {
			t.Fatal(err)
		}
		copyExecutable(t, selfExe, filepath.Join(dir, "program"), 0o755)
	}
	if u.attr != nil {
		err := filepath.WalkDir(base, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, nobody, nobody))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return base
}

func copyExecutable(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, mode); err != nil {
		t.Fatal(err)
	}
}

// requireKernel skips what this kernel cannot do.
func requireKernel(t *testing.T, p *Policy) {
	t.Helper()
	if lacks := p.plan(thisKernel(), new(Confinement)); len(lacks) > 0 {
		t.Skipf("run on amd64 or arm64, and a kernel with seccomp and Landlock (lsm=landlock, Linux 6.2): %s", strings.Join(lacks, "; "))
	}
}

// differences returns the lines that are only in one.
func differences(got, want string) string {
	var b strings.Builder
	for line := range strings.Lines(got) {
		if !strings.Contains("\n"+want, "\n"+line) {
			b.WriteString(" got " + line)
		}
	}
	for line := range strings.Lines(want) {
		if !strings.Contains("\n"+got, "\n"+line) {
			b.WriteString("want " + line)
		}
	}
	return b.String()
}
