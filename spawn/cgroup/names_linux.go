package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const prefix = "progeny-"

// lastName counts the groups of this program, of all its Managers.
var lastName atomic.Int64

// newName returns a name for a group that no group of this program had before.
func newName() string { return nameOf(os.Getpid(), lastName.Add(1)) }

func nameOf(pid int, n int64) string {
	return prefix + strconv.Itoa(pid) + "-" + strconv.FormatInt(n, 10)
}

func parseName(name string) (pid int, n int64, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	left, right, _ := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(left)
	if !ok || err != nil {
		return 0, 0, false
	}
	n, err = strconv.ParseInt(right, 10, 64)
	return pid, n, err == nil && name == nameOf(pid, n)
}

// makeGroup makes a directory of that name in all the parents, or in none. The
// name is new even if a program with this pid has left groups behind.
func makeGroup(parents []*hierarchy) (string, error) {
	for {
		name := newName()
		made, err := 0, error(nil)
		for _, h := range parents {
			if err = os.Mkdir(h.parent+"/"+name, 0o755); err != nil {
				break
			}
			made++
		}
		if err == nil {
			return name, nil
		}
		for _, h := range parents[:made] {
			removeTree(h.parent + "/" + name)
		}
		if !os.IsExist(err) {
			return "", err
		}
	}
}

// sweep removes the empty groups in dir that programs left which are gone. One
// that is not empty refuses.
func sweep(dir string) {
	dirs := children(dir)
	used := lastName.Load() // after the listing: what of ours is in it has at most this number
	for _, child := range dirs {
		pid, n, ok := parseName(filepath.Base(child))
		if !ok {
			continue
		}
		gone := unix.Kill(pid, 0) == unix.ESRCH
		if pid == os.Getpid() { // an earlier program had our pid
			gone = n > used
		}
		if gone {
			removeTree(child)
		}
	}
}
