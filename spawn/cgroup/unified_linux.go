package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// limitFiles are those of version 2 that say that a resource can be limited.
var limitFiles = [resources]string{memory: "/memory.max", cpu: "/cpu.max", tasks: "/pids.max"}

// openUnified finds out what version 2 can do here.
func (m *Manager) openUnified(here location) {
	refuseAll := func(err error) {
		for r := range resources {
			m.refuse(r, 2, err)
		}
	}
	dir, path, err := here.group("")
	if err == nil {
		err = mayUse(dir, path)
	}
	if err == nil {
		err = canCloneInto()
	}
	if err != nil {
		refuseAll(err)
		return
	}
	h := &hierarchy{version: 2, home: dir, parent: dir}
	if filepath.Base(dir) == nameOf(os.Getpid(), 0) { // an earlier Open moved us
		h.parent = filepath.Dir(dir)
	}
	missing := h.enable()
	err = h.probe(func(dir string) error {
		m.give(kill, h) // by its list of processes, where there is no cgroup.kill
		for r, file := range limitFiles {
			switch {
			case file == "":
			case exists(dir + file):
				m.give(resource(r), h)
			default:
				m.refuse(resource(r), 2, missing[r])
			}
		}
		return nil
	})
	if err != nil {
		m.at = [resources]*hierarchy{}
		refuseAll(err)
	}
}

// mayUse reports whether the group is this program's to change.
func mayUse(dir, path string) error {
	for _, file := range []string{dir, dir + "/cgroup.procs", dir + "/cgroup.subtree_control"} {
		if err := unix.Faccessat(unix.AT_FDCWD, file, unix.W_OK, unix.AT_EACCESS); err != nil {
			return fmt.Errorf("the group is not delegated to this user: no write access to %s (%w)", file, err)
		}
	}
	if path == "/" { // the machine's root, or that of a container's own namespace
		return nil
	}
	if !exists("/run/systemd/system") || delegated(dir) {
		return nil
	}
	return fmt.Errorf("%s belongs to systemd, which has not delegated it; "+
		"set Delegate=yes in the unit, or use systemd-run --scope -p Delegate=yes", dir)
}

// delegated reports whether systemd has given the group away. It marks such groups
// (systemd.exec(5) does not say so, CGROUP_DELEGATION.md does); before it did so
// where unprivileged users can see it, the change of owner was the only sign.
func delegated(dir string) bool {
	for _, attr := range []string{"user.delegate", "trusted.delegate"} {
		value := make([]byte, 8)
		if n, err := unix.Getxattr(dir, attr, value); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	var own, above unix.Stat_t
	return unix.Stat(dir, &own) == nil && unix.Stat(filepath.Dir(dir), &above) == nil &&
		own.Uid != 0 && int(own.Uid) == os.Geteuid() && above.Uid != own.Uid
}

// canCloneInto reports whether processes can be made inside a group. It asks with
// a descriptor that cannot be: who knows the flag says EINVAL, and makes none.
func canCloneInto() error {
	args := struct {
		flags                                                                     uint64
		pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, tids, ntid uint64
		cgroup                                                                    uint64
	}{flags: unix.CLONE_INTO_CGROUP, cgroup: 1 << 62}
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if errno != unix.EINVAL {
		return fmt.Errorf("clone3 with CLONE_INTO_CGROUP (Linux 5.7): %w", errno)
	}
	return nil
}

// enable makes the controllers available to the groups in h.parent, as far as
// it can, and says for the others why not. If need be it moves the program out of
// h.parent first, and only if that helps.
func (h *hierarchy) enable() (missing [resources]error) {
	available, enabled := h.words("cgroup.controllers"), h.words("cgroup.subtree_control")
	var todo []resource
	for r := range kill {
		switch name := controllers[r]; {
		case slices.Contains(enabled, name):
		case slices.Contains(available, name):
			todo = append(todo, r)
		default:
			missing[r] = fmt.Errorf("%s has no %s controller to give", h.parent, name)
		}
	}
	if len(todo) == 0 {
		return missing
	}
	moved, err := h.makeRoom()
	done := 0
	for _, r := range todo {
		// One at a time: one that fails must not take the others along.
		missing[r] = err
		if err == nil {
			missing[r] = write(h.parent+"/cgroup.subtree_control", "+"+controllers[r])
		}
		if missing[r] == nil {
			done++
		}
	}
	if moved && done == 0 {
		h.moveBack()
	}
	return missing
}

func (h *hierarchy) words(file string) []string {
	text, _ := os.ReadFile(h.parent + "/" + file) // what cannot be read has nothing to give
	return strings.Fields(string(text))
}

// makeRoom moves the program into a leaf, unless nothing is in its way.
func (h *hierarchy) makeRoom() (moved bool, err error) {
	if h.home != h.parent || !exists(h.parent+"/cgroup.type") { // the machine's root has no type, and may
		return false, nil
	}
	text, err := os.ReadFile(h.parent + "/cgroup.procs")
	if err != nil {
		return false, err
	}
	self := strconv.Itoa(os.Getpid())
	for pid := range strings.FieldsSeq(string(text)) {
		if pid != self {
			return false, fmt.Errorf("%s holds another process too (pid %s), so controllers cannot be enabled; "+
				"start the program in a group of its own", h.parent, pid)
		}
	}
	leaf := h.parent + "/" + nameOf(os.Getpid(), 0)
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return false, err
	}
	if err := write(leaf+"/cgroup.procs", self); err != nil {
		return false, errors.Join(err, removeTree(leaf))
	}
	h.home = leaf
	return true, nil
}

// moveBack undoes makeRoom. What remains if it cannot is a program in a leaf,
// where it runs as well.
func (h *hierarchy) moveBack() {
	if write(h.parent+"/cgroup.procs", strconv.Itoa(os.Getpid())) == nil {
		removeTree(h.home)
		h.home = h.parent
	}
}
