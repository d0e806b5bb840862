package tree

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata; commit them only if you understand what changed them")

// TestTranscripts runs each testdata/*.txt: commands in, effects out. Lines that
// begin with # are for the reader. Every random
// number is one half. At the end of each, everything is stopped, and nothing may be
// left.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s: %s", file, firstDifference(got, string(want)))
			}
		})
	}
}

// replay returns the transcript with the effects that its commands have now.
func replay(t *testing.T, transcript string) string {
	e := newEnv(t, func() float64 { return 0.5 })
	lines := strings.Split(strings.TrimSuffix(transcript, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		command, ok := strings.CutPrefix(lines[i], "> ")
		if !ok {
			if lines[i] == "" || lines[i][0] == '#' {
				e.printf("%s", lines[i])
			}
			continue
		}
		e.printf("%s", lines[i])
		block := []string{command}
		for ; i+1 < len(lines) && strings.HasPrefix(lines[i+1], ">  "); i++ {
			e.printf("%s", lines[i+1])
			block = append(block, strings.TrimPrefix(lines[i+1], "> "))
		}
		e.run(block)
	}
	got := e.out.String()
	e.run([]string{"terminate all"})
	e.settle()
	if left := e.pending(); len(left) > 0 {
		t.Errorf("without a reply: %q", left)
	}
	if len(e.live) > 0 || len(e.tree.nodes) > 1 {
		t.Errorf("left at the end: %d processes, %d nodes", len(e.live), len(e.tree.nodes)-1)
	}
	return got
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "(end)", "(end)"
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, a, b)
		}
	}
	return ""
}
