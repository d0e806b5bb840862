package cgroup

import (
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// write writes to a file that must exist, in one go. Unlike os.WriteFile it does
// not try to create it, which control groups answer with a misleading EPERM.
func write(path, value string) error {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if _, err := retry(func() (int, error) { return unix.Write(fd, []byte(value)) }); err != nil {
		return &fs.PathError{Op: "write " + value + " to", Path: path, Err: err}
	}
	return nil
}

func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readNumber reads a file of one number.
func readNumber(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// readCounters reads a file of lines "key number". What is not such a line is
// left out.
func readCounters(path string) (map[string]int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	counters := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			counters[key] = n
		}
	}
	return counters, nil
}

// processes returns the pids in a group and in those beneath it. A process that
// cannot be seen from this pid namespace is 0 there.
func processes(dir string) ([]int, error) {
	text, err := os.ReadFile(dir + "/cgroup.procs")
	if err != nil {
		return nil, err
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	for _, child := range children(dir) {
		below, err := processes(child)
		if err == nil { // else it has just been removed
			pids = append(pids, below...)
		}
	}
	return pids, nil
}

// children returns the groups directly beneath one.
func children(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var dirs []string
	for _, entry := range entries {
		if entry.IsDir() {
			dirs = append(dirs, dir+"/"+entry.Name())
		}
	}
	return dirs
}

// removeTree removes a group and those beneath it, as far as they are empty. That
// one is gone already is no error.
func removeTree(dir string) error {
	err := unix.Rmdir(dir) // which most often is all
	if err == unix.EBUSY || err == unix.ENOTEMPTY {
		for _, child := range children(dir) {
			if err := removeTree(child); err != nil {
				return err
			}
		}
		err = unix.Rmdir(dir)
	}
	if err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}
