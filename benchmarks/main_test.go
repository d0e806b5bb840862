package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// TestRun runs every bench on every system with next to no work: all find out something,
// nothing is lost and nothing stays.
func TestRun(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "results.json")
	if err := run(t.Context(), options{scale: bench.Tiny, rounds: 1, json: file, svg: dir}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var results []struct {
		Bench, System, Metric, Unit string
		Value                       float64
		N                           int
	}
	if err := json.Unmarshal(text, &results); err != nil {
		t.Fatal(err)
	}
	measured, others := map[string]bool{}, map[string]bool{}
	for _, r := range results {
		if r.System == ours {
			measured[r.Bench] = true
		} else {
			others[r.Bench] = true
		}
		mayBeZero := r.Metric == lost || r.Bench == "idle_cpu"
		if r.N == 0 || r.Unit == "" || r.Value == 0 && !mayBeZero {
			t.Errorf("got %+v", r)
		}
		if r.Metric == lost && r.Value != 0 {
			t.Errorf("%s, %s: got %v messages lost, spoilt or out of turn", r.Bench, r.System, r.Value)
		}
	}
	for _, b := range bench.Benches {
		alone := b.Name == "spawn_standby" // no other keeps processes in readiness
		if !measured[b.Name] || others[b.Name] == alone {
			t.Errorf("%s: got figures of progeny %v, of others %v", b.Name, measured[b.Name], others[b.Name])
		}
	}
	for _, p := range pictures {
		text, err := os.ReadFile(filepath.Join(dir, p.file))
		if err != nil {
			t.Fatal(err)
		}
		if err := wellFormed(text); err != nil || !bytes.Contains(text, []byte(ours)) {
			t.Errorf("%s: got %v and %s", p.file, err, text)
		}
	}
}

// TestEveryPeerMeasures: what is built can do something.
func TestEveryPeerMeasures(t *testing.T) {
	spawntest.Check(t)
	all, cleanUp, err := programs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cleanUp()
	for _, p := range all {
		for _, system := range p.offer.Can["ask_64b"] {
			figures, err := p.round(t.Context(), "ask_64b", system, bench.Tiny)
			if err != nil || len(figures) != 1 {
				t.Errorf("%s: got %v and error %v, want one figure", system, figures, err)
			}
		}
	}
}

func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestUnknownBench(t *testing.T) {
	spawntest.Check(t)
	if err := run(t.Context(), options{only: "no such bench"}); err == nil {
		t.Error("got no error")
	}
}

// TestBars: what is missed is called so, and what was not measured.
func TestBars(t *testing.T) {
	figure := func(rows []row, name, system, metric, unit string, values ...float64) []row {
		for round, v := range values {
			rows = add(rows, name, system, round, bench.Figure{Metric: metric, Unit: unit, Value: v, P99: 2 * v, N: 1})
		}
		return rows
	}
	var rows []row
	rows = figure(rows, "ask_64b", ours, "p50", "µs", 5, 5, 50)
	rows = figure(rows, "ask_64b", "C, on two cores", "p50", "µs", 50, 50, 50)
	rows = figure(rows, "tell_64b", ours, "rate", "msgs/s", 2e6)
	rows = figure(rows, "tell_64b", "protoactor, two processes", "rate", "msgs/s", 1e6)
	rows = figure(rows, "tell_64b", "hollywood, one process", "rate", "msgs/s", 9e6)
	rows = figure(rows, "tell_64b", "bare pipes, buffered", "rate", "msgs/s", 20e6)
	rows = figure(rows, "tell_64b", ours, lost, "msgs", 3)
	var out strings.Builder
	printBars(&out, rows)
	for _, want := range []string{
		"reached: ask_64b p50 0.10 × C, on two cores (to be ≤ 0.20)",
		"reached: ask_64b p99 0.10 × C, on two cores (to be ≤ 0.20)",
		"not measured: ask_64b p50 against C, blocking pipes",
		"not measured: ask_64b p99 against C, blocking pipes",
		"MISSED: tell_64b rate 2.00 M msgs/s (to be ≥ 4.00 M)",
		"MISSED: tell_64b rate 2 × the best remoting, protoactor, two processes (to be ≥ 2.50)",
		"LOST: tell_64b, progeny: of 1 messages 3 were lost",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got no %q in\n%s", want, out.String())
		}
	}
}

// TestRatioIsOfTheSameRound: a round that failed on one side has no partner.
func TestRatioIsOfTheSameRound(t *testing.T) {
	a := &row{rounds: []int{0, 1, 2}, values: []float64{1, 10, 100}}
	b := &row{rounds: []int{2}, values: []float64{50}}
	if v, ok := ratio(a, b); !ok || v != 2 {
		t.Errorf("got %v, %v; want 2, true", v, ok)
	}
	if _, ok := ratio(a, &row{}); ok {
		t.Error("got a ratio to nothing")
	}
}
