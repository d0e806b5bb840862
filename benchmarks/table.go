package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A row is what all rounds have found out of one metric of one system.
type row struct {
	bench, system, metric, unit string

	values, p99s []float64 // one of each round
	n            int
}

func (r *row) add(bench, system string, f figure) {
	r.bench, r.system, r.metric, r.unit = bench, system, f.metric, f.unit
	r.values, r.p99s = append(r.values, f.value), append(r.p99s, f.p99)
	r.n += f.n
}

// value is the median of the rounds. Not so where that would hide something: of what was
// lost it is the sum, of the most that was seen the most.
func (r *row) value() float64 {
	switch r.metric {
	case "lost":
		sum := 0.0
		for _, v := range r.values {
			sum += v
		}
		return sum
	case "threads, most":
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
	var of []float64
	for i := range min(len(ours.values), len(other.values)) {
		if other.values[i] != 0 {
			of = append(of, ours.values[i]/other.values[i])
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

// printTable prints Markdown that lines up. Losses have a line of their own, see printBars.
func printTable(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "\n| bench\t| system\t| metric\t| median\t| min – max\t| p99\t| n\t| progeny ÷ it\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range rows {
		if r.metric == "lost" {
			continue
		}
		p99, against := "", ""
		if v := median(r.p99s); v != 0 {
			p99 = short(v)
		}
		if ours := find(rows, r.bench, progenyName, r.metric); ours != nil && r.system != progenyName {
			if v, ok := ratio(ours, &r); ok {
				against = fmt.Sprintf("%.2f", v)
			}
		}
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %s %s\t| %s – %s\t| %s\t| %d\t| %s\t|\n", r.bench, r.system, r.metric,
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
