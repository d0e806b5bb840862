//go:build linux || darwin

package mailbox

import (
	"os"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File) (mem []byte, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	controlErr := conn.Control(func(fd uintptr) {
		mem, err = unix.Mmap(int(fd), 0, pageMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	})
	if controlErr != nil {
		return nil, controlErr
	}
	return mem, os.NewSyscallError("mmap", err)
}

func unmap(mem []byte) error { return os.NewSyscallError("munmap", unix.Munmap(mem)) }
