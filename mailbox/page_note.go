package mailbox

import "encoding/binary"

// The notes on a page: a ring of slots behind the words. A slot is the frame's
// number, a little-endian 64-bit word, then one byte with the length of the
// text, then the text.
const (
	pageNotes = 256
	noteSlots = 8
	noteSize  = 96

	// NoteLimit is how much text a note keeps, in bytes; more is cut off.
	NoteLimit = noteSize - 9
)

// A Note is what a process has written down about one of the last counted
// frames it began.
type Note struct {
	Seq  uint64
	Text []byte
}

// Note writes down something about counted frame n, which is about to begin. The
// text is the concatenation of parts. The last 8 notes are kept.
func (p *Page) Note(n uint64, parts ...[]byte) {
	slot := p.slot(n)
	binary.LittleEndian.PutUint64(slot, n)
	text := slot[9:9:noteSize]
	for _, part := range parts {
		text = append(text, part[:min(len(part), cap(text)-len(text))]...)
	}
	slot[8] = byte(len(text))
	p.repeated = 0
}

// NoteAgain is Note with the text of the note before, which was about frame n-1: once all slots have it, only the number is
// written.
func (p *Page) NoteAgain(n uint64) {
	slot := p.slot(n)
	binary.LittleEndian.PutUint64(slot, n)
	if p.repeated < noteSlots-1 {
		p.repeated++
		copy(slot[8:], p.slot(n - 1)[8:])
	}
}

// Notes returns copies of the notes, oldest first. Like Progress, they are to be
// distrusted; after Close there are none.
func (p *Page) Notes() []Note {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.mem == nil {
		return nil
	}
	begun, _ := p.progressLocked()
	var notes []Note
	kept := min(begun, noteSlots)
	for i := range kept {
		n := begun - kept + 1 + i
		slot := p.slot(n)
		if binary.LittleEndian.Uint64(slot) != n {
			continue
		}
		text := slot[9 : 9+min(int(slot[8]), NoteLimit)]
		notes = append(notes, Note{Seq: n, Text: append([]byte(nil), text...)})
	}
	return notes
}

func (p *Page) slot(n uint64) []byte {
	at := pageNotes + int(n%noteSlots)*noteSize
	return p.mem[at : at+noteSize : at+noteSize]
}
