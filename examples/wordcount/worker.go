package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/progeny-go/progeny/actor"
)

const (
	bufferSize = 64 << 10
	binarySize = 8 << 10  // how much of a file is looked at for a NUL
	partWords  = 16 << 10 // about how many different words make a Part full
)

// A Counter is a worker: an actor that counts the words of one file at a time.
//
// It is asked to Count, and while there is More it is asked for that. So a file of
// any size and content needs little memory here, messages are small, and
// whoever asks sets the pace. Nothing that is in a Counter is worth keeping: the
// counts of a file are with the asker when its last Part is. That is why a crash
// costs the one file, and no other has to be counted again.
type Counter struct {
	config Config
	file   *os.File // the one being counted, or nil
	split  splitter
	buf    [bufferSize]byte
	held   int // how much of buf was read and not yet split
}

// Config is the argument of a Counter.
type Config struct {
	UTF8   bool
	Poison string // pattern for base names, "" for none
}

// Count asks for the first Part of a file. A file that is still open is given up.
type Count struct{ Path string }

// More asks for the next Part.
type More struct{}

// A Part is what was found in a part of a file.
type Part struct {
	Words int // found in this part
	Tally Tally
	More  bool // the file goes on
}

// errBinary is registered, so that errors.Is knows it in the other process too.
var errBinary = errors.New("binary file (a NUL byte in the first 8 KiB)")

func init() { actor.RegisterError("wordcount.Binary", errBinary) }

var counter = actor.Define("wordcount worker", newCounter,
	actor.On((*Counter).Count),
	actor.On((*Counter).More),
)

func newCounter(_ *actor.Context, config Config) (*Counter, error) {
	return &Counter{config: config, split: newSplitter(config.UTF8)}, nil
}

// Count begins a file.
func (w *Counter) Count(c *actor.Context, m Count) (Part, error) {
	w.close()
	if poisonous, _ := filepath.Match(w.config.Poison, filepath.Base(m.Path)); poisonous {
		crash()
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return Part{}, bare(err)
	}
	w.file = f
	w.split.reset()
	w.held, err = io.ReadFull(f, w.buf[:binarySize])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		w.close()
		return Part{}, bare(err)
	}
	if bytes.IndexByte(w.buf[:w.held], 0) >= 0 {
		w.close()
		return Part{}, errBinary
	}
	return w.More(c, More{})
}

// More goes on with the file, up to its end or a full Part.
func (w *Counter) More(c *actor.Context, _ More) (Part, error) {
	if w.file == nil {
		return Part{}, os.ErrClosed
	}
	for {
		if err := c.Err(); err != nil { // nobody waits for it any more
			w.close()
			return Part{}, err
		}
		n, err := w.file.Read(w.buf[w.held:])
		if err != nil && err != io.EOF {
			w.close()
			return Part{}, bare(err)
		}
		read := w.buf[:w.held+n]
		used := w.split.add(read, err == io.EOF)
		w.held = copy(w.buf[:], read[used:])
		if err == io.EOF {
			w.close()
		}
		if w.file == nil || len(w.split.tally.Words) >= partWords {
			words, tally := w.split.take()
			return Part{Words: words, Tally: tally, More: w.file != nil}, nil
		}
	}
}

func (w *Counter) close() {
	if w.file != nil {
		w.file.Close() // it was only read
		w.file = nil
	}
}

// crash ends the process as a bug in a library might: by a panic in a goroutine
// of its own, where no recover reaches.
func crash() {
	write := func(m map[string]int) { m["poison"]++ }
	go write(nil)
	select {}
}
