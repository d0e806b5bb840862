package spawn

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Quit has the Go runtime of the process write the stacks of all goroutines, and end it. It sends
// SIGQUIT, to the busiest thread that is running if there is one: of a goroutine that runs the runtime can tell the
// stack only on its own thread. A stopped process is continued for it. A process that blocks
// or handles SIGQUIT does not answer.
//
// Like KillGroup it must not be called after, or concurrently with, the wait.
func (p *Process) Quit() error {
	if err := p.OS.Signal(unix.Signal(0)); err != nil {
		return err
	}
	err := os.ErrNotExist
	if tid := running(p.Pid); tid != 0 {
		err = unix.Tgkill(p.Pid, tid, unix.SIGQUIT)
	}
	if err != nil {
		err = p.OS.Signal(unix.SIGQUIT)
	}
	p.OS.Signal(unix.SIGCONT)
	return err
}

// running returns the thread of the process that runs, and has run the most; 0 if none does.
// See proc_pid_stat(5).
func running(pid int) (tid int) {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task"
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return 0
	}
	most := -1
	for _, entry := range entries {
		stat, err := os.ReadFile(tasks + "/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		// 123 (name, maybe with spaces) R …; the 14th and 15th are times.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 13 || fields[0] != "R" {
			continue
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		if id, err := strconv.Atoi(entry.Name()); err == nil && user+system > most {
			tid, most = id, user+system
		}
	}
	return tid
}
