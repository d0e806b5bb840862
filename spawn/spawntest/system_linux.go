package spawntest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// addSystem adds what the kernel knows of this process.
func addSystem(s snapshot) {
	addDescriptors(s)
	addSharedMemory(s)
	addChildren(s)
}

// permanentTargets are descriptors that are opened once and stay: of the Go
// runtime's poller and of the reaper.
var permanentTargets = []string{"anon_inode:[eventpoll]", "anon_inode:[eventfd]"}

func addDescriptors(s snapshot) {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
descriptors:
	for _, entry := range entries {
		target, err := os.Readlink(dir + "/" + entry.Name())
		if err != nil {
			continue // that of ReadDir itself
		}
		for _, permanent := range permanentTargets {
			if target == permanent {
				continue descriptors
			}
		}
		what := fmt.Sprintf("fd %s: %s", entry.Name(), target)
		s[what] = what
	}
}

// addSharedMemory adds the mappings of memfds. They are told by their addresses.
func addSharedMemory(s snapshot) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, " /memfd:") {
			what := "mapping " + strings.Join(strings.Fields(line), " ")
			s[what] = what
		}
	}
}

// addChildren adds every process whose parent is this one, zombies too. Reading
// all of /proc is slower than task/*/children, but that one may skip some
// while others exit (proc(5)).
func addChildren(s snapshot) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	self := strconv.Itoa(os.Getpid())
	for _, entry := range entries {
		pid := entry.Name()
		if pid[0] < '0' || pid[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue // gone
		}
		// "12 (any (name)) S 1 …": state, then parent.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 2 || fields[1] != self {
			continue
		}
		command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		s["child "+pid] = fmt.Sprintf("child %s in state %s: %q", pid, fields[0],
			strings.TrimRight(strings.ReplaceAll(string(command), "\x00", " "), " "))
	}
}
