package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

func TestMain(m *testing.M) {
	boot()
	os.Exit(m.Run())
}

// TestRun runs every bench with next to no work: each finds out something of progeny
// and, where there is one, of a bare system; nothing is lost and nothing stays.
func TestRun(t *testing.T) {
	spawntest.Check(t)
	file := filepath.Join(t.TempDir(), "results.json")
	if err := run(t.Context(), scale{rounds: 1, divisor: 5000}, "", file); err != nil {
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
	ours, others := map[string]bool{}, map[string]bool{}
	for _, r := range results {
		if r.System == progenyName {
			ours[r.Bench] = true
		} else {
			others[r.Bench] = true
		}
		mayBeZero := r.Metric == "lost" || r.Bench == idleCPU.name
		if r.N == 0 || r.Unit == "" || r.Value == 0 && !mayBeZero {
			t.Errorf("got %+v", r)
		}
		if r.Metric == "lost" && r.Value != 0 {
			t.Errorf("%s, %s: got %v messages lost, spoilt or out of turn", r.Bench, r.System, r.Value)
		}
	}
	for _, b := range benches {
		if !ours[b.name] || !others[b.name] {
			t.Errorf("%s: got figures of progeny %v, of others %v", b.name, ours[b.name], others[b.name])
		}
	}
}

// TestTally: what a receiver gets twice, too late or spoilt does not pass.
func TestTally(t *testing.T) {
	for _, test := range []struct {
		name     string
		seqs     []uint64
		got, bad int
	}{
		{"in order", []uint64{0, 1, 2}, 3, 0},
		{"one missing", []uint64{0, 2, 3}, 3, 0},
		{"one twice", []uint64{0, 1, 1}, 3, 1},
		{"swapped", []uint64{1, 0}, 2, 1},
	} {
		var seen tally
		for _, seq := range test.seqs {
			seen.next(seq, true)
		}
		if seen.Got != test.got || seen.Bad != test.bad {
			t.Errorf("%s: got %d, %d of them bad; want %d and %d", test.name, seen.Got, seen.Bad, test.got, test.bad)
		}
	}
	var seen tally
	if seen.next(0, false); seen.Bad != 1 {
		t.Errorf("spoilt: got %d bad, want 1", seen.Bad)
	}
}

// TestPacketIs64Bytes holds the benches to the size that they claim.
func TestPacketIs64Bytes(t *testing.T) {
	encoded, err := codec.Append(nil, packet)
	if err != nil || len(encoded) != 64 {
		t.Errorf("got %d bytes and error %v, want 64", len(encoded), err)
	}
}

func TestUnknownBench(t *testing.T) {
	spawntest.Check(t)
	if err := run(t.Context(), scale{rounds: 1, divisor: 5000}, "no such bench", ""); err == nil {
		t.Error("got no error")
	}
}
