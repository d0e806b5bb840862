package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat (USER_HZ): 10 ms on all of Go's ports.
const tick = 10 * time.Millisecond

// pss returns what a process holds of memory, in MB (10⁶ bytes), pages shared with others in part.
func pss(pid int) (float64, error) {
	kib, err := procField(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
	return float64(kib) * 1024 / 1e6, err
}

// rss returns what a process has resident, in MB.
func rss(pid int) (float64, error) {
	kib, err := procField(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:")
	return float64(kib) * 1024 / 1e6, err
}

func threads(pid int) (int, error) {
	return procField(fmt.Sprintf("/proc/%d/status", pid), "Threads:")
}

// procField returns the number behind key at the beginning of a line.
func procField(file, key string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key {
			return strconv.Atoi(f[1])
		}
	}
	return 0, fmt.Errorf("%s: no line begins with %s", file, key)
}

// active is what processes have done since their start.
type active struct {
	cpu     time.Duration
	wakeups int
}

func activity(pids []int) (sum active, err error) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return sum, err
		}
		// The second field is a name in parentheses; utime and stime are 14 and 15.
		f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, ticks := range f[11:13] {
			n, err := strconv.Atoi(ticks)
			if err != nil {
				return sum, err
			}
			sum.cpu += time.Duration(n) * tick
		}
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if err != nil {
			return sum, err
		}
		for _, task := range tasks {
			n, err := procField(task, "voluntary_ctxt_switches:")
			if err != nil {
				return sum, err
			}
			sum.wakeups += n
		}
	}
	return sum, nil
}
