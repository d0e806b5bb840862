package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/progeny-go/progeny/mailbox"
)

const (
	// lineLimit is the longest line that is logged as one, in bytes.
	lineLimit = 16 << 10
	// tailLines and tailBytes bound the last lines that a Down carries.
	tailLines = 32
	tailBytes = 8 << 10
)

// A capture turns a process's standard output and error into log records, line
// by line, and remembers the last of them.
type capture struct {
	proc           *process
	stdout, stderr output

	mu    sync.Mutex // protects the following
	lines []string
	bytes int
	crash string // the last line on standard error that begins a crash
}

// newCapture takes both streams over from p. If it fails, there is nothing to close.
func newCapture(p *process) (*capture, error) {
	c := &capture{proc: p}
	if err := c.stdout.open(c, p.os.TakeStdout()); err != nil {
		return nil, err
	}
	if err := c.stderr.open(c, p.os.TakeStderr()); err != nil {
		c.stdout.close()
		return nil, err
	}
	return c, nil
}

// drain takes what the pipes still hold. It does not wait for others that may hold them
// open.
func (c *capture) drain() {
	c.stdout.drain()
	c.stderr.drain()
}

// hush leaves what is printed from now on to drain and close.
func (c *capture) hush() {
	c.stdout.hush()
	c.stderr.hush()
}

// close drains the pipes and closes them.
func (c *capture) close() {
	c.stdout.close()
	c.stderr.close()
}

// An output is one stream of a process, cut into lines. Its Watch has one goroutine at a
// time feed it.
type output struct {
	capture *capture
	watch   *mailbox.Watch // nil if there is no stream
	rest    []byte         // of a line whose end has not come; nil if there is none
}

// open reads the stream from f until its end, or close. It takes ownership of f, even if it fails.
func (o *output) open(c *capture, f *os.File) error {
	o.capture = c
	watch, err := c.proc.node.outputs.Watch(f, o.take)
	if err != nil {
		return fmt.Errorf("capture %s: %w", o.name(), err)
	}
	o.watch = watch
	return nil
}

func (o *output) drain() {
	if o.watch != nil {
		o.watch.Drain()
	}
}

func (o *output) hush() {
	if o.watch != nil {
		o.watch.Hush()
	}
}

func (o *output) close() {
	if o.watch != nil {
		o.watch.Close()
	}
}

func (o *output) name() string {
	if o == &o.capture.stderr {
		return "stderr"
	}
	return "stdout"
}

// take gets what was printed, and nil when nothing follows.
func (o *output) take(data []byte) {
	if len(data) == 0 {
		o.finish()
		return
	}
	o.feed(data)
}

// feed cuts data into lines. A line over lineLimit comes in pieces.
func (o *output) feed(data []byte) {
	for len(data) > 0 {
		line, after, found := bytes.Cut(data, []byte("\n"))
		if room := lineLimit - len(o.rest); len(line) > room {
			line, after, found = data[:room], data[room:], true
		}
		data = after
		if len(o.rest) > 0 || !found {
			o.rest = append(o.rest, line...)
			line = o.rest
		}
		if found {
			o.rest = nil
			o.emit(line)
		}
	}
}

// finish passes on the last line, which need not end.
func (o *output) finish() {
	if len(o.rest) > 0 {
		o.emit(o.rest)
		o.rest = nil
	}
}

// emit logs a line, which is not kept.
func (o *output) emit(line []byte) {
	c, level := o.capture, slog.LevelInfo
	if o == &c.stderr {
		level = slog.LevelWarn
	}
	text := string(bytes.TrimSuffix(line, []byte("\r")))
	c.proc.log(time.Now(), level, text, slog.String("stream", o.name()))
	c.keep(text)
	if o == &c.stderr && startsCrash(text) {
		c.setHeader(text)
	}
}

// keep remembers a line for the Down.
func (c *capture) keep(line string) {
	if len(line) > tailBytes/4 {
		line = strings.Clone(line[:tailBytes/4]) // the rest is not to be kept
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	c.bytes += len(line)
	for len(c.lines) > tailLines || c.bytes > tailBytes {
		c.bytes -= len(c.lines[0])
		c.lines = c.lines[1:]
	}
}

func (c *capture) tail() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines...)
}

func (c *capture) setHeader(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crash = line
}

func (c *capture) header() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crash
}
