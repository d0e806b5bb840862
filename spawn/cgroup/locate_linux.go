package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// A mount is a line of /proc/PID/mountinfo that mounts control groups. See
// proc_pid_mountinfo(5).
type mount struct {
	root        string   // the group that is seen at point
	point       string   // directory
	controllers []string // of version 1; nil means version 2
}

// A membership is a line of /proc/PID/cgroup. See cgroups(7).
type membership struct {
	controllers []string // of version 1; nil means version 2
	path        string   // in the control group namespace of the reader
}

func parseMounts(mountinfo string) []mount {
	var mounts []mount
	for line := range strings.Lines(mountinfo) {
		// 36 35 98:0 /root /point rw,noatime shared:1 - type source options
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 {
			continue
		}
		m := mount{root: unescape(left[3]), point: unescape(left[4])}
		switch right[0] {
		case "cgroup2":
		case "cgroup":
			m.controllers = strings.Split(right[2], ",") // with rw and the like
		default:
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// escapes are those that the kernel makes in mountinfo.
var escapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func unescape(field string) string { return escapes.Replace(field) }

func parseMemberships(cgroup string) []membership {
	var all []membership
	for line := range strings.Lines(cgroup) {
		// 4:memory:/path, or 0::/path
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) < 3 {
			continue
		}
		m := membership{path: fields[2]}
		if fields[1] != "" {
			m.controllers = strings.Split(fields[1], ",")
		}
		all = append(all, m)
	}
	return all
}

// A location is what the kernel says of where this process is.
type location struct {
	memberships []membership
	mounts      []mount
}

func locate() (location, error) {
	memberships, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return location{}, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return location{}, err
	}
	return location{parseMemberships(string(memberships)), parseMounts(string(mounts))}, nil
}

var errAbsent = errors.New("not in this kernel, or not mounted")

// group returns the process's group of that controller, as the directory and as
// its path in the namespace. The controller "" means version 2.
func (l location) group(controller string) (dir, path string, err error) {
	has := func(controllers []string) bool {
		if controller == "" {
			return controllers == nil
		}
		return slices.Contains(controllers, controller)
	}
	i := slices.IndexFunc(l.memberships, func(m membership) bool { return has(m.controllers) })
	if i < 0 {
		return "", "", errAbsent
	}
	path = l.memberships[i].path
	mounted := false
	for _, m := range slices.Backward(l.mounts) { // a later mount may hide an earlier one
		if !has(m.controllers) {
			continue
		}
		mounted = true
		below, ok := beneath(m.root, path)
		if !ok {
			continue
		}
		dir = strings.TrimSuffix(m.point+below, "/")
		if _, err := os.Stat(dir + "/cgroup.procs"); err == nil {
			return dir, path, nil
		}
	}
	if !mounted {
		return "", "", errors.New("not mounted")
	}
	return "", "", fmt.Errorf("the program's own group %s cannot be seen from here", path)
}

// beneath returns what follows root in path: "" or "/…".
func beneath(root, path string) (string, bool) {
	if strings.HasPrefix(path, "/..") { // outside the namespace
		return "", false
	}
	below, ok := strings.CutPrefix(path, strings.TrimSuffix(root, "/"))
	return below, ok && (below == "" || below[0] == '/')
}
