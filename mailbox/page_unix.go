//go:build linux || darwin

package mailbox

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapFile(f *os.File) (mem []byte, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	controlErr := conn.Control(func(fd uintptr) {
		// Not Mmap, which notes each mapping in a map: memory of its own in each actor's process.
		var at unsafe.Pointer
		at, err = unix.MmapPtr(int(fd), 0, nil, pageMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err == nil {
			mem = unsafe.Slice((*byte)(at), pageMemory)
		}
	})
	if controlErr != nil {
		return nil, controlErr
	}
	return mem, os.NewSyscallError("mmap", err)
}

func unmap(mem []byte) error {
	return os.NewSyscallError("munmap", unix.MunmapPtr(unsafe.Pointer(&mem[0]), uintptr(len(mem))))
}
