package sandbox

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// benchmarked are the parts of a Policy.
var benchmarked = []struct {
	name   string
	policy Policy
}{
	{"nnp", Policy{NoNewPrivileges: true}},
	{"read-only", Policy{Files: ReadOnly}},
	{"listed", Policy{Files: Listed, ReadOnly: []string{"/usr"}, ReadWrite: []string{"/tmp"}}},
	{"network", Policy{NoNetwork: true}},
	{"processes", Policy{NoProcesses: true}},
	{"syscalls", Policy{Syscalls: true}},
	{"strict", *strict()},
}

// BenchmarkApply confines one thread after another.
func BenchmarkApply(b *testing.B) {
	for _, c := range benchmarked {
		b.Run(c.name, func(b *testing.B) {
			var sum time.Duration
			for b.Loop() {
				onThread(func() error {
					start := time.Now()
					_, err := c.policy.Apply()
					sum += time.Since(start)
					return err
				})
			}
			b.ReportMetric(float64(sum.Nanoseconds())/float64(b.N), "ns/apply")
		})
	}
}

// BenchmarkCall makes system calls on a confined thread.
func BenchmarkCall(b *testing.B) {
	calls := map[string]func(){
		"getppid": func() { unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) },
		"ioctl":   func() { unix.RawSyscall(unix.SYS_IOCTL, ^uintptr(0), unix.TIOCGWINSZ, 0) }, // the filter looks at it
		"open":    func() { open("/dev/null", unix.O_RDONLY) },
	}
	for name, call := range calls {
		for _, policy := range []*Policy{{}, strict()} {
			run := name + "/free"
			if !policy.Empty() {
				run = name + "/strict"
			}
			b.Run(run, func(b *testing.B) {
				onThread(func() error {
					_, err := policy.Apply()
					for b.Loop() {
						call()
					}
					return err
				})
			})
		}
	}
}

// BenchmarkStart runs this program to its main: directly, and by way of another
// exec.
func BenchmarkStart(b *testing.B) {
	start := func(env ...string) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command(selfExe)
				cmd.Env = append(append(os.Environ(), "GOMAXPROCS=1", "GORACE=atexit_sleep_ms=0"), env...)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		}
	}
	b.Run("direct", start(roleVariable+"=exit"))
	for _, c := range []*Policy{{}, strict()} {
		text, err := c.MarshalText()
		if err != nil {
			b.Fatal(err)
		}
		name := "exec"
		if !c.Empty() {
			name = "strict"
		}
		b.Run(name, start(roleVariable+"=confine", nextVariable+"=exit", policyVariable+"="+string(text)))
	}
}

// onThread calls f on a thread that ends with it.
func onThread(f func() error) {
	done := make(chan error)
	go func() {
		lockForEver()
		done <- f()
	}()
	if err := <-done; err != nil {
		panic(err)
	}
}
