package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// roleVariable says in the environment what a process started by a test is.
const roleVariable = "SPAWN_TEST_ROLE"

// roles are what the test binary does instead of running tests. Those whose
// birth is nil were not started by Start.
var roles = map[string]func(*Birth){
	"echo": func(b *Birth) {
		must(b.Hello())
		io.Copy(b.Outbox, b.Inbox)
	},
	"report": func(b *Birth) {
		must(b.Hello())
		io.WriteString(b.Outbox, report())
		io.Copy(io.Discard, b.Inbox)
	},
	"files": func(b *Birth) {
		must(b.Hello())
		for _, f := range b.Files {
			io.Copy(b.Outbox, f)
		}
		io.Copy(io.Discard, b.Inbox)
	},
	"keeper": func(b *Birth) { // of a process that is in its group
		kept := exec.Command("sleep", "1000")
		must(kept.Start())
		must(b.Hello())
		fmt.Fprintln(b.Outbox, "pid", kept.Process.Pid)
		kept.Wait()
	},
	"bare":   func(*Birth) { os.Stdout.Write([]byte{0}) },
	"silent": func(b *Birth) { io.Copy(io.Discard, b.Inbox) },
	"exit":   func(*Birth) {},
	"refuse": func(b *Birth) { must(b.Refuse()) },
	"garbage": func(b *Birth) {
		io.WriteString(b.Outbox, "hello world\n")
		io.Copy(io.Discard, b.Inbox)
	},
	"half": func(b *Birth) { b.Outbox.Write(encodeHello(hello{})[:5]) },
	"impostor": func(b *Birth) {
		b.Outbox.Write(encodeHello(hello{min: 1, max: 1, build: build{1}}))
	},
	"streams": func(b *Birth) {
		must(b.Hello())
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		n, err := os.Stdin.Read(make([]byte, 1))
		fmt.Fprintln(b.Outbox, n, err)
	},
	"busy": func(b *Birth) {
		must(b.Hello())
		for i := 0; ; i++ {
		}
	},
	"panic": func(*Birth) { panic("the last straw") },
	"huge":  func(*Birth) { panic(strings.Repeat("x", 4*crashSize)) },
	"mapwrite": func(*Birth) {
		m := map[int]int{}
		for range 4 {
			go writeMap(m)
		}
		writeMap(m)
	},
	"overflow": func(*Birth) {
		debug.SetMaxStack(1 << 16)
		os.Exit(overflow(0))
	},
	"host":     hostRole,
	"replaced": replacedRole,
}

func TestMain(m *testing.M) {
	name, set := os.LookupEnv(roleVariable)
	if !set {
		os.Exit(m.Run())
	}
	play, ok := roles[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", name)
		os.Exit(3)
	}
	play(Inherited())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	}
}

func writeMap(m map[int]int) {
	for i := 0; ; i++ {
		m[i&0xff] = i
	}
}

func overflow(n int) int {
	if n < 0 {
		return 0
	}
	return overflow(n+1) + n
}

// hostRole starts a child of its own, says its pid and what it reports, and stays.
func hostRole(b *Birth) {
	p, err := Start(&Command{Name: "grandchild", Env: setRole(os.Environ(), os.Getenv("SPAWN_TEST_GRANDCHILD"))})
	must(err)
	must(p.Hello(context.Background()))
	out := io.Writer(os.Stdout)
	if b != nil {
		must(b.Hello())
		out = b.Outbox
	}
	fmt.Fprintln(out, "pid", p.Pid)
	io.Copy(out, p.Outbox)
}

// replacedRole puts another file in the place of its own before it starts a
// child from it.
func replacedRole(*Birth) {
	path, err := os.Executable()
	must(err)
	must(os.Remove(path))
	must(os.WriteFile(path, []byte("#!/bin/false\n"), 0o700))
	p, err := Start(&Command{Name: "grandchild", Env: setRole(os.Environ(), "echo")})
	must(err)
	must(p.Hello(context.Background()))
	fmt.Println("hello")
}

func setRole(env []string, role string) []string {
	return append(env, roleVariable+"="+role)
}

// report describes this process: a line each, "key value".
func report() string {
	var b strings.Builder
	fds, err := openFds()
	must(err)
	for _, fd := range fds {
		target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err != nil {
			continue // that of the listing
		}
		kind, _, _ := strings.Cut(target, ":[") // the inode of a pipe is nobody's business
		flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		fdFlags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		fmt.Fprintf(&b, "fd %d %s nonblock=%t cloexec=%t\n",
			fd, kind, flags&unix.O_NONBLOCK != 0, fdFlags&unix.FD_CLOEXEC != 0)
	}
	status, err := os.ReadFile("/proc/self/status")
	must(err)
	for line := range strings.Lines(string(status)) {
		if key, value, _ := strings.Cut(line, ":"); strings.HasPrefix(key, "Sig") {
			fmt.Fprintf(&b, "%s %s\n", key, strings.TrimSpace(value))
		}
	}
	for _, key := range []string{birthVariable, procsVariable} {
		value, set := os.LookupEnv(key)
		fmt.Fprintf(&b, "%s %q %t\n", key, value, set)
	}
	dir, _ := os.Getwd()
	fmt.Fprintf(&b, "procs %d\nargs %q\ndir %s\npgid %d pid %d\nend\n",
		runtime.GOMAXPROCS(0), os.Args, dir, syscall.Getpgrp(), os.Getpid())
	return b.String()
}
