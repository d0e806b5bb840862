// Package a is initialised before package spawn, as it needs less and its path sorts before.
package a

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Tried is what its init has tried, and what came of it: "" if nothing was refused.
var Tried = map[string]string{}

func init() {
	if os.Getenv("EARLY") != "" {
		os.Exit(0)
	}
	if os.Getenv("EARLY_FILTER") != "" {
		filterThread()
		return
	}
	try := func(what string, err error) {
		if err != nil {
			Tried[what] = err.Error()
		} else {
			Tried[what] = ""
		}
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	try("socket", err)
	if err == nil {
		syscall.Close(fd)
	}
	f, err := os.Open("/etc/hostname")
	if err == nil {
		f.Close()
	} else {
		err = err.(*os.PathError).Err
	}
	try("open", err)
	try("unshare", syscall.Unshare(syscall.CLONE_FS))
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"early"}, &syscall.ProcAttr{Env: []string{"EARLY=1"}})
	try("process", err)
	if err == nil {
		syscall.Wait4(pid, nil, 0, nil)
	}
}

// filterThread gives another thread a seccomp filter of its own, which allows everything. So no filter can be put on
// all threads any more (SECCOMP_FILTER_FLAG_TSYNC).
func filterThread() {
	const (
		setSeccomp = 22 // PR_SET_SECCOMP
		filterMode = 2  // SECCOMP_MODE_FILTER
		allow      = 0x7fff0000
	)
	filter := [1]syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: allow}}
	program := syscall.SockFprog{Len: 1, Filter: &filter[0]}
	done := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread()
		_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setSeccomp, filterMode, uintptr(unsafe.Pointer(&program)))
		done <- errno
		select {}
	}()
	if errno := <-done; errno != 0 {
		panic(errno)
	}
}
