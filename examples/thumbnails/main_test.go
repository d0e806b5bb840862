package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

func TestMain(m *testing.M) {
	actor.Boot() // the test binary is the executable of workers too
	status := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(status)
}

var buildDir string

// temporary is where that is which outlives a test: one of them sets another place for the program.
var temporary = os.TempDir()

// build makes the program, once.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(temporary, "thumbnails-test-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "thumbnails.exe")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// program runs it to its end.
func program(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no actors on Windows yet")
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, exec.Command(path, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			t.Fatal(err)
		}
	}
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode()
}

// fill makes a folder of samples.
func fill(t *testing.T, set []sample) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for _, s := range set {
		if err := os.WriteFile(filepath.Join(folder, s.name), content(t, s), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// some returns those samples that are named.
func some(t *testing.T, names ...string) (set []sample) {
	t.Helper()
	for _, s := range slices.Concat(pictures(), spoilt(), bombs()) {
		if slices.Contains(names, s.name) {
			set = append(set, s)
		}
	}
	if len(set) != len(names) {
		t.Fatalf("%d of the samples %q exist", len(set), names)
	}
	return set
}

var line = regexp.MustCompile(`(?m)^(\d+) +(\S+) +([\d.]+ (?:B|KiB|MiB)) +(\S+) +(\S+) +(.*)$`)

// outcomes reads a report, and checks it against the files of the output.
func outcomes(t *testing.T, stdout, out string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	var names, want []string
	made := regexp.MustCompile(`^ok: (\d+)×(\d+) in [\d.]+ ms$`)
	unknown := regexp.MustCompile(`^(not an image|not read: .*|truncated: unexpected EOF)$`) // by then there was no header
	for i, match := range line.FindAllStringSubmatch(stdout, -1) {
		name, outcome := match[2], match[6]
		if match[1] != strconv.Itoa(i+1) {
			t.Errorf("%s has the number %s, want %d", name, match[1], i+1)
		}
		names = append(names, name)
		found[name] = outcome
		if header := match[4] != "-" && match[5] != "-"; header == unknown.MatchString(outcome) {
			t.Errorf("%s: %s, and its kind and size are %s and %s", name, outcome, match[4], match[5])
		}
		size := made.FindStringSubmatch(outcome)
		if size == nil {
			continue
		}
		want = append(want, name+".png")
		r := readPNG(t, filepath.Join(out, "thumbnails", name+".png")).Bounds()
		if got := fmt.Sprint(r.Dx(), r.Dy()); got != size[1]+" "+size[2] || r.Dx() > maxSide || r.Dy() > maxSide {
			t.Errorf("%s: %s, and its thumbnail is %v", name, outcome, r)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not in order: %q", names)
	}
	var got []string
	files, err := os.ReadDir(filepath.Join(out, "thumbnails"))
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		got = append(got, f.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got the thumbnails %q, want %q", got, want)
	}
	checkSheet(t, filepath.Join(out, "contact-sheet.png"), names, found)
	return found
}

// checkSheet expects crosses where something failed, and none elsewhere.
func checkSheet(t *testing.T, path string, names []string, found map[string]string) {
	t.Helper()
	img := readPNG(t, path)
	empty := newSheet(len(names))
	if img.Bounds() != empty.img.Rect {
		t.Errorf("the contact sheet is %v, want %v", img.Bounds(), empty.img.Rect)
		return
	}
	for i, name := range names {
		at := middle(empty.card(i))
		r, g, b, _ := img.At(at.X, at.Y).RGBA()
		wantR, wantG, wantB, _ := red.RGBA()
		crossed := r == wantR && g == wantG && b == wantB
		if ok := strings.HasPrefix(found[name], "ok: "); crossed == ok {
			t.Errorf("%s: %s, and its card has a cross: %v", name, found[name], crossed)
		}
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return img
}

// expected is the beginning of the outcome of a sample. What claims to be large may be
// the end of its actor before it turns out to be small.
func expected(name string) *regexp.Regexp {
	patterns := map[string]string{
		"cut": "truncated: ", "damaged.png": "damaged: ", "empty.jpg": "not an image$", "no": "not an image$",
		"too": "not read: over 16776192 bytes", "bomb": "its actor ended: ", "lies": "damaged: |its actor ended: ",
	}
	begin, _, _ := strings.Cut(name, "-")
	pattern, ok := patterns[begin]
	if !ok {
		pattern = "ok: "
	}
	return regexp.MustCompile("^(" + pattern + ")")
}

func checkSamples(t *testing.T, set []sample, found map[string]string) {
	t.Helper()
	for _, s := range set {
		if got, ok := found[s.name]; !ok || !expected(s.name).MatchString(got) {
			t.Errorf("%s: got %q, want %v", s.name, got, expected(s.name))
		}
	}
	if len(found) != len(set) {
		t.Errorf("got %d files, want %d", len(found), len(set))
	}
}

// TestOwnSet runs the program as it runs without arguments. Nothing but its output is
// left behind.
func TestOwnSet(t *testing.T) {
	spawntest.Check(t)
	own := t.TempDir()
	t.Setenv("TMPDIR", own)
	stdout, stderr, status := program(t)
	if status != 0 || stderr != "" {
		t.Fatalf("got status %d, stderr %q", status, stderr)
	}
	left, err := os.ReadDir(own)
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	out := filepath.Join(own, left[0].Name())
	if !strings.HasSuffix(stdout, "\nthumbnails: "+out+"\ncontact sheet: "+filepath.Join(out, "contact-sheet.png")+"\n") {
		t.Errorf("it does not say where its output is:\n%s", stdout)
	}
	checkSamples(t, samples(), outcomes(t, stdout, out))
}

// TestFolder has one worker for everything, so that what is spoilt comes between what is
// not.
func TestFolder(t *testing.T) {
	spawntest.Check(t)
	set := some(t, "badge.png", "cut-at-60%.gif", "cut-in-header.png", "ghost.gif", "lies-about-size.gif",
		"lies-about-size.jpg", "lies-about-size.png", "plasma.jpg", "too-large.png", "weave.jpg")
	folder := fill(t, set)
	if err := os.Mkdir(filepath.Join(folder, "folder.png"), 0o777); err != nil { // of no interest
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "new", "folder")
	for range 2 { // the second run finds the output of the first
		stdout, stderr, status := program(t, "-workers", "1", "-out", out, folder)
		if status != 0 || stderr != "" {
			t.Fatalf("got status %d, stderr %q", status, stderr)
		}
		checkSamples(t, set, outcomes(t, stdout, out))
	}
}

// TestLargest sends what only just fits into a message.
func TestLargest(t *testing.T) {
	spawntest.Check(t)
	folder, out := t.TempDir(), t.TempDir()
	want := map[string]string{"0-less": "not an image", "1-most": "not an image", "2-more": errTooLarge.Error()}
	for i, name := range []string{"0-less", "1-most", "2-more"} {
		if err := os.WriteFile(filepath.Join(folder, name), make([]byte, maxFile-1+i), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, status := program(t, "-out", out, folder)
	found := outcomes(t, stdout, out)
	for name, outcome := range want {
		if strings.TrimPrefix(found[name], "not read: ") != outcome {
			t.Errorf("%s: got %q, want %q", name, found[name], outcome)
		}
	}
	if status != 0 || stderr != "" || len(found) != len(want) {
		t.Errorf("got status %d, stderr %q, stdout\n%s", status, stderr, stdout)
	}
}

// TestLongName has a name that leaves no room for ".png" spoil nothing else.
func TestLongName(t *testing.T) {
	spawntest.Check(t)
	folder := fill(t, some(t, "badge.png", "ghost.gif"))
	if err := os.Rename(filepath.Join(folder, "badge.png"), filepath.Join(folder, strings.Repeat("x", 255))); err != nil {
		t.Skip(err)
	}
	stdout, stderr, status := program(t, "-out", t.TempDir(), folder)
	if status != 0 || stderr != "" || !strings.Contains(stdout, "its thumbnail is not written: ") || strings.Count(stdout, "ok: ") != 1 {
		t.Errorf("got status %d, stderr %q, stdout\n%s", status, stderr, stdout)
	}
}

func TestFailures(t *testing.T) {
	spawntest.Check(t)
	empty, full := t.TempDir(), fill(t, some(t, "ghost.gif"))
	for complaint, args := range map[string][]string{
		"no such file":       {filepath.Join(empty, "missing")},
		": no files in it":   {empty},
		"not a directory":    {filepath.Join(full, "ghost.gif")},
		"ghost.gif: not a d": {"-out", filepath.Join(full, "ghost.gif"), full},
	} {
		stdout, stderr, status := program(t, args...)
		if stdout != "" || status != 1 || !strings.Contains(stderr, complaint) {
			t.Errorf("%q: got status %d, stdout %q, stderr %q, want %q", args, status, stdout, stderr, complaint)
		}
	}
}

func TestUsage(t *testing.T) {
	spawntest.Check(t)
	for complaint, args := range map[string][]string{
		"-workers 0: ":           {"-workers", "0"},
		"-workers 1025: ":        {"-workers", "1025"},
		`invalid value "many"`:   {"-workers", "many"},
		"2 folders: ":            {".", "."},
		"not defined: -nonsense": {"-nonsense"},
	} {
		stdout, stderr, status := program(t, args...)
		if stdout != "" || status != 2 || !strings.Contains(stderr, complaint) || !strings.Contains(stderr, "usage: thumbnails ") {
			t.Errorf("%q: got status %d, stdout %q, stderr\n%s", args, status, stdout, stderr)
		}
	}
}
