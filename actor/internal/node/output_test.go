package node

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
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
	t.Cleanup(p.node.outputs.close)
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
