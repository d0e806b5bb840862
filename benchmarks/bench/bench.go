// Package bench holds what is measured, and on what: benches and systems.
//
// A [Bench] measures one thing on one [System] per round. The programs in ../peer each have the systems of
// one project, and nothing of any other one's code in them: what a program links costs each of
// its processes time and memory. [Main] runs one round in such a program; the
// program above takes turns between them.
package bench

import (
	"context"
	"slices"
	"time"
)

// Benches are all there are, in the order of the table.
var Benches = []Bench{
	ask64, askCold, ask64Callers,
	tell64, tell64Custom, tellRelay, tell1K, payload1M,
	spawnCold, spawnStandby, restart, deathNotice, idlePSS, manyActors, idleCPU,
}

// A Bench measures one thing.
type Bench struct {
	Name string
	// Round measures it once on a system, in processes of its own: where the
	// kernel happens to place a pair of them changes the figures more than anything
	// else, and lasts.
	Round func(context.Context, System, Scale) ([]Figure, error)
	// Can reports whether the system is able to do this.
	Can func(System) bool
	// Slow benches get a third of the rounds.
	Slow bool
}

// A Figure is what one round has found out of one metric.
type Figure struct {
	Metric string  `json:"metric"`
	Unit   string  `json:"unit"`
	Value  float64 `json:"value"`
	P99    float64 `json:"p99"` // 0 where it has no meaning
	N      int     `json:"n"`   // observations
}

// A Scale says how much work a round does.
type Scale int

// The scales.
const (
	Full  Scale = iota
	Quick       // less to rely on
	Tiny        // for the tests: whether it works at all
)

// of picks what belongs to the scale.
func of[T any](s Scale, full, quick, tiny T) T { return []T{full, quick, tiny}[s] }

// budget is how long a round measures what it can repeat at will: so a slow system
// takes no longer than a quick one.
func (s Scale) budget() time.Duration {
	return of(s, 600*time.Millisecond, 120*time.Millisecond, 2*time.Millisecond)
}

// durations makes a figure of single times.
func durations(metric string, took []time.Duration) Figure {
	slices.Sort(took)
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	return Figure{metric, "µs", micros(took[len(took)/2]), micros(took[len(took)*99/100]), len(took)}
}
