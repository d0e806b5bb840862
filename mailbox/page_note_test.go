//go:build linux || darwin

package mailbox

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

func TestNotesAreTheLastEight(t *testing.T) {
	parent, child, _ := page(t)
	for n := uint64(1); n <= 20; n++ {
		child.Note(n, []byte("message "), []byte{byte('a' + n)})
		child.Begin(n)
	}
	notes := parent.Notes()
	if len(notes) != noteSlots {
		t.Fatalf("got %d notes, want %d", len(notes), noteSlots)
	}
	for i, note := range notes {
		n := uint64(13 + i)
		if want := "message " + string(byte('a'+n)); note.Seq != n || string(note.Text) != want {
			t.Errorf("got note %d %q, want %d %q", note.Seq, note.Text, n, want)
		}
	}
}

// A note with the text of the one before is as good as one that has it written.
func TestNotesAgain(t *testing.T) {
	for again := range 2*noteSlots + 1 {
		parent, child, _ := page(t)
		n := uint64(0)
		note := func(write func(n uint64)) {
			n++
			write(n)
			child.Begin(n)
		}
		for range noteSlots + 3 {
			note(func(n uint64) { child.Note(n, []byte("a text that is longer than those after it")) })
		}
		for _, text := range []string{"one", "two more"} {
			note(func(n uint64) { child.Note(n, []byte(text)) })
			for range again {
				note(child.NoteAgain)
			}
		}
		first := n - uint64(again) // of "two more"
		for i, got := range parent.Notes() {
			seq := n - noteSlots + 1 + uint64(i)
			want := "two more"
			switch {
			case seq < first-uint64(again)-1:
				want = "a text that is longer than those after it"
			case seq < first:
				want = "one"
			}
			if got.Seq != seq || string(got.Text) != want {
				t.Errorf("%d times again: got note %d %q, want %d %q", again, got.Seq, got.Text, seq, want)
			}
		}
	}
}

// What is too long for a note is cut, at the limit and nowhere else.
func TestNoteLimit(t *testing.T) {
	parent, child, _ := page(t)
	for n, size := range []int{0, NoteLimit - 1, NoteLimit, NoteLimit + 1, 1000} {
		text := bytes.Repeat([]byte{'x'}, size)
		child.Note(uint64(n+1), text[:size/2], text[size/2:])
		child.Begin(uint64(n + 1))
		notes := parent.Notes()
		if got, want := len(notes[n].Text), min(size, NoteLimit); got != want {
			t.Errorf("%d bytes: got %d, want %d", size, got, want)
		}
	}
}

// The page is written by somebody who may be an enemy.
func TestNotesOfALiar(t *testing.T) {
	parent, child, _ := page(t)
	for _, begun := range []uint64{0, 1, math.MaxUint64 - 1, math.MaxUint64} {
		child.Begin(begun)
		for i := pageNotes; i < pageNotes+noteSlots*noteSize; i++ {
			child.mem[i] = 0xff
		}
		binary.LittleEndian.PutUint64(child.slot(begun), begun)
		for _, note := range parent.Notes() {
			if len(note.Text) > NoteLimit {
				t.Errorf("begun %d: a note of %d bytes", begun, len(note.Text))
			}
		}
	}
}

func TestBufferIsNotReusedWhenAdopted(t *testing.T) {
	b := NewBuffer()
	b.Bytes = append(b.Bytes, make([]byte, AdoptSize)...)
	adopted := &b.Bytes[0]
	b.Free()
	for range 100 {
		c := NewBuffer()
		if c.Bytes = append(c.Bytes, 1); &c.Bytes[0] == adopted {
			t.Fatal("a Writer may have adopted this memory")
		}
	}
}
