//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

type (
	// Say is printed as it is, so many times (zero means once).
	Say struct {
		Out, Err string
		Times    int
	}
	// Record logs one record of every kind, and answers which levels are wanted.
	Record struct{ Message string }
)

func (r *rig) Say(c *actor.Context, m Say) (string, error) {
	for range max(1, m.Times) {
		if _, err := os.Stdout.WriteString(m.Out); err != nil {
			return "", err
		}
		if _, err := os.Stderr.WriteString(m.Err); err != nil {
			return "", err
		}
	}
	return "said", nil
}

// secret is a value with a text of its own for logs.
type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("***") }

var logTime = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)

func (r *rig) Record(c *actor.Context, m Record) ([]bool, error) {
	l := c.Logger()
	l.With("a", 1).WithGroup("g").With("b", "two").WithGroup("h").WithGroup("empty").Log(c, slog.LevelError+1, m.Message)
	l.WithGroup("g").With("b", "two").WithGroup("h").Warn(m.Message+" kinds",
		"int", -5, "uint", uint64(1<<63), "float", 0.5, "bool", true, "duration", 90*time.Second, "time", logTime,
		"error", errProbe, "secret", secret("x"), "bytes", []byte("raw"), "struct", struct{ X int }{7}, "nil", nil,
		slog.Group("inner", "c", 3, slog.Group("innermost", "d", 4)), slog.Group("", "inlined", 5))
	l.Debug(m.Message + " debug")
	l.Info(m.Message + " last")
	return []bool{l.Enabled(c, slog.LevelDebug), l.Enabled(c, slog.LevelInfo), l.Enabled(c, slog.LevelError)}, nil
}

// recorder is a slog.Handler whose records a test waits for.
type recorder struct {
	level   slog.Level
	block   chan struct{} // Handle waits until it is closed; nil means never
	records chan slog.Record

	once    sync.Once
	blocked chan struct{} // closed when Handle waits
}

func newRecorder() *recorder {
	return &recorder{records: make(chan slog.Record, 1<<16), blocked: make(chan struct{})}
}

func (r *recorder) Enabled(_ context.Context, level slog.Level) bool { return level >= r.level }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	if r.block != nil {
		r.once.Do(func() { close(r.blocked) })
		<-r.block
	}
	select {
	case r.records <- record:
	default:
	}
	return nil
}

func (r *recorder) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r *recorder) WithGroup(string) slog.Handler      { return r }

// next waits for the next record.
func (r *recorder) next(t testing.TB) (slog.Record, map[string]string) {
	t.Helper()
	record := within(t, r.records)
	attrs := map[string]string{}
	record.Attrs(func(a slog.Attr) bool {
		flatten(attrs, "", a)
		return true
	})
	return record, attrs
}

func flatten(into map[string]string, prefix string, a slog.Attr) {
	if a.Value.Kind() != slog.KindGroup {
		into[prefix+a.Key] = fmt.Sprint(a.Value.Kind(), " ", a.Value)
		return
	}
	for _, inner := range a.Value.Group() {
		flatten(into, prefix+a.Key+".", inner)
	}
}

func newLogged(t testing.TB, r *recorder) *actor.System {
	t.Helper()
	return actortest.New(t, actor.Options{Logger: slog.New(r)})
}

// What an actor prints arrives line by line, with whose it was.
func TestPrintedLines(t *testing.T) {
	r := newRecorder()
	sys := newLogged(t, r)
	ref, err := sys.Spawn(t.Context(), rigger.With(rigArg{}).Named("printer"))
	if err != nil {
		t.Fatal(err)
	}
	identity := map[string]string{
		"actor": "String rig", "name": "String printer", "incarnation": "Uint64 1", "pid": fmt.Sprint("Int64 ", pidOf(t, ref)),
	}
	var junk []byte
	for c := range 256 {
		if c != '\n' && c != '\r' {
			junk = append(junk, byte(c))
		}
	}
	long := strings.Repeat("0123456789abcdef", 100<<10/16)
	for _, test := range []struct {
		name, printed string
		lines         []string
	}{
		{"lines", "one\ntwo\n", []string{"one", "two"}},
		{"empty lines", "\n\nthree\n", []string{"", "", "three"}},
		{"carriage return", "four\r\n", []string{"four"}},
		{"binary", string(junk) + "\n", []string{string(junk)}},
		{"long", long + "\nafter\n", append(pieces(long, 16<<10), "after")},
	} {
		for _, stream := range []string{"stdout", "stderr"} {
			t.Run(test.name+" to "+stream, func(t *testing.T) {
				say, level := Say{Out: test.printed}, slog.LevelInfo
				if stream == "stderr" {
					say, level = Say{Err: test.printed}, slog.LevelWarn
				}
				ask[string](t, ref, say)
				want := maps.Clone(identity)
				want["stream"] = "String " + stream
				for i, line := range test.lines {
					record, attrs := r.next(t)
					if record.Message != line || record.Level != level || !maps.Equal(attrs, want) {
						t.Errorf("line %d: got %.50q at %v with %v, want %.50q at %v with %v",
							i, record.Message, record.Level, attrs, line, level, want)
					}
				}
			})
		}
	}
	// The last line need not end, nor the actor in order.
	ask[string](t, ref, Say{Out: "the end"})
	m := sys.Monitor(ref)
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if record, _ := r.next(t); record.Message != "the end" {
		t.Errorf("got %q", record.Message)
	}
	if d := ended(t, m); len(d.Log) == 0 || d.Log[len(d.Log)-1] != "the end" {
		t.Errorf("the Down has the lines %.200q", d.Log)
	}
}

