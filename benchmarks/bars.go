package main

import (
	"fmt"
	"io"
)

// A bar is what progeny wants to reach in one metric.
type bar struct {
	bench, metric string
	than          string // the system it is measured by; "" if the limit is absolute
	limit         float64
	atLeast       bool // otherwise at most
}

var bars = []bar{
	{bench: "ask_64b", metric: "p50", than: "bare pipes", limit: 1.5},
	{bench: "tell_64b", metric: "rate", limit: 1.6e6, atLeast: true},
	{bench: "spawn_cold", metric: "p50", than: "bare re-exec", limit: 2},
	{bench: "idle_pss", metric: "PSS", limit: 1.5},
	{bench: "idle_pss", metric: "threads, most", limit: 5},
	{bench: "idle_cpu", metric: "CPU", limit: 0},
}

// printBars prints which bars were reached, and what was lost.
func printBars(w io.Writer, rows []row) {
	fmt.Fprintln(w)
	for _, b := range bars {
		ours := find(rows, b.bench, progenyName, b.metric)
		if ours == nil {
			continue
		}
		v, what := ours.value(), ours.unit
		if b.than != "" {
			other := find(rows, b.bench, b.than, b.metric)
			if other == nil {
				continue
			}
			v, _ = ratio(ours, other)
			what = "× " + b.than
		}
		sign, reached := "≤", v <= b.limit
		if b.atLeast {
			sign, reached = "≥", v >= b.limit
		}
		verdict := "reached"
		if !reached {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%s: %s %s, %s (to be %s %s %s)\n", verdict, b.bench, b.metric, short(v)+" "+what, sign, short(b.limit), what)
	}
	sent := 0
	for _, r := range rows {
		if r.metric != "lost" {
			continue
		}
		sent += r.n
		if r.value() != 0 {
			fmt.Fprintf(w, "LOST: %s, %s: of %d messages %.0f were lost, spoilt or out of turn\n", r.bench, r.system, r.n, r.value())
		}
	}
	fmt.Fprintf(w, "%d messages were checked at their receivers\n", sent)
}
