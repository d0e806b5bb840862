package cgroup

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// BenchmarkCreate is a group from its making to its removal, without a process in
// it.
func BenchmarkCreate(b *testing.B) {
	for _, test := range []struct {
		name   string
		limits Limits
		wanted []resource
	}{
		{"kill", Limits{}, nil},
		{"memory", Limits{Memory: 1 << 30}, []resource{memory}},
		{"all", Limits{Memory: 1 << 30, CPU: 1, Processes: 100}, []resource{memory, cpu, tasks}},
	} {
		b.Run(test.name, func(b *testing.B) {
			m := opened(b, test.wanted...)
			b.ReportAllocs()
			for b.Loop() {
				g, err := m.Create("greeter", test.limits)
				if err != nil {
					b.Fatal(err)
				}
				if err := g.Remove(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStart is a fork and exec of true, in three ways; the making of the
// group and the end of the process are not counted.
func BenchmarkStart(b *testing.B) {
	for _, way := range []string{"bare", "born", "entered"} {
		b.Run(way, func(b *testing.B) {
			m := opened(b, memory, cpu, tasks)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				g, err := m.Create("greeter", Limits{Memory: 1 << 30, CPU: 1, Processes: 100})
				if err != nil {
					b.Fatal(err)
				}
				cmd := exec.Command("sleep", "1000")
				cmd.SysProcAttr = &syscall.SysProcAttr{}
				b.StartTimer()
				switch way {
				case "born":
					err = g.Start(cmd.SysProcAttr, cmd.Start)
				default:
					err = cmd.Start()
				}
				if err == nil && way == "entered" {
					err = g.Enter(cmd.Process.Pid)
				}
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				cmd.Process.Kill()
				cmd.Wait()
				if err := g.Remove(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkKill is a Kill of a process, until it is dead.
func BenchmarkKill(b *testing.B) {
	m := opened(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		g, err := m.Create("greeter", Limits{})
		if err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		if err := g.Start(cmd.SysProcAttr, cmd.Start); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := g.Kill(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cmd.Wait()
		if err := g.Remove(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkResident(b *testing.B) {
	b.ReportAllocs()
	pid := os.Getpid()
	for b.Loop() {
		if _, err := Resident(pid); err != nil {
			b.Fatal(err)
		}
	}
}
