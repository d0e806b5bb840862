package sandbox

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newExecKey returns a random key, never zero.
func newExecKey() (key execKey, err error) {
	b := (*[unsafe.Sizeof(key)]byte)(unsafe.Pointer(&key))
	for key == (execKey{}) {
		// At most 256 bytes are never cut short, see getrandom(2).
		if _, err := unix.Getrandom(b[:], 0); err != nil {
			return key, os.NewSyscallError("getrandom", err)
		}
	}
	return key, nil
}

// Exec replaces the process by the program argv0, as [syscall.Exec] does, and
// so confines all threads of the new one as Apply has confined the calling
// thread. It must be called by the goroutine that called Apply. It returns only
// if it fails, and may be called again.
//
// What execve(2) keeps stays: the process and its parent, descriptors without
// close-on-exec, ignored signals, the working directory. Of what belongs to the
// thread the calling one's is kept, and the parent-death signal is only on the
// thread that was forked. So where that signal counts, Apply and Exec belong
// into package init, where the main goroutine is on the main thread, or the
// signal must be set again just before.
//
// With NoProcesses no other way of executing anything is left, and it works
// once: execve(2) has three arguments, the filter looks at the registers of the
// fourth to the sixth as well, and wants 192 random bits there, which only c
// knows and the new image has not. Unlike syscall.Exec it does then not take
// back that the Go runtime has raised the soft limit on open files to the hard
// one.
func (c *Confinement) Exec(argv0 string, argv, envv []string) error {
	exec := c.exec
	if c.key == (execKey{}) {
		exec = syscall.Exec
	}
	return &os.PathError{Op: "exec", Path: argv0, Err: exec(argv0, argv, envv)}
}

// exec does not stop the runtime from making threads meanwhile, for syscall.Exec
// alone can. The kernel refuses these with EAGAIN for the moment, and
// the runtime tries again for 200 ms.
func (c *Confinement) exec(argv0 string, argv, envv []string) error {
	path, err := unix.BytePtrFromString(argv0)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(envv)
	if err != nil {
		return err
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_EXECVE,
		uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])),
		uintptr(c.key[0]), uintptr(c.key[1]), uintptr(c.key[2]))
	return errno
}
