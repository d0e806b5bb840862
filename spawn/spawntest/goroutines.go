package spawntest

import (
	"runtime"
	"strings"
)

// permanent are functions of goroutines that live as long as the program does,
// and of those that run the tests themselves. Each is looked for in whole
// lines of a stack, as prefixes.
var permanent = []string{
	"testing.",
	"created by testing.",
	"runtime.",
	"created by runtime.",
	"created by os/signal.",
	"created by runtime/",
	"github.com/progeny-go/progeny/spawn.(*spawner).run(",
	"github.com/progeny-go/progeny/spawn.(*confinedSpawner).run(",
	"github.com/progeny-go/progeny/reaper.(*reaper).run(",
}

// addGoroutines adds every goroutine that is not permanent.
func addGoroutines(s snapshot) {
	for stack := range strings.SplitSeq(allStacks(), "\n\n") {
		// "goroutine 12 [chan receive, 2 minutes]:"
		fields := strings.Fields(stack)
		if len(fields) < 2 || isPermanent(stack) {
			continue
		}
		s["goroutine "+fields[1]] = strings.TrimSpace(stack) + "\n"
	}
}

func allStacks() string {
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}

// isPermanent looks at the function where the goroutine began and at who created
// it: the functions in between say what it does now, not whose it is.
func isPermanent(stack string) bool {
	var origin []string
	for line := range strings.Lines(stack) {
		// Below the first function of one that has not run yet is goexit.
		if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "runtime.goexit(") {
			origin = append(origin, strings.TrimSpace(line))
		}
	}
	origin = origin[max(0, len(origin)-2):]
	for _, line := range origin {
		for _, prefix := range permanent {
			if strings.HasPrefix(line, prefix) {
				return true
			}
		}
	}
	return false
}
