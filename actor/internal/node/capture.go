package node

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"time"
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
	c.stdout.capture, c.stderr.capture = c, c
	if err := p.node.outputs.watch(&c.stdout, p.os.TakeStdout()); err != nil {
		return nil, err
	}
	if err := p.node.outputs.watch(&c.stderr, p.os.TakeStderr()); err != nil {
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

// close drains the pipes and closes them.
func (c *capture) close() {
	c.stdout.close()
	c.stderr.close()
}

// An output is one stream of a process, cut into lines. The platform adds a source,
// and the methods of outputs and output that read it.
type output struct {
	capture *capture
	source

	mu   sync.Mutex // protects the following; held while lines are passed on
	rest []byte     // of a line whose end has not come; nil if there is none
	done bool       // nothing follows
}

// feed cuts data into lines. A line over lineLimit comes in pieces. mu is held.
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

// finish passes on the last line, which need not end. mu is held.
func (o *output) finish() {
	if o.done = true; len(o.rest) > 0 {
		o.emit(o.rest)
		o.rest = nil
	}
}

// emit logs a line, which is not kept.
func (o *output) emit(line []byte) {
	c, name, level := o.capture, "stdout", slog.LevelInfo
	if o == &c.stderr {
		name, level = "stderr", slog.LevelWarn
	}
	text := string(bytes.TrimSuffix(line, []byte("\r")))
	c.proc.log(time.Now(), level, text, slog.String("stream", name))
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
