package bench

import (
	"context"
	"testing"
	"time"
)

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
		var seen Tally
		for _, seq := range test.seqs {
			seen.Next(seq, true)
		}
		if seen.Got != test.got || seen.Bad != test.bad {
			t.Errorf("%s: got %d, %d of them bad; want %d and %d", test.name, seen.Got, seen.Bad, test.got, test.bad)
		}
	}
	var seen Tally
	if seen.Next(0, false); seen.Bad != 1 {
		t.Errorf("spoilt: got %d bad, want 1", seen.Bad)
	}
}

// TestFrame: a frame that was changed, cut or swapped is bad.
func TestFrame(t *testing.T) {
	f := NewFrame(64)
	var seen Tally
	seen.Frame(f)
	Number(f, 1)
	seen.Frame(f)
	if seen.Got != 2 || seen.Bad != 0 || IsPing(f) || !IsPing(NewPing(64)) {
		t.Errorf("got %+v", seen)
	}
	Number(f, 0)
	seen.Frame(f)
	Number(f, 2)
	f[63]++
	seen.Frame(f)
	seen.Frame(nil)
	if seen.Bad != 3 {
		t.Errorf("got %d bad of 3", seen.Bad)
	}
}

// lossy is a receiver that does not get all.
type lossy struct{}

func (lossy) Flood(_ context.Context, n, _ int) (Tally, error) {
	time.Sleep(time.Millisecond)
	return Tally{Got: n - 3, Bad: 1}, nil
}

func (lossy) Close() error { return nil }

// TestLossIsReported: and what is lost is not fast.
func TestLossIsReported(t *testing.T) {
	sys := System{Sink: func(context.Context) (Sinker, error) { return lossy{}, nil }}
	figures, err := tell64.Round(t.Context(), sys, Tiny)
	if err != nil || len(figures) != 2 || figures[1].Metric != "lost" || figures[1].Value != 4 {
		t.Errorf("got %+v and error %v, want 4 lost", figures, err)
	}
}

// TestStartAllFails: what does not start is not there to be ended.
func TestStartAllFails(t *testing.T) {
	n := 0
	all, err := startAll(1, func() (Process, error) { n++; return nil, context.Canceled })
	if err == nil || len(all) != 0 || n != 1 {
		t.Errorf("got %v and error %v", all, err)
	}
}
