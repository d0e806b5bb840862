package entropy

import (
	"os"

	"golang.org/x/sys/unix"
)

// Read fills b with bytes that nobody can guess (getrandom(2)). It waits until the system has
// them, early after its start, and panics where there is no such call (before Linux 3.17).
func Read(b []byte) {
	for len(b) > 0 {
		n, err := unix.Getrandom(b, 0)
		if err != nil && err != unix.EINTR {
			panic(os.NewSyscallError("getrandom", err))
		}
		b = b[max(n, 0):]
	}
}
