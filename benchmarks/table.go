package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

const (
	ours   = "progeny" // the system that the others are compared with
	lost   = "lost"    // the metric of messages lost, spoilt or out of turn
	actors = "actors"  // the metric that says of how many actors the others are
)

// A row is what all rounds have found out of one metric of one system.
type row struct {
	bench, system, metric, unit string

	rounds       []int     // which rounds
	values, p99s []float64 // one of each
	n            int
}

// add puts a figure into its row.
func add(rows []row, bench, system string, round int, f bench.Figure) []row {
	r := find(rows, bench, system, f.Metric)
	if r == nil {
		rows = append(rows, row{bench: bench, system: system, metric: f.Metric, unit: f.Unit})
		r = &rows[len(rows)-1]
	}
	r.rounds, r.values, r.p99s = append(r.rounds, round), append(r.values, f.Value), append(r.p99s, f.P99)
	r.n += f.N
	return rows
}

// bySystem puts rows of one bench into the order of the systems.
func bySystem(rows []row, all []program) []row {
	order := map[string]int{}
	for _, p := range all {
		for _, s := range p.offer.Systems {
			order[s] = len(order)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return order[a.system] - order[b.system] })
	return rows
}

// value is the median of the rounds. Not so where that would hide something: of what was
// lost it is the sum, of the most that was seen the most.
func (r *row) value() float64 {
	switch r.metric {
	case lost:
		sum := 0.0
		for _, v := range r.values {
			sum += v
		}
		return sum
	case "threads, most", "node threads":
		return slices.Max(r.values)
	}
	return median(r.values)
}

func (r row) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Bench  string  `json:"bench"`
		System string  `json:"system"`
		Metric string  `json:"metric"`
		Unit   string  `json:"unit"`
		Value  float64 `json:"value"`
		P99    float64 `json:"p99"`
		N      int     `json:"n"`
	}{r.bench, r.system, r.metric, r.unit, r.value(), median(r.p99s), r.n})
}

// ratio is the median over the rounds of ours ÷ other: what ran one after the other is
// compared.
func ratio(ours, other *row) (float64, bool) {
	return ratioOf(ours, ours.values, other, other.values)
}

func ratioP99(ours, other *row) (float64, bool) { return ratioOf(ours, ours.p99s, other, other.p99s) }

func ratioOf(ours *row, mine []float64, other *row, theirs []float64) (float64, bool) {
	var of []float64
	for i, round := range ours.rounds {
		if j := slices.Index(other.rounds, round); j >= 0 && theirs[j] != 0 {
			of = append(of, mine[i]/theirs[j])
		}
	}
	return median(of), len(of) > 0
}

func find(rows []row, bench, system, metric string) *row {
	i := slices.IndexFunc(rows, func(r row) bool {
		return r.bench == bench && r.system == system && r.metric == metric
	})
	if i < 0 {
		return nil
	}
	return &rows[i]
}

// title is a bench's name, with the number of actors unless it is in the name.
func title(rows []row, name string) string {
	r := find(rows, name, ours, actors)
	if r == nil || strings.HasSuffix(name, fmt.Sprint("_", r.value())) {
		return name
	}
	return fmt.Sprintf("%s (%.0f)", name, r.value())
}

// printTable prints Markdown that lines up. Losses have a line of their own, see printBars.
func printTable(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "\n| bench\t| system\t| metric\t| median\t| min – max\t| p99\t| n\t| progeny ÷ it\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range rows {
		if r.metric == lost || r.metric == actors {
			continue
		}
		p99, against := "", ""
		if v := median(r.p99s); v != 0 {
			p99 = short(v)
		}
		if own := find(rows, r.bench, ours, r.metric); own != nil && r.system != ours {
			if v, ok := ratio(own, &r); ok {
				against = short(v)
			}
		}
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %s %s\t| %s – %s\t| %s\t| %d\t| %s\t|\n", title(rows, r.bench), r.system, r.metric,
			short(r.value()), r.unit, short(slices.Min(r.values)), short(slices.Max(r.values)), p99, r.n, against)
	}
	w.Flush()
}

// short prints a number with about three digits.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.0f k", v/1e3)
	case v >= 100 || v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	case v < 0.1:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
