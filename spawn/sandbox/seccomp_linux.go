//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const seccompKnown = true

var errNoFilter error

// Offsets in struct seccomp_data, see seccomp(2). An argument has 64 bits, of
// which a filter sees 32 at a time. Both architectures are little-endian.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

func low(arg int) uint32 { return offsetArgs + 8*uint32(arg) }

// What a filter answers.
const (
	allow = unix.SECCOMP_RET_ALLOW
	kill  = unix.SECCOMP_RET_KILL_PROCESS
)

func fail(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

// A callRule says what becomes of one system call: the answer of the first test
// that holds, and otherwise the last.
type callRule struct {
	number uintptr
	tests  []test
	answer uint32
}

// A test compares one word of seccomp_data.
type test struct {
	word   uint32 // its offset
	jump   uint16 // BPF_JEQ, or BPF_JSET for any bit in common
	value  uint32
	not    bool // holds if the comparison does not
	answer uint32
}

// assemble makes a filter of rules, which must be of different system calls.
// All others are allowed. Calls by the numbers of another architecture kill the
// process, which nothing that was built for this one does by accident.
//
// One rule follows another, and what has no rule passes them all: but
// since Linux 5.11 the kernel remembers the calls that are allowed whatever
// their arguments, and does not run the filter for them.
func assemble(rules []callRule) []unix.SockFilter {
	program := []unix.SockFilter{
		load(offsetArch),
		branch(unix.BPF_JEQ, nativeArch, 1, 0),
		answer(kill),
		load(offsetNumber),
	}
	if foreignNumbers != 0 {
		program = append(program, branch(unix.BPF_JGE, foreignNumbers, 0, 1), answer(kill))
	}
	for _, r := range rules {
		var body []unix.SockFilter
		for _, t := range r.tests {
			holds := branch(t.jump, t.value, 0, 1)
			if t.not {
				holds = branch(t.jump, t.value, 1, 0)
			}
			body = append(body, load(t.word), holds, answer(t.answer))
		}
		body = append(body, answer(r.answer))
		program = append(program, branch(unix.BPF_JEQ, uint32(r.number), 0, uint8(len(body))))
		program = append(program, body...)
	}
	return append(program, answer(allow))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func branch(jump uint16, value uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | jump | unix.BPF_K, K: value, Jt: yes, Jf: no}
}

func answer(a uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: a}
}

// installFilter puts the filter in force on this thread, with
// SECCOMP_FILTER_FLAG_TSYNC on all of the process.
func installFilter(filter []unix.SockFilter, flags uintptr) error {
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return os.NewSyscallError("seccomp SECCOMP_SET_MODE_FILTER", errno)
	}
	if thread != 0 {
		return fmt.Errorf("seccomp SECCOMP_SET_MODE_FILTER: thread %d has a filter of its own", thread)
	}
	return nil
}