// pieces cuts s into so many bytes each.
func pieces(s string, size int) (out []string) {
	for ; len(s) > size; s = s[size:] {
		out = append(out, s[:size])
	}
	return append(out, s)
}

// A logger that hangs blocks neither the actor nor the node; what does not fit
// is counted.
func TestFloodOfOutput(t *testing.T) {
	r := newRecorder()
	r.block = make(chan struct{})
	sys := newLogged(t, r)
	unblock := sync.OnceFunc(func() { close(r.block) })
	defer unblock()
	flooding, other := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	line := strings.Repeat("x", 1023) + "\n"
	for range 10 {
		ask[string](t, flooding, Say{Out: line, Err: line, Times: 1000})
		ask[string](t, other, Echo{"not blocked"})
	}
	within(t, r.blocked)
	for range 5000 {
		tell(t, flooding, Record{strings.Repeat("y", 1000)})
	}
	ask[string](t, flooding, Echo{"not blocked"})
	eventually(t, "something is dropped and counted", func() bool { return sys.Stats().LogsDropped > 0 })
	m := sys.Monitor(other)
	if err := other.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if d := ended(t, m); d.Reason != (actor.Shutdown{}) {
		t.Errorf("got %v", d.Reason)
	}
	unblock()
	for {
		record, attrs := r.next(t)
		if strings.HasPrefix(record.Message, "log records dropped") {
			if record.Level != slog.LevelWarn || attrs["count"] == "Uint64 0" {
				t.Errorf("got %v %v", record.Level, attrs)
			}
			break
		}
	}
}

// Context.Logger's records arrive as slog's own handlers would see them.
func TestContextLogger(t *testing.T) {
	r := newRecorder()
	sys := newLogged(t, r)
	ref := spawnRig(t, sys, rigArg{})
	if got := fmt.Sprint(ask[[]bool](t, ref, Record{"hello"})); got != "[false true true]" {
		t.Errorf("enabled levels %v", got)
	}
	record, attrs := r.next(t)
	want := map[string]string{
		"actor": "String rig", "incarnation": "Uint64 1", "pid": attrs["pid"],
		"a": "Int64 1", "g.b": "String two",
	}
	if record.Message != "hello" || record.Level != slog.LevelError+1 || !maps.Equal(attrs, want) {
		t.Errorf("got %q at %v with %v, want %v", record.Message, record.Level, attrs, want)
	}
	if age := time.Since(record.Time); age < 0 || age > time.Hour {
		t.Errorf("it was logged at %v", record.Time)
	}
	record, attrs = r.next(t)
	want = map[string]string{
		"actor": "String rig", "incarnation": "Uint64 1", "pid": attrs["pid"],
		"g.b": "String two", "g.h.int": "Int64 -5", "g.h.uint": "Uint64 9223372036854775808", "g.h.float": "Float64 0.5",
		"g.h.bool": "Bool true", "g.h.duration": "String 1m30s", "g.h.time": "Time " + attrs["g.h.time"][len("Time "):],
		"g.h.error": "String probe refused", "g.h.secret": "String ***", "g.h.bytes": "String raw", "g.h.struct": "String {X:7}",
		"g.h.nil": "String <nil>", "g.h.inner.c": "Int64 3", "g.h.inner.innermost.d": "Int64 4", "g.h.inlined": "Int64 5",
	}
	if record.Message != "hello kinds" || record.Level != slog.LevelWarn || !maps.Equal(attrs, want) {
		t.Errorf("got %q at %v with\n%v, want\n%v", record.Message, record.Level, attrs, want)
	}
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "g" {
			checkTime(t, a.Value)
		}
		return true
	})
	// The debug record was not wanted, so it was not sent.
	if record, _ = r.next(t); record.Message != "hello last" {
		t.Errorf("got %q", record.Message)
	}
}

// checkTime finds the time in the groups g and h.
func checkTime(t testing.TB, g slog.Value) {
	t.Helper()
	for _, h := range g.Group() {
		if h.Key != "h" {
			continue
		}
		for _, a := range h.Value.Group() {
			if a.Key == "time" && !a.Value.Time().Equal(logTime) {
				t.Errorf("got the time %v, want %v", a.Value.Time(), logTime)
			}
		}
	}
}

// A handler that wants more, or nothing, gets that.
func TestLogLevels(t *testing.T) {
	for _, test := range []struct {
		level slog.Level
		want  string
	}{
		{slog.LevelDebug, "[true true true]"}, {slog.LevelError, "[false false true]"}, {slog.LevelError + 100, "[false false false]"},
	} {
		r := newRecorder()
		r.level = test.level
		sys := newLogged(t, r)
		ref := spawnRig(t, sys, rigArg{})
		if got := fmt.Sprint(ask[[]bool](t, ref, Record{"x"})); got != test.want {
			t.Errorf("at %v: got %v, want %v", test.level, got, test.want)
		}
	}
}

// The error of a Tell's handler is logged.
func TestHandlerErrorIsLogged(t *testing.T) {
	r := newRecorder()
	sys := newLogged(t, r)
	probe := spawnProbe(t, sys, probeArg{})
	tell(t, probe, Count{-1})
	record, attrs := r.next(t)
	if record.Level != slog.LevelError || attrs["error"] != "String negative: -1" || attrs["message"] != "String "+string(typeOf("Count")) {
		t.Errorf("got %q at %v with %v", record.Message, record.Level, attrs)
	}
	if _, err := actor.Ask[string](t.Context(), probe, Echo{"fail:x"}); !errors.Is(err, errProbe) {
		t.Error(err)
	}
}
