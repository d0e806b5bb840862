package node

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

// lines is a slog.Handler that keeps the messages.
type lines struct{ c chan string }

func (lines) Enabled(context.Context, slog.Level) bool { return true }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	l.c <- r.Message
	return nil
}

func (l lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l lines) WithGroup(string) slog.Handler      { return l }

// newPrinter returns a process of which only the output is real, and what is logged of it.
func newPrinter(t testing.TB) (*process, lines) {
	t.Helper()
	l := lines{make(chan string, logRecords)}
	p := newProcess(&Node{logs: newLogs(slog.New(l))})
	t.Cleanup(p.node.logs.close)
	t.Cleanup(p.node.outputs.Close)
	p.logs = &capture{proc: p}
	p.logs.stdout.capture, p.logs.stderr.capture = p.logs, p.logs
	return p, l
}

// A line is cut at lineLimit, however it comes.
func TestLineLimit(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		printed string
		want    []string
	}{
		{x(lineLimit-1) + "\ny\n", []string{x(lineLimit - 1), "y"}},
		{x(lineLimit) + "\ny\n", []string{x(lineLimit), "y"}},
		{x(lineLimit+1) + "\ny\n", []string{x(lineLimit), "x", "y"}},
		{x(2*lineLimit) + "\ny\n", []string{x(lineLimit), x(lineLimit), "y"}},
		{x(2*lineLimit+1) + "y", []string{x(lineLimit), x(lineLimit), "xy"}},
		{x(lineLimit), []string{x(lineLimit)}},
		{"\n\na\r\n", []string{"", "", "a"}},
		{"", nil},
	}
	for i, test := range tests {
		for _, size := range []int{1, 7, lineLimit - 1, lineLimit, lineLimit + 1, 4 * lineLimit} {
			p, logged := newPrinter(t)
			o := &p.logs.stdout
			for piece := range slices.Chunk([]byte(test.printed), size) {
				o.feed(bytes.Clone(piece))
				clear(piece) // it is the reader's again
			}
			o.finish()
			p.node.logs.close()
			close(logged.c)
			var got []string
			for line := range logged.c {
				got = append(got, line)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("test %d in pieces of %d: got %d lines %.60q, want %d", i, size, len(got), got, len(test.want))
			}
			if o.rest != nil {
				t.Errorf("test %d: %d bytes are kept", i, len(o.rest))
			}
		}
	}
}

// testPipe returns a pipe of which the writing end is closed with the test.
func testPipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return r, w
}

// openOutputs gives p a standard output and error, and returns their writing ends.
func openOutputs(t testing.TB, p *process) (stdout, stderr *os.File) {
	t.Helper()
	outR, stdout := testPipe(t)
	errR, stderr := testPipe(t)
	for o, r := range map[*output]*os.File{&p.logs.stdout: outR, &p.logs.stderr: errR} {
		if err := o.open(p.logs, r); err != nil {
			t.Fatal(err)
		}
	}
	return stdout, stderr
}

// Lines are logged as they come, the last one though it does not end.
func TestCapture(t *testing.T) {
	spawntest.Check(t)
	p, logged := newPrinter(t)
	stdout, stderr := openOutputs(t, p)
	for _, line := range []string{"one", "panic: two"} {
		stderr.WriteString(line + "\n")
		if got := <-logged.c; got != line {
			t.Errorf("got %q, want %q", got, line)
		}
	}
	stdout.WriteString("panic: no crash\n") // only standard error tells of one
	if got := <-logged.c; got != "panic: no crash" {
		t.Errorf("got %q", got)
	}
	stderr.WriteString("the end")
	stderr.Close()
	if got := <-logged.c; got != "the end" {
		t.Errorf("got %q", got)
	}
	p.logs.close()
	p.logs.close()
	if got := p.logs.header(); got != "panic: two" {
		t.Errorf("got the header %q", got)
	}
	if got := strings.Join(p.logs.tail(), "|"); got != "one|panic: two|panic: no crash|the end" {
		t.Errorf("got the tail %q", got)
	}
}

// What is in the pipes at the end counts, though others have them open; what they write later
// does not.
func TestCaptureDrained(t *testing.T) {
	spawntest.Check(t)
	p, _ := newPrinter(t)
	stdout, stderr := openOutputs(t, p)
	stdout.WriteString("one\ntwo")
	stderr.WriteString("panic: three")
	p.logs.drain()
	stdout.WriteString("four\n")
	p.logs.close()
	if got := strings.Join(p.logs.tail(), "|"); got != "one|two|panic: three" {
		t.Errorf("got the tail %q", got)
	}
	if got := p.logs.header(); got != "panic: three" {
		t.Errorf("got the header %q", got)
	}
}

// A stream that cannot be read is an error that says which.
func TestCaptureRefused(t *testing.T) {
	spawntest.Check(t)
	p, _ := newPrinter(t)
	p.node.outputs.Close()
	r, _ := testPipe(t)
	err := p.logs.stderr.open(p.logs, r)
	if err == nil || !strings.HasPrefix(err.Error(), "capture stderr: ") {
		t.Errorf("got %v", err)
	}
	p.logs.close() // which has nothing to do
}
