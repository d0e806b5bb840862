//go:build unix

package actor_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

type (
	// Percent is answered with the percentage of heap growth at which this process collects, after Hold bytes were taken
	// for good, Set was set unless it is 0, and so many Collections were made.
	Percent struct{ Hold, Set, Collections int }

	Splash struct{}

	hoarder struct{ held []byte }
)

func (*hoarder) Splash(*actor.Context, Splash) error { return nil }

func (h *hoarder) Percent(_ *actor.Context, m Percent) (int, error) {
	if m.Hold > 0 {
		h.held = make([]byte, m.Hold)
	}
	if m.Set > 0 {
		debug.SetGCPercent(m.Set)
	}
	for range m.Collections {
		runtime.GC()
	}
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(percent)
	return int(percent[0].Value.Uint64()), nil
}

var hoarders = actor.Define("hoarder", actor.Zero[hoarder], actor.OnTell((*hoarder).Splash), actor.On((*hoarder).Percent))

// pour has a stream of messages.
func pour(t *testing.T, ref actor.Ref) {
	t.Helper()
	for range 5000 {
		tell(t, ref, Splash{})
	}
	ask[int](t, ref, Percent{})
}

// poured pours until the percentage is what is wanted: a stream that the actor keeps up with is none.
func poured(t *testing.T, ref actor.Ref, wanted int) {
	t.Helper()
	eventually(t, "the collector's pace", func() bool {
		pour(t, ref)
		return ask[int](t, ref, Percent{}) == wanted
	})
}

func spawnHoarder(t *testing.T, env ...string) actor.Ref {
	t.Helper()
	spec := hoarders.With(struct{}{})
	for _, e := range append(os.Environ(), env...) {
		if !strings.HasPrefix(e, "GOGC=") || len(env) > 0 {
			spec.Env = append(spec.Env, e)
		}
	}
	ref, err := actortest.New(t, actor.Options{}).Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestPace checks that an actor's process collects its garbage less often while messages stream in, and only then.
func TestPace(t *testing.T) {
	ref := spawnHoarder(t)
	if got := ask[int](t, ref, Percent{Collections: 2}); got != 100 {
		t.Errorf("before a stream: %d %%", got)
	}
	poured(t, ref, 400)
	eventually(t, "Go's own pace when nothing streams in", func() bool {
		return ask[int](t, ref, Percent{Collections: 1}) == 100
	})
	poured(t, ref, 400)
}

// TestPaceOfMuch checks that a process with much memory may not make four times as much of it.
func TestPaceOfMuch(t *testing.T) {
	ref := spawnHoarder(t)
	ask[int](t, ref, Percent{Hold: 64 << 20, Collections: 1})
	pour(t, ref)
	if got := ask[int](t, ref, Percent{}); got != 100 {
		t.Errorf("with 64 MiB: %d %%", got)
	}
	// Eight live, and sixteen more may come.
	ref = spawnHoarder(t)
	ask[int](t, ref, Percent{Hold: 8 << 20, Collections: 1})
	eventually(t, "a pace between", func() bool {
		pour(t, ref)
		got := ask[int](t, ref, Percent{})
		return got > 150 && got <= 200
	})
}

// TestPaceOfOthers checks that what somebody else has set stays.
func TestPaceOfOthers(t *testing.T) {
	for _, set := range []string{"50", "off"} {
		ref := spawnHoarder(t, "GOGC="+set)
		before := ask[int](t, ref, Percent{})
		pour(t, ref)
		if got := ask[int](t, ref, Percent{}); got != before {
			t.Errorf("GOGC=%s: %d %% before and %d after", set, before, got)
		}
	}
	ref := spawnHoarder(t)
	ask[int](t, ref, Percent{Set: 200})
	pour(t, ref)
	if got := ask[int](t, ref, Percent{}); got != 200 {
		t.Errorf("%d %% after the actor has set 200", got)
	}
	ref = spawnHoarder(t)
	poured(t, ref, 400)
	ask[int](t, ref, Percent{Set: 200})
	for range 3 {
		pour(t, ref)
		if got := ask[int](t, ref, Percent{Collections: 1}); got != 200 {
			t.Errorf("%d %% after the actor has set 200 during a stream", got)
		}
	}
}
