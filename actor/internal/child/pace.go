package child

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

const (
	// heapRoom is how many bytes of garbage a process makes during a stream of messages before they are
	// collected. Go's 4 MiB are gone in 4 ms of messages of 1 KiB, and the collector, which has no processor of
	// its own here, then took a quarter of the time: 1 KiB 0.8 of the time with this, 1 MiB 0.6.
	heapRoom = 16 << 20

	usualPercent = 100 // of GOGC
	mostPercent  = 400 // makes heapRoom of the least heap that Go has in mind
)

// A pace lets the collector come less often while messages stream in. A process of which little is wanted keeps
// Go's own pace, and so its small memory. Who has set GOGC or debug.SetGCPercent is not interfered with.
type pace struct {
	streaming atomic.Bool // since the last collection
	on        atomic.Bool
	percent   int // as set here; of who has on
}

// stream says that messages stream in.
func (p *pace) stream() {
	if p.streaming.Load() {
		return
	}
	p.streaming.Store(true)
	if p.on.Load() || os.Getenv("GOGC") != "" || !p.on.CompareAndSwap(false, true) {
		return
	}
	p.percent = usualPercent
	p.set(p.wanted())
	p.watch()
}

// watch has collected called after the next collection.
func (p *pace) watch() {
	runtime.AddCleanup(new(*pace), (*pace).collected, p)
}

// collected follows up on a collection: the more lives, the less the percentage may be. When none
// streamed in since the one before, all is as Go has it.
func (p *pace) collected() {
	if !p.streaming.Swap(false) {
		p.set(usualPercent)
		p.on.Store(false)
		return
	}
	if p.set(p.wanted()) {
		p.watch()
	}
}

// set changes the percentage; it reports false if somebody else has changed it, whose it then stays.
func (p *pace) set(percent int) bool {
	if percent == p.percent {
		return true
	}
	if before := debug.SetGCPercent(percent); before != p.percent {
		debug.SetGCPercent(before)
		return false
	}
	p.percent = percent
	return true
}

// wanted leaves heapRoom above what lives, or as much as that again if it is more. What lives is inferred from the
// collector's goal: package runtime/metrics would say it, but takes 30 KB of each process.
func (p *pace) wanted() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m) // stops this process for some 20 µs; once for each collection
	live := m.NextGC * 100 / uint64(100+p.percent)
	return int(min(max(heapRoom*100/max(live, 1), usualPercent), mostPercent))
}
