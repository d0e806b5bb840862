package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A bar is what progeny wants to reach.
type bar struct {
	bench, metric string
	measure       measurement
	limit         float64
	atLeast       bool // otherwise at most
	stretch       bool // would be nice
}

// A measurement takes from the rows what is held against a bar, and says what it is: "×
// something", or a unit. It is not ok if something was not measured.
type measurement func(rows []row, own *row) (v float64, what string, ok bool)

var bars = []bar{
	{bench: "ask_64b", metric: "p50", measure: than("C, blocking pipes"), limit: 0.2},
	{bench: "ask_64b", metric: "p50", measure: p99Than("C, blocking pipes"), limit: 0.2},
	{bench: "ask_64b", metric: "p50", measure: than("C, on two cores"), limit: 0.2},
	{bench: "ask_64b", metric: "p50", measure: p99Than("C, on two cores"), limit: 0.2},
	{bench: "ask_64b", metric: "p50", measure: than("go-plugin, net/rpc"), limit: 1. / 15},
	{bench: "ask_64b", metric: "p50", measure: p99Than("go-plugin, net/rpc"), limit: 1. / 15},
	{bench: "ask_64b", metric: "p50", measure: than("ergo, one process"), limit: 2, stretch: true},
	{bench: "ask_64b_cold", metric: "p50", measure: than("bare pipes"), limit: 1.3},
	{bench: "ask_64b_64callers", metric: "rate", measure: plain, limit: 1e6, atLeast: true},
	{bench: "ask_64b_64callers", metric: "rate", measure: plain, limit: 2e6, atLeast: true, stretch: true},
	{bench: "tell_64b", metric: "rate", measure: plain, limit: 4e6, atLeast: true},
	{bench: "tell_64b", metric: "rate", measure: thanBestRemote, limit: 2.5, atLeast: true},
	{bench: "tell_64b_custom", metric: "rate", measure: plain, limit: 8e6, atLeast: true, stretch: true},
	{bench: "tell_64b_custom", metric: "rate", measure: than("ergo, one process"), limit: 1, atLeast: true, stretch: true},
	{bench: "tell_relay_64b", metric: "rate", measure: thanOwn("tell_64b", "rate"), limit: 0.6, atLeast: true},
	{bench: "tell_1k", metric: "throughput", measure: plain, limit: 2000, atLeast: true},
	{bench: "payload_1mib", metric: "throughput", measure: plain, limit: 3 << 10, atLeast: true},
	{bench: "payload_1mib", metric: "throughput", measure: plain, limit: 5 << 10, atLeast: true, stretch: true},
	{bench: "spawn_cold", metric: "p50", measure: than("bare re-exec"), limit: 1.25},
	{bench: "spawn_standby", metric: "p50", measure: plain, limit: 200},
	{bench: "spawn_standby", metric: "p50", measure: plain, limit: 100, stretch: true},
	{bench: "restart", metric: "p50", measure: plain, limit: 600},
	{bench: "restart", metric: "p50", measure: plain, limit: 400, stretch: true},
	{bench: "death_notice_2000", metric: "p50", measure: plain, limit: 300},
	{bench: "death_notice_2000", metric: "p50", measure: p99, limit: 1500},
	{bench: "idle_pss", metric: "PSS", measure: plain, limit: 0.9},
	{bench: "idle_pss", metric: "PSS", measure: plain, limit: 0.6, stretch: true},
	{bench: "idle_pss", metric: "threads, most", measure: plain, limit: 4},
	{bench: "many_actors", metric: "start all", measure: plain, limit: 5},
	{bench: "many_actors", metric: "node RSS", measure: plain, limit: 60},
	{bench: "many_actors", metric: "node threads", measure: plain, limit: 30},
	{bench: "many_actors", metric: "Ask p50", measure: thanOwn("ask_64b_cold", "p50"), limit: 2},
	{bench: "idle_cpu", metric: "CPU", measure: plain, limit: 1}, // 0.1 % of a core
}

func plain(_ []row, own *row) (float64, string, bool) { return own.value(), own.unit, true }
func p99(_ []row, own *row) (float64, string, bool) {
	return median(own.p99s), own.unit + p99Mark, true
}

// p99Mark ends what a measurement says if it is about the p99.
const p99Mark = ", p99"

// than is the ratio to another system.
func than(system string) measurement {
	return func(rows []row, own *row) (float64, string, bool) {
		other := find(rows, own.bench, system, own.metric)
		if other == nil {
			return 0, system, false
		}
		v, ok := ratio(own, other)
		return v, "× " + system, ok
	}
}

// p99Than is the ratio of the p99.
func p99Than(system string) measurement {
	return func(rows []row, own *row) (float64, string, bool) {
		other := find(rows, own.bench, system, own.metric)
		if other == nil {
			return 0, system + p99Mark, false
		}
		v, ok := ratioP99(own, other)
		return v, "× " + system + p99Mark, ok
	}
}

// thanOwn is the ratio to another bench of progeny.
func thanOwn(bench, metric string) measurement {
	return func(rows []row, own *row) (float64, string, bool) {
		other := find(rows, bench, ours, metric)
		if other == nil {
			return 0, bench, false
		}
		return own.value() / other.value(), "× " + bench, true
	}
}

// thanBestRemote is the ratio to the quickest of those that are made to talk to another process.
// The bare pipes are not: they are what is under it.
func thanBestRemote(rows []row, own *row) (float64, string, bool) {
	var best *row
	for i, r := range rows {
		remote := r.system != ours && !strings.HasPrefix(r.system, "bare ") && !inOneProcess(r.system)
		if r.bench == own.bench && r.metric == own.metric && remote && (best == nil || r.value() > best.value()) {
			best = &rows[i]
		}
	}
	if best == nil {
		return 0, "the best remoting", false
	}
	v, ok := ratio(own, best)
	return v, "× the best remoting, " + best.system, ok
}

func inOneProcess(system string) bool { return strings.HasSuffix(system, ", one process") }

// printBars prints which bars were reached, and what was lost.
func printBars(w io.Writer, rows []row) {
	fmt.Fprintln(w)
	for _, b := range bars {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.bench == b.bench }) {
			continue // it was not to be run, or is not there yet
		}
		fmt.Fprintln(w, b.verdict(rows))
	}
	sent := 0
	for _, r := range rows {
		if r.metric != lost {
			continue
		}
		sent += r.n
		if r.value() != 0 {
			fmt.Fprintf(w, "LOST: %s, %s: of %d messages %.0f were lost, spoilt or out of turn\n", r.bench, r.system, r.n, r.value())
		}
	}
	fmt.Fprintf(w, "%d messages were checked at their receivers\n", sent)
}

func (b bar) verdict(rows []row) string {
	kind := ""
	if b.stretch {
		kind = ", stretch"
	}
	own := find(rows, b.bench, ours, b.metric)
	if own == nil {
		return fmt.Sprintf("not measured%s: %s %s", kind, title(rows, b.bench), b.metric)
	}
	v, what, ok := b.measure(rows, own)
	head := title(rows, b.bench) + " " + b.metric
	if rest, about := strings.CutSuffix(what, p99Mark); about {
		what, head = rest, title(rows, b.bench)+" p99"
	}
	if !ok {
		return fmt.Sprintf("not measured%s: %s against %s", kind, head, what)
	}
	sign, reached := "≤", v <= b.limit
	if b.atLeast {
		sign, reached = "≥", v >= b.limit
	}
	word := "reached"
	if !reached {
		word = "MISSED"
	}
	return fmt.Sprintf("%s%s: %s %s %s (to be %s %s)", word, kind, head, short(v), what, sign, short(b.limit))
}
