//go:build unix

package node

import (
	"runtime"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// Whatever a process writes, the node does not panic, takes memory in
// proportion to it, and either bears it or ends the process for it.
func FuzzLink(f *testing.F) {
	for _, s := range scripts {
		if len(s.script) < 64<<10 {
			f.Add(s.script)
		}
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		var before, after runtime.MemStats
		s := newStage(t)
		runtime.ReadMemStats(&before)
		err := s.play(script)
		verdict := s.self.proc.verdict
		s.strike()
		runtime.ReadMemStats(&after)
		switch {
		case ended(err):
		case verdict.Cause == wire.Protocol:
		case verdict.Cause == wire.InitFailed, verdict.Cause == wire.Killed: // it came first
		default:
			t.Errorf("the reason is %q after %v", verdict.Cause, err)
		}
		const perByte, once = 1000, 4 << 20
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(perByte*len(script)+once) {
			t.Errorf("%d bytes made the node allocate %d", len(script), got)
		}
	})
}
