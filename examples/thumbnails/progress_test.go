package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBar(t *testing.T) {
	for _, test := range []struct{ done, total, full int }{
		{0, 7, 0}, {1, 1000, 0}, {500, 1000, barCells / 2}, {999, 1000, barCells - 1}, {7, 7, barCells},
	} {
		got := bar(test.done, test.total)
		if strings.Count(got, "█") != test.full || strings.Count(got, "░") != barCells-test.full {
			t.Errorf("%d of %d: got %s", test.done, test.total, got)
		}
	}
}

func TestProgress(t *testing.T) {
	var screen strings.Builder
	p := &progress{to: &screen, total: 2}
	p.step("one\x1b[2J")
	p.step(strings.Repeat("x", 100))
	p.clear()
	steps := strings.Split(screen.String(), eraseLine)
	if len(steps) != 4 || steps[0] != "" || steps[3] != "" ||
		!strings.HasSuffix(steps[1], " 1/2 one?[2J") || !strings.HasSuffix(steps[2], " 2/2 "+strings.Repeat("x", nameRoom-1)+"…") || len([]rune(steps[2])) > 79 {
		t.Errorf("got %q", steps)
	}
}

// TestNoTerminal has nothing written where nobody looks.
func TestNoTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := newProgress(f, 1)
	p.step("name")
	p.clear()
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("got %d bytes, %v", info.Size(), err)
	}
}
