package scene

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const canMeasure = true

// burning reports whether this process and its descendants use more than a tenth of a processor. What has ended
// meanwhile does not count.
func burning() (bool, error) {
	const (
		tick  = 10 * time.Millisecond // USER_HZ is 100
		while = 500 * time.Millisecond
	)
	before, err := ticks()
	if err != nil {
		return false, err
	}
	time.Sleep(while)
	after, err := ticks()
	used := 0
	for pid, n := range after {
		if start, ok := before[pid]; ok {
			used += n - start
		}
	}
	return time.Duration(used)*tick > while/10, err
}

// ticks returns the processor time of this process and its descendants so far; see proc_pid_stat(5).
func ticks() (map[int]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	parent, used := map[int]int{}, map[int]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		// What is before the last parenthesis is the name. Then: state, parent, …, and as 12th and 13th
		// utime and stime.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		var up, utime, stime int
		if _, err := fmt.Sscan(string(fields[1])+" "+string(fields[11])+" "+string(fields[12]), &up, &utime, &stime); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		parent[pid], used[pid] = up, utime+stime
	}
	for pid := range used {
		at := pid
		for at > 1 && at != os.Getpid() {
			at = parent[at]
		}
		if at != os.Getpid() {
			delete(used, pid)
		}
	}
	return used, nil
}
