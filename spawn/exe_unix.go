//go:build linux || darwin

package spawn

import (
	"encoding/binary"
	"hash/fnv"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// executable returns the file that this process runs. It is looked up once.
var executable = sync.OnceValues(findExecutable)

// exeByPath identifies the file at path, which may have been replaced since: the
// time of the last change must be the same too.
func exeByPath() (exe, error) {
	path, err := os.Executable()
	if err != nil {
		return exe{}, err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return exe{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	sec, nsec := st.Mtim.Unix()
	return exe{path, mixBuild(uint64(st.Dev), uint64(st.Ino), uint64(st.Size), uint64(sec), uint64(nsec)), false}, nil
}

func mixBuild(parts ...uint64) build {
	h := fnv.New128a()
	var b [8]byte
	for _, part := range parts {
		binary.LittleEndian.PutUint64(b[:], part)
		h.Write(b[:])
	}
	return build(h.Sum(nil))
}
