package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// figures reads a report.
func figures(report string) map[string]string {
	line := regexp.MustCompile(`(?m)^  (\S.*?)  +(\S.*)$`)
	found := map[string]string{}
	for _, match := range line.FindAllStringSubmatch(report, -1) {
		found[match[1]] = match[2]
	}
	return found
}

// zeroes are the figures that have to be 0.
var zeroes = []string{
	"lost", "duplicates", "order violations", "dead letters beyond the backlog's limit", "other contradictions in the books",
	"wrong answers and Downs seen by actors", "zombies", "orphans", "processes left after Close",
}

// TestChaos is the short form: it ends after a number of faults.
func TestChaos(t *testing.T) {
	spawntest.Check(t)
	stdout, stderr, status := finish(t, command(t, "program", "-actors", "40", "-faults", "30", "-every", "20ms", "-rate", "500"))
	got := figures(stdout)
	for _, name := range zeroes {
		if got[name] != "0" {
			t.Errorf("%s: got %q, want 0", name, got[name])
		}
	}
	number := func(name string, least int) {
		if n, err := strconv.Atoi(got[name]); err != nil || n < least {
			t.Errorf("%s: got %q, want at least %d", name, got[name], least)
		}
	}
	number("in all", 30) // faults
	number("ended, before the end", 5)
	number("sent in all", 200)
	number("received", 200)
	number("pauses", 2)
	for _, name := range []string{"dead letters: suspects, of which received", "descriptors", "goroutines", "RSS of the program", "growth of memory"} {
		if got[name] == "" {
			t.Errorf("the report has no %q", name)
		}
	}
	if status != 0 || !strings.Contains(stdout, "\nfailed checks: 0\n") {
		t.Errorf("got status %d:\n%s%s", status, stdout, stderr)
	}
}

// TestChaosNotices forges a receipt in the journal of a run, and lets a process pass for an
// orphan of it.
func TestChaosNotices(t *testing.T) {
	spawntest.Check(t)
	const mark = "of a test"
	cmd := command(t, "program", "-actors", "40", "-every", "1h", "-rate", "100")
	cmd.Env = append(cmd.Env, markVariable+"="+mark)
	var report strings.Builder
	cmd.Stdout = &report
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stray := exec.CommandContext(t.Context(), "sleep", "1000")
	stray.Env = append(os.Environ(), markVariable+"="+mark)
	if err := stray.Start(); err != nil {
		t.Fatal(err)
	}
	forge(t, cmd.Env)
	missing := []string{"was received twice", "is an orphan: its parent is " + strconv.Itoa(os.Getpid())}
	for lines := bufio.NewScanner(stderr); len(missing) > 0 && lines.Scan(); {
		for i, text := range missing {
			if strings.Contains(lines.Text(), text) {
				missing = append(missing[:i:i], missing[i+1:]...)
				break
			}
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	io.Copy(io.Discard, stderr)
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	stray.Wait() // the program ends what it takes for its orphans
	got := figures(report.String())
	if len(missing) > 0 || got["duplicates"] != "1" || got["orphans"] != "1" {
		t.Errorf("nobody said %q: %s", missing, report.String())
	}
}

// forge waits for a receipt of a message of the program, and appends it once more.
func forge(t *testing.T, env []string) {
	t.Helper()
	var dir string
	for _, v := range env {
		if path, ok := strings.CutPrefix(v, "TMPDIR="); ok {
			dir = path // the last one counts
		}
	}
	for t.Context().Err() == nil {
		paths, _ := filepath.Glob(filepath.Join(dir, "chaos*", "journal"))
		for _, path := range paths {
			f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, recordSize)
			for at := int64(0); ; at += recordSize {
				if _, err := f.ReadAt(b, at); err != nil {
					break // to its end
				}
				if r, err := parseRecord(b); err == nil && r.Kind == received && r.From == 0 {
					if _, err := f.Write(b); err != nil {
						t.Fatal(err)
					}
					f.Close()
					return
				}
			}
			f.Close()
		}
		time.Sleep(10 * time.Millisecond) // look again
	}
}

func TestNode(t *testing.T) {
	spawntest.Check(t)
	stdout, stderr, status := finish(t, command(t, "program", "-node", "-times", "4", "-actors", "40", "-every", "20ms"))
	if late := figures(stdout)["later than 2s, or left"]; status != 0 || late != "0" {
		t.Errorf("got status %d, late %q:\n%s%s", status, late, stdout, stderr)
	}
}

func init() {
	roles["kill what leaves a process"] = killLeaver
	roles["leave a process"] = leave
}

// TestNodeNotices kills a program that leaves a process.
func TestNodeNotices(t *testing.T) {
	spawntest.Check(t)
	stdout, stderr, status := finish(t, command(t, "kill what leaves a process"))
	if status != 0 || !regexp.MustCompile(`^left: \[\d+ \(sleep\)\]\n$`).MatchString(stdout) {
		t.Errorf("got status %d, %q, %q", status, stdout, stderr)
	}
}

func killLeaver() {
	os.Setenv(roleVariable, "leave a process")
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	check(subreaper())
	p, err := startProgram(options{actors: minActors, rate: 1}, 0, os.TempDir())
	check(err)
	_, err = p.out.Read(make([]byte, 1)) // it has one now
	check(err)
	v, err := p.kill(time.Second)
	check(err)
	_, err = os.Stdout.WriteString("left: [" + strings.Join(v.left, " ") + "]\n")
	check(err)
	_, err = collect(0, time.Now().Add(time.Minute)) // it has been killed
	check(err)
}

func leave() {
	sleep := exec.Command("sleep", "1000")
	sleep.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := sleep.Start(); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("planted\n")
	time.Sleep(time.Hour) // it is killed
}
