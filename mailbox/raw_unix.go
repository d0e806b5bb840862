//go:build unix && (!linux || race)

package mailbox

import "golang.org/x/sys/unix"

// The race detector must see the calls.

func rawRead(fd int, b []byte) (int, error) { return unix.Read(fd, b) }

func rawWrite(fd int, b []byte) (int, error) { return unix.Write(fd, b) }
