package sandbox

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	selfExe  = "/proc/self/exe"
	selfMaps = "/proc/self/maps"

	// The runtime reads it at its start, to align its heap with huge pages.
	hugePageSize = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

	// Without it the loader searches directories, of which it may read none.
	loaderCache = "/etc/ld.so.cache"
)

// startRules returns what this same executable needs to start again, if these
// are the rights that must be given.
func (p *Policy) startRules(handled uint64) ([]rule, error) {
	rules := []rule{{
		path: os.DevNull,
		rights: unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
			unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV,
		optional: true,
	}}
	if handled&readRights == 0 {
		return rules, nil
	}
	const load = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
	rules = append(rules,
		rule{path: selfExe, rights: load},
		rule{path: hugePageSize, rights: unix.LANDLOCK_ACCESS_FS_READ_FILE, optional: true})
	dynamic, err := dynamicallyLinked()
	if err != nil || !dynamic {
		return rules, err
	}
	maps, err := os.ReadFile(selfMaps)
	if err != nil {
		return nil, err
	}
	// The way to the executable itself may be barred for a user who did not
	// start it.
	exe, err := os.Readlink(selfExe)
	if err != nil {
		return nil, err
	}
	for _, path := range executableMappings(string(maps)) {
		if path == exe {
			continue
		}
		rules = append(rules, rule{path: path, rights: load, optional: true})
	}
	return append(rules, rule{path: loaderCache, rights: unix.LANDLOCK_ACCESS_FS_READ_FILE, optional: true}), nil
}

// dynamicallyLinked reports whether the kernel has loaded a loader beside this
// program: its address is in the auxiliary vector, see getauxval(3).
func dynamicallyLinked() (bool, error) {
	const atBase = 7
	vector, err := unix.Auxv()
	if err != nil {
		return false, fmt.Errorf("auxiliary vector: %w", err)
	}
	for _, entry := range vector {
		if entry[0] == atBase {
			return entry[1] != 0, nil
		}
	}
	return false, nil
}

// executableMappings returns the paths of the files that proc_pid_maps(5) shows as
// executable, in their order, each once.
//
//	7f0a3c028000-7f0a3c17d000 r-xp 00026000 fe:00 5113   /usr/lib/x86_64-linux-gnu/libc.so.6
func executableMappings(maps string) (paths []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(maps) {
		before, path, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "/")
		fields := strings.Fields(before)
		if !ok || len(fields) != 5 || !strings.Contains(fields[1], "x") || seen[path] {
			continue
		}
		seen[path] = true
		paths = append(paths, "/"+path)
	}
	return paths
}
