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

// A Counter is a worker: an actor that counts a part of a file at a time.
//
// Nothing is in a Counter between two messages. A Part says where to go on, and
// any Counter can. So a file of any size and content needs little memory here,
// messages are small, and whoever asks sets the pace. The counts of a file are
// with the asker when its last Part is. That is why a crash costs the one file,
// and no other has to be counted again.
type Counter struct {
	config   Config
	splitter splitter
	buf      [bufferSize]byte
}

// Config is the argument of a Counter.
type Config struct {
	UTF8   bool
	Poison string // pattern for base names, "" for none
}

// Count asks for one Part of a file.
type Count struct {
	Path string
	From Place
}

// A Place is where in a file a Part begins. Zero is its beginning.
type Place struct {
	Offset int64
	Begun  []byte // of the word that is not over: what the Parts before had of it
	IsWord bool   // it has a printable character
}

// A Part is what was found in a part of a file.
type Part struct {
	Words int
	Tally Tally
	Next  *Place // nil at the end of the file
}

// errBinary is registered, so that errors.Is knows it in the other process too.
var errBinary = errors.New("binary file (a NUL byte in the first 8 KiB)")

func init() { actor.RegisterError("wordcount.Binary", errBinary) }

// To try again does not help where no process can be had.
var counter = actor.Define("wordcount worker", newCounter,
	actor.On((*Counter).Count),
).Fatal(actor.BootFailed{}, actor.InitFailed{})

func newCounter(_ *actor.Context, config Config) (*Counter, error) {
	return &Counter{config: config, splitter: newSplitter(config.UTF8)}, nil
}

// Count counts up to the end of the file or a full Part.
func (w *Counter) Count(c *actor.Context, m Count) (Part, error) {
	if poisonous, _ := filepath.Match(w.config.Poison, filepath.Base(m.Path)); poisonous {
		crash()
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return Part{}, bare(err)
	}
	defer f.Close() // it was only read
	held := 0       // how much of buf was read and not yet split
	if m.From.Offset > 0 {
		_, err = f.Seek(m.From.Offset, io.SeekStart)
	} else if held, err = io.ReadFull(f, w.buf[:binarySize]); err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	if err != nil {
		return Part{}, bare(err)
	}
	if bytes.IndexByte(w.buf[:held], 0) >= 0 {
		return Part{}, errBinary
	}
	return w.split(c, f, held, m.From)
}

// split counts what is in buf already and what follows it in f.
func (w *Counter) split(c *actor.Context, f *os.File, held int, from Place) (Part, error) {
	s := &w.splitter
	s.reset(from.Begun, from.IsWord)
	offset := from.Offset // of the first byte not yet split
	for {
		if err := c.Err(); err != nil { // nobody waits for it any more
			return Part{}, err
		}
		n, err := f.Read(w.buf[held:])
		if err != nil && err != io.EOF {
			return Part{}, bare(err)
		}
		read := w.buf[:held+n]
		used := s.add(read, err == io.EOF)
		held = copy(w.buf[:], read[used:])
		offset += int64(used)
		if err == nil && len(s.tally.Words) < partWords {
			continue
		}
		var next *Place
		if err == nil {
			next = &Place{Offset: offset, Begun: s.begun, IsWord: s.isWord}
		}
		words, tally := s.take()
		return Part{Words: words, Tally: tally, Next: next}, nil
	}
}

// crash ends the process as a bug in a library might: by a panic in a goroutine
// of its own, where no recover reaches.
func crash() {
	write := func(m map[string]int) { m["poison"]++ }
	go write(nil)
	select {}
}
