package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
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
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

func TestMain(m *testing.M) {
	actor.Boot() // the test binary is the executable of workers too
	status := m.Run()
	if binaryDir != "" {
		os.RemoveAll(binaryDir)
	}
	os.Exit(status)
}

var binaryDir string

// binary builds the program, once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wordcount")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	path := filepath.Join(dir, "wordcount.exe")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// command prepares a run of the built program in the UTF-8 locale.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no actors on Windows yet")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	return cmd
}

// count runs the program to its end.
func count(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return finish(t, command(t, args...))
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

// totals reads the last line.
func totals(t *testing.T, stdout string) (words, files int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	last := lines[len(lines)-1]
	if _, err := fmt.Sscanf(last, "total: %d words in %d files", &words, &files); err != nil {
		t.Fatalf("last line %q: %v", last, err)
	}
	return words, files
}

// texts returns the regular files below dir that are not binary.
func texts(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.IndexByte(data[:min(len(data), binarySize)], 0) < 0 {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sum(numbers []int) (n int) {
	for _, i := range numbers {
		n += i
	}
	return n
}

func TestOutput(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	var text strings.Builder
	for i := range 30 { // "w00" and "w01" twice, "w02" and "w03" three times, …
		for range 2 + i/2 {
			fmt.Fprintf(&text, "w%02d ", i)
		}
	}
	write(t, filepath.Join(dir, "a", "one"), text.String())
	write(t, filepath.Join(dir, "a", "two"), strings.Repeat("long", 50_000)+" é\u00a0é\x1b[31m")
	write(t, filepath.Join(dir, "empty"), "")
	var want strings.Builder
	for i := 28; i >= 10; i -= 2 { // equally frequent ones in the order of their bytes
		fmt.Fprintf(&want, "%9d  w%02d\n%9d  w%02d\n", 2+i/2, i, 2+i/2, i+1)
	}
	want.WriteString("total: 273 words in 3 files\n")
	for range 3 {
		stdout, stderr, status := count(t, "-workers", "3", dir)
		if stdout != want.String() || stderr != "" || status != 0 {
			t.Errorf("got status %d, stderr %q, stdout\n%swant\n%s", status, stderr, stdout, &want)
		}
	}

	stdout, _, _ := count(t, filepath.Join(dir, "a", "two"))
	want.Reset()
	fmt.Fprintf(&want, "%9d  %s…\n%9d  é\n%9d  é?[31m\n", 1, strings.Repeat("long", maxKey/4), 1, 1)
	want.WriteString("total: 3 words in 1 files\n")
	if stdout != want.String() {
		t.Errorf("got\n%swant\n%s", stdout, &want)
	}
}

// TestGoSource counts Go's own source, as the program does without a PATH.
func TestGoSource(t *testing.T) {
	if testing.Short() {
		t.Skip("counts 150 MB")
	}
	spawntest.Check(t)
	src, err := goSource(t.Context())
	if err != nil {
		t.Skip(err)
	}
	files := texts(t, src)
	for locale := range locales {
		t.Run(locale, func(t *testing.T) {
			want := sum(wc(t, locale, files))
			cmd := command(t)
			cmd.Env = append(cmd.Env, "LC_ALL="+locale)
			stdout, stderr, status := finish(t, cmd)
			words, n := totals(t, stdout)
			if words != want || n != len(files) || status != 0 {
				t.Errorf("got %d words in %d files, status %d, want %d in %d; stderr:\n%s",
					words, n, status, want, len(files), stderr)
			}
		})
	}
}

// TestNasty counts files that are hard to read, to split and to send.
func TestNasty(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 50 {
		write(t, filepath.Join(dir, "jumbles", strconv.Itoa(i)), jumble(r, 3000))
	}
	var distinct strings.Builder // several Parts
	for i := range 10 * partWords {
		fmt.Fprintf(&distinct, "%x\n", i)
	}
	write(t, filepath.Join(dir, "distinct"), distinct.String())
	write(t, filepath.Join(dir, "one word"), strings.Repeat("word", 3*bufferSize))
	write(t, filepath.Join(dir, "late NUL"), strings.Repeat("text ", binarySize)+"\x00 a\x00b")
	write(t, filepath.Join(dir, "a\nname\xff"), "two words")
	for n := bufferSize - 2; n <= bufferSize+2; n++ { // a character across the end of the buffer
		write(t, filepath.Join(dir, "cut", strconv.Itoa(n)), strings.Repeat("x", n)+"\u3000é")
	}
	files := texts(t, dir)
	for locale := range locales {
		want := sum(wc(t, locale, files))
		cmd := command(t, dir)
		cmd.Env = append(cmd.Env, "LC_ALL="+locale)
		stdout, _, status := finish(t, cmd)
		if words, n := totals(t, stdout); words != want || n != len(files) || status != 0 {
			t.Errorf("%s: got %d words in %d files, status %d, want %d in %d", locale, words, n, status, want, len(files))
		}
	}
}

func TestNotCounted(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	good := write(t, filepath.Join(dir, "good"), "two words")
	bin := write(t, filepath.Join(dir, "bin"), "a\x00b")
	empty := filepath.Join(dir, "empty")
	folder := filepath.Join(dir, "folder")
	write(t, filepath.Join(folder, "file"), "in a folder")
	link := filepath.Join(dir, "link")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(empty, "even", "below"), 0o777),
		os.Symlink(folder, link),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		os.Symlink("nowhere", filepath.Join(folder, "dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	many := filepath.Join(dir, "many")
	for i := range namedFiles + 1 {
		write(t, filepath.Join(many, strconv.Itoa(i)), "\x00")
	}
	tests := []struct {
		name     string
		args     []string
		total    string // "" if nothing is counted
		complain []string
	}{
		{"missing", []string{dir + "/missing"}, "", []string{"missing: no such file"}},
		{"missing and good", []string{dir + "/missing", good}, "2 words in 1 files", []string{"missing: no such file"}},
		{"empty folder", []string{empty}, "", []string{empty + ": no files in it"}},
		{"empty folder and good", []string{empty, good}, "2 words in 1 files", []string{empty + ": no files in it"}},
		{"binary", []string{bin}, "", []string{bin + ": binary file"}},
		{"binary and good", []string{bin, good}, "2 words in 1 files", []string{bin + ": binary file"}},
		{"many binary", []string{many}, "", []string{"4 binary files", "-v names all"}},
		{"many binary, each", []string{"-v", many}, "", []string{"0: binary", "1: binary", "2: binary", "3: binary"}},
		{"twice", []string{good, good}, "4 words in 2 files", nil},
		{"folder by a link", []string{link}, "3 words in 1 files", []string{"dangling: symbolic link"}},
		{"loop", []string{filepath.Join(dir, "loop")}, "", []string{"loop: too many"}},
		{"device", []string{os.DevNull, good}, "2 words in 1 files", []string{os.DevNull + ": not a regular file: device"}},
		{"poison only", []string{"-poison", "go*", good}, "", []string{good + ": its worker"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := count(t, test.args...)
			for _, c := range test.complain {
				if !strings.Contains(stderr, c) {
					t.Errorf("standard error has no %q", c)
				}
			}
			if test.complain == nil && stderr != "" {
				t.Error("complaints, and no reason")
			}
			wantStatus := 0
			if test.total == "" {
				wantStatus = 1
				if stdout != "" || !strings.HasSuffix(stderr, "wordcount.exe: nothing could be counted\n") {
					t.Error("it is not said that nothing was counted")
				}
			} else if !strings.HasSuffix(stdout, "total: "+test.total+"\n") {
				t.Errorf("want total: %s", test.total)
			}
			if status != wantStatus {
				t.Errorf("got status %d, want %d", status, wantStatus)
			}
			if t.Failed() {
				t.Logf("stdout:\n%sstderr:\n%s", stdout, stderr)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	spawntest.Check(t)
	good := write(t, filepath.Join(t.TempDir(), "good"), "two words")
	check := func(t *testing.T, unreadable, complaint string) {
		t.Helper()
		stdout, stderr, status := count(t, unreadable, good)
		if words, files := totals(t, stdout); words != 2 || files != 1 || status != 0 {
			t.Errorf("got %d words in %d files, status %d", words, files, status)
		}
		if !strings.Contains(stderr, unreadable+": "+complaint) {
			t.Errorf("stderr: %s", stderr)
		}
	}
	t.Run("input/output error", func(t *testing.T) {
		const mem = "/proc/self/mem" // its first page is never there, not even for root
		if _, err := os.Stat(mem); err != nil {
			t.Skip(err)
		}
		check(t, mem, "input/output error")
	})
	t.Run("permission", func(t *testing.T) {
		secret := write(t, filepath.Join(t.TempDir(), "secret"), "not for you")
		if err := os.Chmod(secret, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := os.ReadFile(secret); err == nil {
			t.Skip("this user may read everything")
		}
		check(t, secret, "permission denied")
		stdout, _, status := count(t, secret)
		if stdout != "" || status != 1 {
			t.Errorf("alone: got %q, status %d", stdout, status)
		}
	})
}

func TestPoison(t *testing.T) {
	spawntest.Check(t)
	dir := t.TempDir()
	var poisonous []string
	var want, files int
	for i := range 60 {
		name, text := fmt.Sprintf("%02d.txt", i), strings.Repeat("word ", i)
		if i%6 == 0 {
			name = fmt.Sprintf("%02d.bad", i)
			poisonous = append(poisonous, filepath.Join(dir, name))
		} else {
			want += i
			files++
		}
		write(t, filepath.Join(dir, name), text)
	}
	for _, workers := range []string{"1", "3"} {
		stdout, stderr, status := count(t, "-workers", workers, "-poison", "*.bad", dir)
		if words, n := totals(t, stdout); words != want || n != files || status != 0 {
			t.Errorf("got %d words in %d files, status %d, want %d in %d", words, n, status, want, files)
		}
		complaint := regexp.MustCompile(`(?m)^wordcount: not counted: (.*): its worker, process \d+, died: panic: assignment to entry in nil map\n`)
		var got []string
		for _, match := range complaint.FindAllStringSubmatch(stderr, -1) {
			got = append(got, match[1])
		}
		slices.Sort(got)
		if !slices.Equal(got, poisonous) || complaint.ReplaceAllString(stderr, "") != "" {
			t.Errorf("complaints:\n%s", stderr)
		}
	}
}

func TestUsage(t *testing.T) {
	spawntest.Check(t)
	for complaint, args := range map[string][]string{
		"-workers 0: ":               {"-workers", "0"},
		"-workers -3: ":              {"-workers", "-3", "."},
		"-workers 1025: ":            {"-workers", "1025"},
		`invalid value "many"`:       {"-workers", "many", "."},
		`-poison "a[": syntax error`: {"-poison", "a[", "."},
		"not defined: -nonsense":     {"-nonsense"},
	} {
		stdout, stderr, status := count(t, args...)
		if stdout != "" || status != 2 || !strings.Contains(stderr, complaint) || !strings.Contains(stderr, "usage: wordcount ") {
			t.Errorf("%q: got status %d, stdout %q, stderr\n%s", args, status, stdout, stderr)
		}
	}
}

// TestParts counts one text in Parts by several workers.
func TestParts(t *testing.T) {
	spawntest.Check(t)
	ctx, pool := newPool(t, 3)
	var distinct strings.Builder
	for i := range 5 * partWords {
		fmt.Fprintf(&distinct, "%x\u3000", i) // spaces of three bytes, so that many are cut
	}
	path := write(t, filepath.Join(t.TempDir(), "distinct"), distinct.String())
	parts, err := countFile(ctx, pool, path)
	if err != nil || len(parts) < 5 {
		t.Fatalf("got %d Parts, %v", len(parts), err)
	}
	counts := make(map[string]int)
	for _, part := range parts {
		for i, word := range part.Tally.Words {
			counts[word] += part.Tally.Counts[i]
		}
	}
	for i := range 5 * partWords {
		if n := counts[fmt.Sprintf("%x", i)]; n != 1 {
			t.Fatalf("%x: counted %d times", i, n)
		}
	}
	if len(counts) != 5*partWords {
		t.Errorf("%d words, want %d", len(counts), 5*partWords)
	}
}

// TestWorkerDiesBetweenFiles kills a worker that is on no file: none is to blame,
// and all are counted.
func TestWorkerDiesBetweenFiles(t *testing.T) {
	spawntest.Check(t)
	ctx, pool := newPool(t, 1)
	path := write(t, filepath.Join(t.TempDir(), "file"), "two words")
	for range 5 {
		parts, err := countFile(ctx, pool, path)
		if err != nil || len(parts) != 1 || parts[0].Words != 2 {
			t.Fatalf("got %+v, %v", parts, err)
		}
		children, err := pool.Children(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for worker := range children {
			if p, err := os.FindProcess(worker.Pid); err != nil || p.Kill() != nil {
				t.Fatalf("worker %d: %v", worker.Pid, err)
			}
		}
	}
}

// TestOnePoison has one worker die while many files wait for it.
func TestOnePoison(t *testing.T) {
	spawntest.Check(t)
	ctx, pool := newPool(t, 1)
	dir := t.TempDir()
	const n = 100
	type outcome struct {
		parts []Part
		err   error
	}
	outcomes := make([]outcome, n)
	var askers sync.WaitGroup
	for i := range n {
		name := "good"
		if i%10 == 0 {
			name = "bad"
		}
		path := write(t, filepath.Join(dir, strconv.Itoa(i), name), "two words")
		askers.Go(func() { outcomes[i].parts, outcomes[i].err = countFile(ctx, pool, path) })
	}
	askers.Wait()
	for i, o := range outcomes {
		down, died := errors.AsType[*actor.DownError](o.err)
		switch {
		case i%10 != 0 && (o.err != nil || len(o.parts) != 1 || o.parts[0].Words != 2):
			t.Errorf("good file %d: got %+v, %v", i, o.parts, o.err)
		case i%10 == 0 && (!died || down.Down.Ref == pool):
			t.Errorf("bad file %d: got %+v, %v", i, o.parts, o.err)
		}
	}
}

// TestNoWorker has the pool end, as it does when no worker can be started.
func TestNoWorker(t *testing.T) {
	spawntest.Check(t)
	ctx, pool := newPool(t, 2)
	path := write(t, filepath.Join(t.TempDir(), "file"), "two words")
	if err := pool.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	files, results := make(chan string, 1), make(chan result, 1)
	files <- path
	if err := countAll(ctx, pool, files, results); err == nil || len(results) > 0 {
		t.Errorf("got %v and %d results", err, len(results))
	}
}

// newPool starts workers to whom files named bad are poison.
func newPool(t *testing.T, n int) (context.Context, actor.Ref) {
	t.Helper()
	sys, err := actor.NewSystem(actor.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(func() {
		cancel()
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	pool, err := sys.Spawn(ctx, workers(n, Config{UTF8: true, Poison: "bad"}))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx, pool
}
