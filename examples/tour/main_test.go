package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

func TestMain(m *testing.M) {
	actor.Boot() // the test binary is the executable of actors too
	os.Exit(m.Run())
}

// perform plays scenes in a System of its own. It returns what was printed, and
// the tree at the end.
func perform(t *testing.T, plan []scene) (output string, tree map[string]actor.ChildInfo) {
	t.Helper()
	sys, err := actor.NewSystem(actor.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var out bytes.Buffer
	s, err := open(ctx, sys, &out)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.play(ctx, plan); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	twigs, err := s.tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tree = make(map[string]actor.ChildInfo)
	for t := range all(twigs) {
		tree[t.name] = t.info
	}
	return out.String(), tree
}

// An occurrence is one printed event.
type occurrence struct{ kind, who, detail string }

func (o occurrence) String() string { return strings.TrimSuffix(o.kind+" "+o.who+": "+o.detail, ": ") }

var line = regexp.MustCompile(`(?m)^ *[\d.]+ ms  (\S(?:.{10}))  (\S+)(?: +#\d+ pid \d+)?(?: +(.*))?$`)

// occurrences reads the events of one scene.
func occurrences(output, scene string) (all []occurrence) {
	_, output, _ = strings.Cut(output, "\n── "+scene+" ──")
	output, _, _ = strings.Cut(output, "\n── ")
	for _, m := range line.FindAllStringSubmatch(output, -1) {
		all = append(all, occurrence{strings.TrimSpace(m[1]), m[2], m[3]})
	}
	return all
}

// deaths is how those who are killed in a scene end.
var deaths = map[string][]string{
	"panic":     {"ann: panic: on purpose"},
	"goroutine": {"ann: panic: in a goroutine"},
	"nilmap":    {"ann: panic: assignment to entry in nil map"},
	"overflow":  {"ann: panic: fatal error: stack overflow"},
	"exit":      {"ann: exited with status 3"},
	"exit0":     {"ann: exited with status 0, without a goodbye"},
	"goexit":    {"ann: panic: the actor called runtime.Goexit"},
	"error":     {"ann: failed: disk full"},
	"sigkill":   {"ann: signal: killed"},
	"sigsegv":   {"ann: signal: segmentation fault"},
	"signal":    {"ann: failed: enough"},
	"link":      {"bob: panic: on purpose", "ann: panic: on purpose"},
	"parent":    {"mia: panic: on purpose", "max: shutdown", "moe: shutdown"},
	"start":     {"eve: panic: on purpose", "eve: start function failed: the database is down", "eve: start function failed: the database is down"},
	"hang":      {"bob: killed: it did not stop within 100ms"},
	"deaf":      {"bob: killed: it did not stop within 100ms"},
	"stop":      {"ann: normal", "pat: normal"},
	"shutdown":  {"pat: shutdown: closing time"},
	"temporary": {"tim: panic: on purpose"},
	"fatal":     {"gus: exited with status 64"},
	"poison":    {"kit: panic: on purpose", "kit: panic: on purpose"},
	"mailbox":   {"ann: panic: on purpose"},
	"all":       {"un: panic: on purpose", "trois: shutdown", "deux: shutdown"},
	"rest":      {"second: panic: on purpose", "third: shutdown"},
	"byhand":    {"trois: shutdown", "deux: panic: on purpose", "un: shutdown"},
	"dynamic":   {"x1: panic: on purpose", "x2: normal", "x3: shutdown"},
	"pool":      {"pool/3: panic: on purpose"},
	"escalate": {"cup: panic: on purpose", "cup: exited with status 3", "jug: shutdown",
		"fragile: shutdown: too many restarts…"},
	"auto":   {"boss: normal", "clerk: shutdown", "job: shutdown"},
	"manage": {"quatre: shutdown", "quatre: shutdown"},
	"kill":   {"first: killed: Kill was called", "second: killed: Kill was called", "third: killed: Kill was called", "chain: killed: with all that was under it"},
}

// letters is who gets a message that comes to nothing, in each scene.
var letters = map[string][]string{
	"panic": {"ann"}, "goroutine": {"ann"}, "nilmap": {"ann"}, "overflow": {"ann"},
	"exit": {"ann"}, "exit0": {"ann"}, "goexit": {"ann"}, "link": {"bob"}, "parent": {"mia"}, "start": {"eve"},
	"hang": {"bob"}, "deaf": {"bob"}, "temporary": {"tim"}, "fatal": {"gus"}, "mailbox": {"ann"},
	"all": {"un"}, "rest": {"second"}, "byhand": {"deux"}, "dynamic": {"x1"}, "pool": {"pool/3"}, "escalate": {"cup", "cup"},
}

// orders are scenes in which one thing follows the other: OTP's rules.
var orders = map[string][]string{
	"start": {"exited eve", "restarting eve", "started eve", "exited eve", "restarting eve", "started eve",
		"exited eve", "restarting eve", "started eve", "ready eve"},
	"all": {"exited un", "restarting un", "exited trois", "exited deux",
		"started un", "ready un", "started deux", "ready deux", "started trois", "ready trois"},
	"rest": {"exited second", "restarting second", "exited third",
		"started second", "ready second", "started third", "ready third"},
	"byhand": {"exited trois", "exited deux", "restarting deux", "exited un",
		"started un", "ready un", "started deux", "ready deux", "started trois", "ready trois"},
	"escalate": {"exited cup", "restarting cup", "started cup", "ready cup",
		"exited cup", "gave up fragile", "exited jug", "exited fragile", "restarting fragile",
		"started cup", "ready cup", "started jug", "ready jug", "ready fragile"},
	"auto": {"exited boss", "exited clerk", "exited job"},
}

func checkScene(t *testing.T, output, name string) {
	t.Helper()
	var died, order, dead []string
	for _, o := range occurrences(output, name) {
		switch o.kind {
		case "exited":
			died = append(died, o.who+": "+o.detail)
		case "dead letter":
			dead = append(dead, o.who+": "+o.detail)
		}
		if o.kind != "dead letter" {
			order = append(order, o.kind+" "+o.who)
		}
	}
	if want := deaths[name]; !slices.EqualFunc(sorted(want), sorted(died), matches) {
		t.Errorf("scene %s: ended %q, want %q", name, died, want)
	}
	if want := orders[name]; want != nil && !slices.Equal(order, want) {
		t.Errorf("scene %s: in the order\n%q, want\n%q", name, order, want)
	}
	var wantDead []string
	for _, who := range letters[name] {
		wantDead = append(wantDead, who+": Die, which was in progress")
	}
	if name == "poison" {
		wantDead = []string{"kit: Die, which ended 2 processes"}
	}
	if !slices.Equal(dead, wantDead) {
		t.Errorf("scene %s: dead letters %q, want %q", name, dead, wantDead)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// TestTour plays all scenes, one after the other on the same tree.
func TestTour(t *testing.T) {
	spawntest.Check(t)
	output, tree := perform(t, scenes)
	for _, sc := range scenes {
		if deaths[sc.name] == nil {
			t.Errorf("nothing is expected of scene %s", sc.name)
		}
		checkScene(t, output, sc.name)
	}
	checkTree(t, tree)
	if t.Failed() {
		t.Log(output)
	}
}

// checkTree looks at the tree after the whole tour.
func checkTree(t *testing.T, tree map[string]actor.ChildInfo) {
	t.Helper()
	want := map[string]string{ // state, restarts, and why the last process ended
		"tour":     "running 0",
		"single":   "running 0",
		"ann":      "running 13 panic: on purpose",
		"bob":      "running 1 killed: it did not stop within 100ms",
		"eve":      "running 3 start function failed: the database is down",
		"gus":      "running 0 exited with status 64",
		"kit":      "running 2 panic: on purpose",
		"mia":      "running 1 panic: on purpose",
		"max":      "running 0",
		"moe":      "running 0",
		"pat":      "running 2 shutdown: closing time",
		"together": "running 0",
		"un":       "running 1 shutdown",
		"deux":     "running 1 panic: on purpose",
		"trois":    "running 0 shutdown",
		"chain":    "stopped 0 killed: with all that was under it",
		"first":    "stopped 0 killed: Kill was called",
		"second":   "stopped 1 killed: Kill was called",
		"third":    "stopped 0 killed: Kill was called",
		"crowd":    "running 0",
		"x1":       "running 1 panic: on purpose",
		"x4":       "running 0",
		"pool":     "running 0",
		"pool/1":   "running 0",
		"pool/2":   "running 0",
		"pool/3":   "running 1 panic: on purpose",
		"fragile":  "running 1 shutdown: too many restarts…",
		"cup":      "running 1 exited with status 3",
		"jug":      "running 0 shutdown",
		"job":      "stopped 0 shutdown",
		"clerk":    "stopped 0 shutdown",
		"boss":     "stopped 0 normal",
	}
	for name, info := range tree {
		got := fmt.Sprintf("%v %d", info.State, info.Restarts)
		if info.Last != nil {
			got += " " + info.Last.Error()
		}
		if !matches(want[name], got) {
			t.Errorf("%s: got %q, want %q", name, got, want[name])
		}
		if hasPid := info.Pid != 0; hasPid != (!info.Supervisor && info.State == actor.Running) {
			t.Errorf("%s, %v, has the process %d", name, info.State, info.Pid)
		}
	}
	for name := range want {
		if _, ok := tree[name]; !ok {
			t.Errorf("%s is not in the tree", name)
		}
	}
	if single := tree["single"]; single.Recent < 20 || single.Limit != plenty {
		t.Errorf("single has %d/%d restarts", single.Recent, single.Limit)
	}
}

// TestEach plays each scene alone.
func TestEach(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a tree for each scene")
	}
	spawntest.Check(t)
	for _, sc := range scenes {
		output, _ := perform(t, []scene{sc})
		checkScene(t, output, sc.name)
	}
}

// TestDrawing looks at the lines and columns of a tree.
func TestDrawing(t *testing.T) {
	spawntest.Check(t)
	output, _ := perform(t, scenes[:1])
	for _, want := range []string{
		`(?m)^  name +type +state +pid +process +restarts +the last ended by$`,
		`(?m)^  tour +one-for-one +running +0/100$`,
		`(?m)^  ├─ single +one-for-one +running +1/100$`,
		`(?m)^  │  ├─ ann +mortal +running +\d+ +#2 +1 +panic: on purpose$`,
		`(?m)^  │  ├─ gus +guest +running +\d+ +#1 +0$`,
		`(?m)^  │  │  └─ moe +mortal +running +\d+ +#1 +0/3$`,
		`(?m)^  ├─ crowd +dynamic +running +0/100$`,
		`(?m)^  │  └─ pool/3 +mortal +running +\d+ +#1 +0$`,
		`(?m)^     └─ boss +mortal +running +\d+ +#1 +0$`,
		`(?m)^  │  └─ … 7 as before$`,
		`(?m)^  └─ … 6 as before$`,
	} {
		if !regexp.MustCompile(want).MatchString(output) {
			t.Errorf("no line is like %s", want)
		}
	}
	if t.Failed() {
		t.Log(output)
	}
}

// TestCommand runs the program as a user would.
func TestCommand(t *testing.T) {
	spawntest.Check(t)
	path := filepath.Join(t.TempDir(), "tour.exe")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, test := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-only", "rest"}, 0, "ready        second"},
		{[]string{"-only", "nonsense"}, 2, "play only the scene of that name"},
		{[]string{"panic"}, 2, "wrong arguments"},
	} {
		if test.status == 0 && !spawnable(t) {
			continue
		}
		cmd := exec.Command(path, test.args...)
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != test.status || !strings.Contains(string(out), test.says) {
			t.Errorf("%q: status %d, %v, want %d and %q; output:\n%s", test.args, got, err, test.status, test.says, out)
		}
	}
}

// spawnable reports whether there are actors on this platform.
func spawnable(t *testing.T) bool {
	t.Helper()
	sys, err := actor.NewSystem(actor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(context.Background())
	_, err = sys.Spawn(t.Context(), mortal)
	return !errors.Is(err, errors.ErrUnsupported)
}

// TestExpect is for what an expectation is worth: one that does not come true is
// an error that says so.
func TestExpect(t *testing.T) {
	if !matches("exited ann: shut…", "exited ann: shutdown: x") || matches("exited ann", "exited anna") {
		t.Error("matches is wrong")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough waited"))
	s := &stage{events: &actor.Subscription[actor.Event]{}}
	err := s.expect(ctx, "ready nobody")
	if err == nil || !strings.Contains(err.Error(), "enough waited") || !strings.Contains(err.Error(), "ready nobody") {
		t.Errorf("got %v", err)
	}
}
