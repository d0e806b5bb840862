// Package cgroup gives a process a control group of its own: limits that the
// kernel keeps, a kill that reaches all it has started, and the counters that
// tell afterwards why it ended.
//
//	m := cgroup.Open()                     // once per program
//	g, err := m.Create("greeter", cgroup.Limits{Memory: 256 << 20})
//	…
//	cmd := exec.Command("greeter")
//	cmd.SysProcAttr = &syscall.SysProcAttr{}
//	err = g.Start(cmd.SysProcAttr, cmd.Start) // it is born inside
//	cmd.Wait()
//	g.Kill()                               // what it left running
//	memory, err := g.Memory()              // why it ended
//	g.Remove()
//
// A group is for one process and what that starts: a fresh one each time,
// because one that was killed by cgroup.kill kills what is started into it later.
//
// # Where groups are made
//
// In the program's own control group, wherever that is mounted; in version 2 if
// the controller is delegated to it, else in version 1 if that has it. Each
// resource is looked at by itself, so a hybrid machine gets what it can.
// [Manager.Capabilities] says what works, and why the rest does not.
//
// Version 2 lets no group have both processes and controllers for the groups
// in it (the "no internal processes" rule of cgroups(7)). So if it must, Open
// moves the program into the group progeny-PID-0 within its own. It does so
// only when the program is alone there and the group was given to it: in a
// container with a cgroup namespace, as a systemd unit with Delegate=yes, or
// where there is no systemd. The program stays there until it ends.
//
// Groups are called progeny-PID-N by the program's pid. What a program that was
// killed leaves of them, the next Open in the same place removes once it is empty.
//
// # Born inside
//
// A process that is moved after its start has already run outside, and what it
// started by then stays there. In version 2 the kernel makes the child in its
// group (CLONE_INTO_CGROUP). In version 1 a child is born where the thread is that
// forks: that thread goes into the group for the time of the fork, which
// also costs less than moving a process. See [Group.Start].
//
// # What it is not
//
// Limits hold against what goes wrong. A hostile process with the rights of this
// program can write to these files as well, and give itself more or leave, unless
// a sandbox keeps it from doing so.
//
// # Platforms
//
// Linux. Elsewhere all is there, and nothing is supported.
//
// containerd/cgroups and opencontainers/cgroups bring 7 to 10 modules for what
// is here mkdir and four writes.
package cgroup
