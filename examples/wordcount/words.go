package main

import (
	"unicode"
	"unicode/utf8"
)

// maxKey is how many bytes of a word are kept to tell it from others. A word
// of any length counts once.
const maxKey = 64

// A splitter finds the words in a stream of bytes that comes in pieces of any
// size. Its memory is bounded by what it found since the last take.
type splitter struct {
	utf8   bool // the encoding of the text; otherwise ASCII
	words  int  // found since the last take
	tally  Tally
	index  map[string]int // of a word in tally
	begun  []byte         // of the word that is not over: what earlier pieces had, up to maxKey
	isWord bool           // it has a printable character
}

func newSplitter(utf8 bool) splitter {
	return splitter{utf8: utf8, index: make(map[string]int)}
}

// reset forgets everything, before another stream. begun and isWord are those of
// the splitter that had it before, if it is not the beginning.
func (s *splitter) reset(begun []byte, isWord bool) {
	s.take()
	s.begun, s.isWord = append(s.begun[:0], begun...), isWord
}

// A Tally says how often words were found. Two slices of simple types travel
// faster than a map.
type Tally struct {
	Words  []string
	Counts []int
}

// A class is what a character means to a word.
type class uint8

const (
	silent  class = iota // neither begins nor ends a word, as control characters
	visible              // makes a word
	space                // ends it
)

// ascii has the class of every byte; those from 0x80 on are for the encoding to
// decide.
var ascii = func() (table [256]class) {
	for b := '!'; b <= '~'; b++ {
		table[b] = visible
	}
	for _, b := range " \t\n\v\f\r" {
		table[b] = space
	}
	return table
}()

// add reads the next piece and returns how much of it was used: the last bytes
// may be the beginning of a character, and have to come again with what follows.
// With the last piece everything is used, and the last word ends.
func (s *splitter) add(piece []byte, last bool) (used int) {
	start := 0 // of the word, or of what this piece has of it
	width := 1
	for i := 0; i < len(piece); i += width {
		class := ascii[piece[i]]
		width = 1
		if s.utf8 && piece[i] >= utf8.RuneSelf {
			if !last && !utf8.FullRune(piece[i:]) {
				piece = piece[:i]
				break
			}
			class, width = classify(piece[i:])
		}
		switch class {
		case visible:
			s.isWord = true
		case space:
			s.end(piece[start:i])
			start = i + width
		}
	}
	if last {
		s.end(piece[start:])
	} else {
		s.begun = extend(s.begun, piece[start:])
	}
	return len(piece)
}

// end ends the word whose last bytes are rest, if it is one.
func (s *splitter) end(rest []byte) {
	if s.isWord {
		s.words++
		if len(s.begun) > 0 || len(rest) > maxKey {
			s.begun = extend(s.begun, rest)
			rest = s.begun
		}
		s.count(rest)
	}
	s.begun, s.isWord = s.begun[:0], false
}

func (s *splitter) count(key []byte) {
	i, known := s.index[string(key)]
	if !known {
		i = len(s.tally.Words)
		word := string(key)
		s.index[word] = i
		s.tally.Words = append(s.tally.Words, word)
		s.tally.Counts = append(s.tally.Counts, 0)
	}
	s.tally.Counts[i]++
}

// take hands over what was found so far. A word that is not over is not among it.
func (s *splitter) take() (words int, tally Tally) {
	words, tally = s.words, s.tally
	s.words, s.tally = 0, Tally{}
	clear(s.index)
	return words, tally
}

// extend appends to key what fits.
func extend(key, b []byte) []byte {
	return append(key, b[:min(len(b), maxKey-len(key))]...)
}

// printable are the characters that glibc calls so, beside the spaces. The two
// may differ in characters that are new to one of them.
var printable = []*unicode.RangeTable{
	unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Cf, unicode.Co,
}

// classify returns the class and width of the first character, which is not ASCII.
func classify(b []byte) (class, int) {
	r, width := utf8.DecodeRune(b)
	switch {
	case r == utf8.RuneError && width == 1:
		return silent, 1
	case unicode.Is(unicode.Zs, r), r == '\u2060': // GNU wc takes WORD JOINER for a space
		return space, width
	case unicode.In(r, printable...):
		return visible, width
	}
	return silent, width
}
