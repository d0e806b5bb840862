package tree

import (
	"math"
	"strings"
	"testing"
	"time"
)

// Akka's vectors: BackoffSupervisorSpec.
func TestBackoff(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		n      int
		b      Backoff
		random float64
		want   time.Duration
	}{
		{2, Backoff{Min: 5 * time.Second, Max: 7 * time.Second}, 0, 7 * time.Second},
		{2, Backoff{Min: 5 * time.Second, Max: 7 * day}, 0, 20 * time.Second},
		{29, Backoff{Min: 5 * time.Minute, Max: 10 * time.Minute}, 0, 10 * time.Minute},
		{29, Backoff{Min: 5 * time.Minute, Max: 10000 * day}, 0, 10000 * day},
		{0, Backoff{Min: time.Second}, 0, time.Second},
		{9, Backoff{Min: time.Second}, 0, time.Minute},
		{9, Backoff{Min: time.Hour}, 0, time.Hour},
		{3, Backoff{Min: time.Second, Factor: 1}, 0, time.Second},
		{2, Backoff{Min: time.Second, Factor: 3}, 0, 9 * time.Second},
		{1, Backoff{Min: time.Second, Jitter: 0.2}, 0.5, 2200 * time.Millisecond},
		{1, Backoff{Min: time.Second, Jitter: 0.2}, 0, 2 * time.Second},
		{math.MaxInt, Backoff{Min: 1, Max: math.MaxInt64, Jitter: 1}, 0.9, math.MaxInt64},
		{5, Backoff{}, 0.5, 0},
	} {
		if got := c.b.delay(c.n, c.random); got != c.want {
			t.Errorf("%+v.delay(%d, %v) = %v, want %v", c.b, c.n, c.random, got, c.want)
		}
	}
}

// Against the rule as OTP has it: all earlier restarts, filtered.
func TestHistory(t *testing.T) {
	for _, intensity := range []int{1, 2, 3, 4, 5, 8, 9} {
		b := Budget{Intensity: intensity, Period: 100}
		var h history
		var all []time.Duration
		now := time.Duration(0)
		for i := range 5000 {
			now += time.Duration(i * 7 % 61)
			recent := 1
			for _, at := range all {
				if now-at <= b.Period {
					recent++
				}
			}
			want := recent <= intensity
			if full := h.full(now, b); full == want {
				t.Fatalf("intensity %d, restart %d at %d: full is %v", intensity, i, now, full)
			}
			if got := h.add(now, b); got != want {
				t.Fatalf("intensity %d, restart %d at %d: %v, want %v", intensity, i, now, got, want)
			}
			if want {
				all = append(all, now)
			}
			if len(h.at) > intensity {
				t.Fatalf("%d entries for intensity %d", len(h.at), intensity)
			}
		}
	}
}

// However large the budget, the history is as large as what happened within a
// period.
func TestHistoryOfHugeBudget(t *testing.T) {
	b := Budget{Intensity: math.MaxInt, Period: time.Second}
	var h history
	for i := range 100_000 {
		if !h.add(time.Duration(i)*100*time.Millisecond, b) {
			t.Fatal("refused")
		}
	}
	if len(h.at) > 32 {
		t.Errorf("%d entries for 11 restarts in a period", len(h.at))
	}
}

func TestCheck(t *testing.T) {
	itself := &Supervisor{}
	itself.Children = []Child{{Name: "x", Supervisor: itself}}
	for want, c := range map[string]Child{
		"invalid Restart":          {Restart: 9},
		"negative Shutdown":        {Shutdown: -4},
		"empty cause":              {Fatal: []string{""}},
		"negative time":            {Backoff: Backoff{Min: -1}},
		"without Min":              {Backoff: Backoff{Max: 1}},
		"not within 0 to 1":        {Backoff: Backoff{Min: 1, Jitter: math.NaN()}},
		"is less than 1":           {Backoff: Backoff{Min: 1, Factor: math.NaN()}},
		"belongs into":             {Supervisor: &Supervisor{}, Budget: Budget{Intensity: 1}},
		"negative Period":          {Budget: Budget{Period: -1}},
		"invalid Strategy":         {Supervisor: &Supervisor{Strategy: 9}},
		"invalid AutoShutdown":     {Supervisor: &Supervisor{AutoShutdown: 9}},
		"in itself":                {Supervisor: itself},
		`child "a": infinite Shut`: {Supervisor: &Supervisor{Children: []Child{{Name: "a", Shutdown: Infinite}}}},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check of %+v: %v, want %q", c, err, want)
		}
	}
	for _, c := range []Child{{}, {Supervisor: &Supervisor{}}, {Shutdown: 1}, {Budget: Budget{Intensity: NoRestarts}}} {
		if err := c.Check(); err != nil {
			t.Errorf("Check of %+v: %v", c, err)
		}
	}
}

