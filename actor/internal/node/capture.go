package node

import (
	"bytes"
	"io"
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
	proc    *process
	streams [2]*mailbox.Stream
	readers sync.WaitGroup

	mu    sync.Mutex // protects the following
	lines []string
	bytes int
	crash string // the last line on standard error that begins a crash
}

func newCapture(p *process) *capture {
	c := &capture{proc: p}
	for i, f := range [2]*os.File{p.os.TakeStdout(), p.os.TakeStderr()} {
		c.streams[i] = mailbox.NewStream(f)
	}
	c.readers.Go(func() { c.read(c.streams[0], "stdout", slog.LevelInfo) })
	c.readers.Go(func() { c.read(c.streams[1], "stderr", slog.LevelWarn) })
	return c
}

// close takes what the pipes still hold and ends both readers. It does not wait
// for others that may hold the pipes open.
func (c *capture) close() {
	for _, s := range c.streams {
		s.Drain()
	}
	c.readers.Wait()
	for _, s := range c.streams {
		s.Close()
	}
}

// read splits one stream into lines. A line over lineLimit comes in pieces.
func (c *capture) read(s io.Reader, stream string, level slog.Level) {
	attr := slog.String("stream", stream)
	emit := func(line []byte) {
		text := string(bytes.TrimSuffix(line, []byte("\r")))
		c.proc.log(time.Now(), level, text, attr)
		c.keep(text)
		if stream == "stderr" && startsCrash(text) {
			c.setHeader(text)
		}
	}
	buf := make([]byte, 0, 512)
	for {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(2*cap(buf), lineLimit)), buf...)
		}
		n, err := s.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		rest := buf
		for {
			line, after, found := bytes.Cut(rest, []byte("\n"))
			if !found {
				break
			}
			emit(line)
			rest = after
		}
		buf = buf[:copy(buf, rest)]
		if len(buf) > 0 && (len(buf) == lineLimit || err != nil) {
			emit(buf)
			buf = buf[:0]
		}
		if err != nil {
			return
		}
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
