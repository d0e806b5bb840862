package spawn

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// crashMapping is a memfd that the child writes to and the parent has mapped.
type crashMapping struct{ memory []byte }

// newCrashMemory returns the parent's side and the child's.
//
// The file is sealed against growing, so a child cannot write more than
// crashSize, and against shrinking, so the parent does not get SIGBUS when it
// reads. See memfd_create(2), F_ADD_SEALS in fcntl(2).
func newCrashMemory() (crashMemory, *os.File, error) {
	const name = "progeny-crash"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // a kernel before 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, nil, os.NewSyscallError("memfd_create", err)
	}
	memory, err := sealAndMap(fd)
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return &crashMapping{memory}, os.NewFile(uintptr(fd), name), nil
}

func sealAndMap(fd int) ([]byte, error) {
	if err := unix.Ftruncate(fd, crashSize); err != nil {
		return nil, os.NewSyscallError("ftruncate", err)
	}
	const seals = unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	memory, err := unix.Mmap(fd, 0, crashSize, unix.PROT_READ, unix.MAP_SHARED)
	return memory, os.NewSyscallError("mmap", err)
}

func (c *crashMapping) text() []byte { return trimCrash(c.memory) }

func (c *crashMapping) close() error {
	return os.NewSyscallError("munmap", unix.Munmap(c.memory))
}
