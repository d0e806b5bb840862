package mailbox

import (
	"os"

	"golang.org/x/sys/unix"
)

// newPageFile makes a memfd whose size is sealed: else a child that truncates it would
// make our next look at the page a SIGBUS (fcntl(2), File Sealing).
func newPageFile() (*os.File, error) {
	const name = "progeny-page"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	if err := unix.Ftruncate(fd, pageMemory); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("ftruncate", err)
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl F_ADD_SEALS", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
