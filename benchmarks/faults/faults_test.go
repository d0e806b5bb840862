package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// notYet is what actors of this project cannot contain, and what comes of it.
var notYet = map[string]string{}

// TestRun provokes every fault in every system. All are observed, ours contains them, and nothing stays.
func TestRun(t *testing.T) {
	spawntest.Check(t)
	file := filepath.Join(t.TempDir(), "outcomes.json")
	var out bytes.Buffer
	if err := run(t.Context(), "", file, &out); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var results []result
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&results); err != nil {
		t.Fatal(err)
	}
	outcomes := map[[2]string]string{}
	for _, r := range results {
		outcomes[[2]string{r.Fault, r.System}] = r.Outcome
	}
	if got, want := len(results), len(fault.All)*len(systems); got != want || len(outcomes) != want {
		t.Errorf("got %d results, %d of them different; want %d", got, len(outcomes), want)
	}
	for _, f := range fault.All {
		if !strings.Contains(out.String(), "| "+f.Name+" | ") {
			t.Errorf("%s: not in the table", f.Name)
		}
		for _, s := range systems {
			got := outcomes[[2]string{f.Name, s.name}]
			if got == "" || strings.HasPrefix(got, "not ") || strings.Contains(got, "not of this") {
				t.Errorf("%s, %s: got %q, which says nothing of the fault", f.Name, s.name, got)
			}
			want := contained
			if other, ok := notYet[f.ID]; ok {
				want = other
			}
			if s.name == ours && got != want && got != "no C compiler" && got != "cannot be measured without /proc" {
				t.Errorf("%s: got %q, want %q", f.Name, got, want)
			}
		}
	}
}

// TestWithoutCompiler: a C compiler that does not work costs one row, and not the rest.
func TestWithoutCompiler(t *testing.T) {
	spawntest.Check(t)
	t.Setenv("CC", filepath.Join(t.TempDir(), "no-compiler"))
	programs, cleanUp, err := build(t.Context(), systems[:1])
	if err != nil {
		t.Fatal(err)
	}
	defer cleanUp()
	for id, want := range map[string]string{fault.Segfault: "no C compiler", fault.Panic: contained} {
		f := fault.All[slices.Index(ids(), id)]
		if got := judge(f, programs[0].provoke(t.Context(), f)); got != want {
			t.Errorf("%s: got %q, want %q", f.Name, got, want)
		}
	}
}

func TestUnknownFault(t *testing.T) {
	if err := run(t.Context(), "no such fault", "", new(bytes.Buffer)); err == nil {
		t.Error("got no error")
	}
}

// TestJudge holds the judge to its rules.
func TestJudge(t *testing.T) {
	exit2 := errors.New("exit status 2")
	ready := fault.Facts{Ready: true}
	// done has the facts of a program that has lived.
	done := func(f fault.Facts) observation {
		f.Ready, f.Done = true, true
		return observation{Facts: f}
	}
	for _, test := range []struct {
		fault string
		observation
		want string
	}{
		{fault.Panic, done(fault.Facts{Bystander: true, Victim: fault.Replaced, Sent: 10, Arrived: 10}), contained},
		{fault.Panic, done(fault.Facts{Bystander: true, Victim: fault.Replaced, Sent: 10, Arrived: 9}), "restarted, lost 1 of 10 in its mailbox"},
		{fault.Panic, done(fault.Facts{Bystander: true, Victim: fault.Same, Sent: 10, Arrived: 10}), "goes on with the same state"},
		{fault.Panic, done(fault.Facts{Bystander: true, Victim: fault.Gone, Sent: 10}), "contained, no restart"},
		{fault.Panic, done(fault.Facts{Bystander: true, Sent: 10}), "the victim hangs"},
		{fault.Panic, done(fault.Facts{Victim: fault.Replaced, Sent: 10, Arrived: 10}), "the others hang"},
		{fault.Panic, observation{Facts: ready, exit: exit2, stderr: "panic: on purpose\n\ngoroutine 7"}, programDied},
		{fault.Panic, observation{Facts: ready, exit: exit2, stderr: "panic: by accident\n\ngoroutine 7"}, "program died, not of this: panic: by accident"},
		{fault.Panic, observation{Facts: ready, exit: errors.New("signal: killed"), late: true}, "program hangs"},
		{fault.Panic, observation{exit: exit2, stderr: "panic: on purpose"}, "not started"},
		{fault.Panic, observation{Facts: fault.Facts{Error: "no\nroute"}}, "not observed: no"},
		{fault.Panic, observation{built: exit2}, "not built"},
		{fault.Exit, observation{Facts: ready, exit: errors.New("exit status 3")}, programDied},
		{fault.Exit, observation{Facts: ready, exit: exit2}, "program died, not of this: "},
		{fault.Blocked, observation{Facts: ready, exit: exit2}, "program died, not of this: "},
		{fault.Segfault, observation{Facts: fault.Facts{Without: "no C compiler", Done: true}}, "no C compiler"},
		{fault.Spin, done(fault.Facts{Bystander: true, Stopped: true}), contained},
		{fault.Spin, done(fault.Facts{Bystander: true, Stopped: true, Burning: true}), runsOn},
		{fault.Spin, done(fault.Facts{Bystander: true, Burning: true}), runsOn},
		{fault.Spin, done(fault.Facts{Bystander: true}), "ends, but the stop hangs"},
		{fault.Spin, done(fault.Facts{Stopped: true}), "the others hang"},
		{fault.Blocked, done(fault.Facts{Bystander: true}), contained},
		{fault.Blocked, done(fault.Facts{}), "times out"},
		{fault.Burst, done(fault.Facts{Sent: 500, Arrived: 500}), contained},
		{fault.Burst, done(fault.Facts{Sent: 500, Arrived: 2}), "lost 498 of 500"},
		{fault.Order, done(fault.Facts{Rounds: 200, InOrder: 200}), contained},
		{fault.Order, done(fault.Facts{Rounds: 200, InOrder: 1}), "overtakes in 199 of 200 rounds"},
		{fault.Memory, done(fault.Facts{Bystander: true, Victim: fault.Same, Sent: 10, Arrived: 10}), "no limit"},
		{fault.Memory, done(fault.Facts{Bystander: true, Victim: fault.Replaced, Sent: 10, Arrived: 10}), contained},
	} {
		f := fault.All[slices.Index(ids(), test.fault)]
		if got := judge(f, test.observation); got != test.want {
			t.Errorf("%s, %+v: got %q, want %q", test.fault, test.observation, got, test.want)
		}
	}
}

// TestFacts: parts are put together, and chatter is ignored.
func TestFacts(t *testing.T) {
	got := facts([]byte("hello\n{\"ready\":true,\"sent\":10}\n{chatter}\n{\"victim\":\"gone\"}\n{\"done\":tr"))
	want := fault.Facts{Ready: true, Sent: 10, Victim: fault.Gone}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	printTable(&out, []result{{"a", "x", contained}, {"a", "y", runsOn}, {"b", "x", "1 | 2"}, {"b", "y", programDied}})
	want := "| what the actor does | x | y |\n|---|---|---|\n| a | contained | runs on |\n| b | 1 \\| 2 | program died |\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
