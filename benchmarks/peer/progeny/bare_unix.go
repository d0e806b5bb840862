//go:build unix

package main

import (
	"os"
	"syscall"
)

// bareFiles writes the first byte, before anything else, and puts the pipes into the poller.
func bareFiles() (in, out *os.File, err error) {
	if _, err := syscall.Write(1, []byte{1}); err != nil {
		return nil, nil, err
	}
	for fd := range 2 {
		if err := syscall.SetNonblock(fd, true); err != nil {
			return nil, nil, err
		}
	}
	return os.NewFile(0, "in"), os.NewFile(1, "out"), nil
}
