package sandbox

import (
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
			b.ReportAllocs()
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
					b.ReportAllocs()
					for b.Loop() {
						call()
					}
					return err
				})
			})
		}
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