// A time before the last one is taken for that one.
func TestTimeDoesNotGoBack(t *testing.T) {
	tr := New(Config{})
	tr.Step(time.Hour, StartChild{Child: &Child{Name: "a", Restart: Permanent, Backoff: Backoff{Min: time.Second}}})
	tr.Step(0, Ready{ID: 1, Inc: 1})
	tr.Step(0, Exited{ID: 1, Inc: 1})
	if at, ok := tr.Next(); !ok || at != time.Hour+time.Second {
		t.Errorf("Next() = %v, %v, want 1h1s", at, ok)
	}
}

func TestInfo(t *testing.T) {
	tr := New(Config{})
	tr.Step(0, StartChild{Child: &Child{Name: "web", Supervisor: &Supervisor{Children: []Child{{Name: "a", Data: 7}}}}})
	id, ok := tr.Lookup(1, "a")
	if !ok || id != 2 {
		t.Fatalf("Lookup = %v, %v", id, ok)
	}
	if _, ok := tr.Lookup(1, "b"); ok {
		t.Error("Lookup found b")
	}
	tr.Step(1, Ready{ID: id, Inc: 1})
	tr.Step(2, Exited{ID: id, Inc: 1, Reason: Reason{Cause: "panic"}})
	tr.Step(3, Ready{ID: id, Inc: 2})
	i, _ := tr.Info(id)
	if i.Parent != 1 || i.Data != 7 || i.State != Running || i.Incarnation != 2 || i.Since != 3 ||
		i.Restarts != 1 || i.Last.Cause != "panic" {
		t.Errorf("Info(a) = %+v", i)
	}
	if i, _ := tr.Info(1); i.Recent != 1 || i.Limit != DefaultIntensity {
		t.Errorf("Info(web) = %+v", i)
	}
	if _, ok := tr.Info(0); ok {
		t.Error("Info(root)")
	}
}

// Many dynamic children, and many actors on their own, start and stop in about
// linear time.
func TestManyChildren(t *testing.T) {
	const n = 100_000
	for _, dynamic := range []bool{true, false} {
		tr := New(Config{})
		start := StartChild{Child: &Child{Restart: Permanent}}
		if dynamic {
			tr.Step(0, StartChild{Child: &Child{Supervisor: &Supervisor{Strategy: Dynamic, Children: []Child{{}}}}})
			start = StartChild{Under: 1}
		}
		for range n {
			for _, e := range tr.Step(0, start) {
				if b, ok := e.(Boot); ok {
					tr.Step(0, Ready{ID: b.ID, Inc: b.Inc})
				}
			}
		}
		effects, steps := tr.Step(0, TerminateChild{Call: 1}), 0
		for ; len(effects) > 0; steps++ {
			e := effects[0]
			effects = effects[1:]
			if s, ok := e.(Stop); ok {
				effects = append(effects, tr.Step(0, Exited{ID: s.ID, Inc: s.Inc, Reason: shutdown})...)
			}
		}
		if len(tr.nodes) != 1 || steps < n {
			t.Errorf("%d left after %d steps", len(tr.nodes)-1, steps)
		}
	}
}

func BenchmarkRestart(b *testing.B) {
	tr := New(Config{})
	tr.Step(0, StartChild{Child: &Child{Name: "web", Supervisor: &Supervisor{
		Budget:   Budget{Intensity: 10_000, Period: time.Hour},
		Children: []Child{{Name: "a"}},
	}}})
	tr.Step(0, Ready{ID: 2, Inc: 1})
	now := time.Duration(0)
	b.ReportAllocs()
	for inc := uint64(1); b.Loop(); inc++ {
		now += time.Second
		tr.Step(now, Exited{ID: 2, Inc: inc})
		tr.Step(now, Ready{ID: 2, Inc: inc + 1})
	}
}
