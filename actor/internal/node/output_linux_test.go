package node

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/spawn/spawntest"
)

func testPipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// Lines are logged as they come; after the end of the stream nobody looks at it.
func TestOutput(t *testing.T) {
	spawntest.Check(t)
	p, logged := newPrinter(t)
	o := &p.logs.stderr
	r, w := testPipe(t)
	if err := p.node.outputs.watch(o, r); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"one", "panic: two"} {
		w.WriteString(line + "\n")
		if got := <-logged.c; got != line {
			t.Errorf("got %q, want %q", got, line)
		}
	}
	w.WriteString("the end")
	w.Close()
	if got := <-logged.c; got != "the end" {
		t.Errorf("got %q", got)
	}
	o.mu.Lock() // so the reader is done with it
	o.mu.Unlock()
	if p.node.outputs.find(o.fd) != nil {
		t.Error("it is still watched after its end")
	}
	p.logs.close()
	p.logs.close()
	if got := p.logs.header(); got != "panic: two" {
		t.Errorf("got the header %q", got)
	}
	if got := strings.Join(p.logs.tail(), "|"); got != "one|panic: two|the end" {
		t.Errorf("got the tail %q", got)
	}
}

// What is in the pipe counts, though others have it open; what they write later does not.
func TestOutputDrained(t *testing.T) {
	spawntest.Check(t)
	p, _ := newPrinter(t)
	o := &p.logs.stdout
	r, w := testPipe(t)
	if err := p.node.outputs.watch(o, r); err != nil {
		t.Fatal(err)
	}
	w.WriteString("one\ntwo")
	p.logs.drain()
	w.WriteString("three\n")
	p.logs.close()
	if got := strings.Join(p.logs.tail(), "|"); got != "one|two" {
		t.Errorf("got the tail %q", got)
	}
	if _, err := w.WriteString("four\n"); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing after close: got %v, want %v", err, syscall.EPIPE)
	}
}

// Somebody who writes without end does not hold up the burial: pipeLimit is the most that is read.
func TestOutputFlooded(t *testing.T) {
	spawntest.Check(t)
	p, logged := newPrinter(t)
	o := &p.logs.stdout
	r, w := testPipe(t)
	if err := p.node.outputs.watch(o, r); err != nil {
		t.Fatal(err)
	}
	p.node.outputs.remove(o) // only drain is to read
	written := make(chan struct{})
	go func() {
		defer close(written)
		line := append(bytes.Repeat([]byte("x"), lineLimit-1), '\n')
		for {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}()
	p.logs.drain()
	p.logs.close()
	<-written
	p.node.logs.close()
	close(logged.c)
	total := 0
	for line := range logged.c {
		total += len(line) + 1
	}
	if total > pipeLimit+readSize {
		t.Errorf("%d bytes were read, the limit is %d", total, pipeLimit)
	}
}

// Where there is no descriptor left there is an error, no leak, and another try.
func TestOutputWithoutDescriptors(t *testing.T) {
	spawntest.Check(t)
	p, logged := newPrinter(t)
	o := &p.logs.stdout
	r, _ := testPipe(t)
	r2, w := testPipe(t)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	none := syscall.Rlimit{Cur: 0, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err := p.node.outputs.watch(o, r)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if want := "capture |0: epoll_create1: too many open files"; err == nil || err.Error() != want || !errors.Is(err, syscall.EMFILE) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := r.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing the file: got %v, want %v", err, os.ErrClosed)
	}
	p.logs.close() // which has nothing to do
	if err := p.node.outputs.watch(o, r2); err != nil {
		t.Fatal(err)
	}
	w.WriteString("again\n")
	if got := <-logged.c; got != "again" {
		t.Errorf("got %q", got)
	}
	p.logs.close()
}

// A thousand streams have one goroutine, and each its own lines.
func TestManyOutputs(t *testing.T) {
	spawntest.Check(t)
	p, logged := newPrinter(t)
	n := 1000
	if testing.Short() {
		n = 100
	}
	before := runtime.NumGoroutine()
	var all []*capture
	var ends []*os.File
	for range n {
		c := &capture{proc: p}
		c.stdout.capture, c.stderr.capture = c, c
		r, w := testPipe(t)
		if err := p.node.outputs.watch(&c.stdout, r); err != nil {
			t.Fatal(err)
		}
		all, ends = append(all, c), append(ends, w)
	}
	if got := runtime.NumGoroutine(); got > before+1 {
		t.Errorf("%d goroutines, %d before", got, before)
	}
	for i, w := range ends {
		w.WriteString(strings.Repeat("y", i) + "\n")
	}
	for range n {
		<-logged.c
	}
	for i, c := range all {
		c.close()
		if tail := c.tail(); len(tail) != 1 || len(tail[0]) != i {
			t.Errorf("stream %d: got %.60q", i, tail)
		}
	}
}
