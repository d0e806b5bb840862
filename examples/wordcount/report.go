package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	topWords      = 20
	namedFiles    = 3 // one by one; more of a kind are summed up
	progressEvery = 100 * time.Millisecond
)

// A report adds the results up, says on standard error what was not counted and
// why, and shows the progress there if it is a terminal.
type report struct {
	verbose  bool
	words    int
	files    int
	counts   map[string]int
	binaries []result
	links    []result

	terminal bool
	shown    string    // the progress line that is on the terminal
	at       time.Time // of the last look at it
}

func newReport(verbose bool) *report {
	info, err := os.Stderr.Stat()
	return &report{
		verbose:  verbose,
		counts:   make(map[string]int),
		terminal: err == nil && info.Mode()&fs.ModeCharDevice != 0,
		at:       time.Now(),
	}
}

func (r *report) add(result result) {
	switch {
	case result.err == nil:
		r.count(result.parts)
	case errors.Is(result.err, errBinary) && !r.verbose:
		r.binaries = append(r.binaries, result)
	case errors.Is(result.err, errLink) && !r.verbose:
		r.links = append(r.links, result)
	default:
		r.refuse(result)
	}
	if now := time.Now(); now.Sub(r.at) >= progressEvery {
		r.at = now
		r.show(fmt.Sprintf("%d words in %d files", r.words, r.files))
	}
}

func (r *report) count(parts []Part) {
	r.files++
	for _, part := range parts {
		r.words += part.Words
		for i, word := range part.Tally.Words {
			r.counts[word] += part.Tally.Counts[i]
		}
	}
}

func (r *report) refuse(s result) { r.say(fmt.Sprintf("not counted: %s: %v", s.path, s.err)) }

func (r *report) say(text string) {
	r.show("")
	fmt.Fprintln(os.Stderr, "wordcount:", legible(text))
}

// show replaces the line on the terminal.
func (r *report) show(line string) {
	if !r.terminal || line == r.shown {
		return
	}
	fmt.Fprintf(os.Stderr, "\r%*s\r%s", len(r.shown), "", line)
	r.shown = line
}

// summarise says in one line what is not worth one each.
func (r *report) summarise(skipped []result, what string) {
	if len(skipped) <= namedFiles {
		for _, s := range skipped {
			r.refuse(s)
		}
		return
	}
	slices.SortFunc(skipped, func(a, b result) int { return cmp.Compare(a.path, b.path) })
	r.say(fmt.Sprintf("not counted: %d %s, the first: %s (-v names all)", len(skipped), what, skipped[0].path))
}

// print sums up, and writes the most frequent words and the total.
func (r *report) print(to io.Writer) error {
	r.summarise(r.binaries, "binary files (a NUL byte in the first 8 KiB)")
	r.summarise(r.links, "symbolic links inside of folders")
	if r.files == 0 {
		return errors.New("nothing could be counted")
	}
	w := bufio.NewWriter(to)
	for _, f := range r.top() {
		fmt.Fprintf(w, "%9d  %s\n", f.count, displayed(f.word))
	}
	fmt.Fprintf(w, "total: %d words in %d files\n", r.words, r.files)
	return w.Flush()
}

type frequency struct {
	word  string
	count int
}

// compareFrequency orders by falling count. Of equally frequent words, the bytes
// decide.
func compareFrequency(a, b frequency) int {
	return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.word, b.word))
}

// top returns the most frequent words, without sorting all of them.
func (r *report) top() []frequency {
	var top []frequency
	for word, count := range r.counts {
		f := frequency{word, count}
		if len(top) == topWords && compareFrequency(f, top[topWords-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(top, f, compareFrequency)
		top = slices.Insert(top, i, f)
		top = top[:min(len(top), topWords)]
	}
	return top
}

// displayed marks a word of which perhaps only the beginning is known.
func displayed(word string) string {
	if len(word) == maxKey {
		word = strings.ToValidUTF8(word, "") + "…"
	}
	return legible(word)
}

// legible keeps names and words from doing something to the terminal.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
