package node

import (
	"strings"
	"syscall"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// crashStatus is what the Go runtime exits with after a panic, a fatal error
// and a fatal signal alike. os.Exit(2) leaves the same, but no crash text.
const crashStatus = 2

// pollerClosed begins what the runtime of a process says in which all descriptors were closed, those of
// the runtime and of its crash output among them.
const pollerClosed = "fatal error: runtime: netpoll"

// crash reads the Go runtime's last words. text is what it wrote to the crash
// output; header is the line on standard error that began the crash, which for
// fatal errors is nowhere else.
func crash(text []byte, header string) (wire.Reason, bool) {
	switch {
	case len(text) > 0:
	case strings.HasPrefix(header, pollerClosed):
		return wire.Reason{Cause: wire.Panic, Code: crashStatus, Detail: header}, true
	default:
		return wire.Reason{}, false
	}
	value, stack := headline(string(text), header)
	r := wire.Reason{Cause: wire.Panic, Code: crashStatus, Detail: value, Stack: stack}
	if sig := fatalSignal(value, string(text)); sig != 0 {
		r.Cause, r.Signal = wire.Signal, int(sig)
	}
	return r, true
}

// headline splits the text into what went wrong and the stacks.
func headline(text, header string) (value, stack string) {
	first, _, _ := strings.Cut(text, "\n")
	if startsCrash(first) {
		value, stack, _ = strings.Cut(text, "\n\ngoroutine ")
		if stack != "" {
			stack = "goroutine " + stack
		}
	} else {
		value, stack = header, text
	}
	return strings.TrimSpace(strings.TrimPrefix(value, "panic: ")), strings.TrimSpace(stack)
}

// startsCrash reports whether a line on standard error begins a crash.
func startsCrash(line string) bool {
	return strings.HasPrefix(line, "panic: ") ||
		strings.HasPrefix(line, "fatal error: ") ||
		strings.HasPrefix(line, "SIG") && strings.Contains(line, ": ")
}

// fatalSignal returns the signal that ended the process from outside of Go
// code: one that was sent, or a fault in C. A nil pointer in Go is a panic.
func fatalSignal(value, text string) syscall.Signal {
	name, _, sent := strings.Cut(value, ":")
	if !sent || !strings.HasPrefix(name, "SIG") {
		if !strings.HasPrefix(value, "fatal error: unexpected signal") {
			return 0
		}
		_, rest, ok := strings.Cut(value+"\n"+text, "[signal ")
		if !ok {
			return 0
		}
		name, _, _ = strings.Cut(rest, ":")
	}
	return crashSignal(strings.TrimSpace(name))
}

// crashSignal returns the signal of that name if it is one on which the Go runtime prints stacks
// and exits, else 0.
func crashSignal(name string) syscall.Signal {
	switch name {
	case "SIGSEGV":
		return syscall.SIGSEGV
	case "SIGBUS":
		return syscall.SIGBUS
	case "SIGFPE":
		return syscall.SIGFPE
	case "SIGILL":
		return syscall.SIGILL
	case "SIGTRAP":
		return syscall.SIGTRAP
	case "SIGABRT":
		return syscall.SIGABRT
	case "SIGQUIT":
		return syscall.SIGQUIT
	}
	return 0
}
