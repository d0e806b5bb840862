package main

import (
	"os/exec"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// TestBombs runs the program with 256 MB for each of its processes, kept by the kernel
// (setrlimit(2), RLIMIT_DATA): bombs end their actors, and nothing else. The
// limits of the program's own (limits.go) are not needed for that.
func TestBombs(t *testing.T) {
	spawntest.Check(t)
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	set := some(t, "badge.png", "bomb-canvas.gif", "bomb-movie.gif", "bomb-pixels.png", "cut-at-60%.jpg", "ghost.gif",
		"lies-about-size.png", "plasma.jpg", "weave.jpg")
	folder, out := fill(t, set), t.TempDir()
	limit := "ulimit -d 262144 && exec "
	for _, workers := range []string{"1", "3"} {
		stdout, stderr, status := finish(t, exec.Command("sh", "-c", limit+`"$@"`, "sh", path, "-workers", workers, "-out", out, folder))
		if status != 0 || stderr != "" {
			t.Fatalf("got status %d, stderr %q", status, stderr)
		}
		checkSamples(t, set, outcomes(t, stdout, out))
	}
}
