package main

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// odd are texts on which notions of a word differ.
var odd = []string{
	"", " ", "a", "a b", " a ", "a\tb\nc\vd\fe\rf", "\r\n\r\n",
	"\x00", "a\x00b", "a \x00 b", "\x01", "\x01 a", "a\x01b", " \x7f ", "a\x1bb",
	"\x80", "a\x80b", "a \xff b", "\xa0", "a\xa0b", "a\x85b", "\xc2 \xa0", "\xc2", "a\xe2\x80", "\xf0\x9f\x98 x",
	"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xf8\x88\x80\x80\x80a", "\xe2\x80A",
	"é", "été à", "日本語", "日\u3000本", "😀", "👩\u200d🚀", "e\u0301", "\u0301",
	"a\u00a0b", "\u00a0", "a\u1680b", "a\u2007b", "a\u202fb", "a\u2060b", "a\u205fb", "a\u2003b",
	"a\u200bb", "\u200b", "\ufeff", "\ufeff a", "a\u2028b", "\u2028", "\u2029", "a\u0085b", "\u0085", "\u00ad",
	"a\u180eb", "\ue000", "\ufffd", "\ufffe", "\u0378", "\U000e0001", "\U0010ffff", "\U000f0000",
}

var locales = map[string]bool{"C": false, "C.UTF-8": true}

// split counts data in pieces of the given size.
func split(data []byte, utf8 bool, size int) (words int, counts map[string]int) {
	s := newSplitter(utf8)
	var buf []byte
	for len(data) > 0 {
		n := min(size, len(data))
		buf = append(buf, data[:n]...)
		data = data[n:]
		buf = append([]byte(nil), buf[s.add(buf, false):]...)
	}
	s.add(buf, true)
	words, tally := s.take()
	counts = make(map[string]int)
	for i, word := range tally.Words {
		counts[word] += tally.Counts[i]
	}
	return words, counts
}

// reference is what split should return, said as plainly as can be.
func reference(data []byte, isUTF8 bool) (words int, counts map[string]int) {
	counts = make(map[string]int)
	word, visible := "", false
	end := func() {
		if visible {
			words++
			counts[word[:min(len(word), maxKey)]]++
		}
		word, visible = "", false
	}
	for text := string(data); text != ""; {
		r, width := rune(text[0]), 1
		known := r < utf8.RuneSelf
		if isUTF8 {
			r, width = utf8.DecodeRuneInString(text)
			known = r != utf8.RuneError || width > 1
		}
		if known && (strings.ContainsRune("\t\n\v\f\r\u2060", r) || unicode.Is(unicode.Zs, r)) {
			end()
		} else {
			word += text[:width]
			visible = visible || known && (unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Co))
		}
		text = text[width:]
	}
	end()
	return words, counts
}

func checkSplit(t *testing.T, data []byte, utf8 bool, size int) {
	t.Helper()
	words, counts := split(data, utf8, size)
	wantWords, wantCounts := reference(data, utf8)
	if words != wantWords || !maps.Equal(counts, wantCounts) {
		t.Errorf("%q (UTF-8 %v) in pieces of %d: got %d words %v, want %d %v",
			data, utf8, size, words, counts, wantWords, wantCounts)
	}
}

func TestSplitter(t *testing.T) {
	texts := append([]string{
		strings.Repeat("x", maxKey-1), strings.Repeat("x", maxKey), strings.Repeat("x", maxKey+1),
		strings.Repeat("é", maxKey), " " + strings.Repeat("long", 1000) + " short",
		strings.Repeat("same", maxKey) + "1 " + strings.Repeat("same", maxKey) + "2",
	}, odd...)
	for _, text := range texts {
		for _, utf8 := range locales {
			for _, size := range []int{1, 2, 3, 5, len(text) + 1} {
				checkSplit(t, []byte(text), utf8, size)
			}
		}
	}
}

func FuzzSplitter(f *testing.F) {
	for _, text := range odd {
		f.Add([]byte(text), true, 1)
		f.Add([]byte(text), false, 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, utf8 bool, size int) {
		checkSplit(t, data, utf8, max(1, size))
	})
}

// TestSplitterAgainstWC compares with the real thing, text by text.
func TestSplitterAgainstWC(t *testing.T) {
	texts := append([]string(nil), odd...)
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		texts = append(texts, jumble(r, 200))
	}
	texts = append(texts, strings.Repeat("x", 1<<20), jumble(r, 200_000))
	dir := t.TempDir()
	var files []string
	for i, text := range texts {
		files = append(files, write(t, filepath.Join(dir, strconv.Itoa(i)), text))
	}
	for locale, utf8 := range locales {
		for i, want := range wc(t, locale, files) {
			if got, _ := split([]byte(texts[i]), utf8, bufferSize); got != want {
				t.Errorf("%s: %.200q: got %d words, wc says %d", locale, texts[i], got, want)
			}
		}
	}
}

// jumble makes a text of n odd pieces, spaces, and words.
func jumble(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		switch r.IntN(4) {
		case 0:
			b.WriteByte(" \n\t"[r.IntN(3)])
		case 1:
			b.WriteString(strconv.Itoa(r.IntN(1000)))
		case 2:
			b.WriteByte(byte(r.IntN(256)))
		default:
			b.WriteString(odd[r.IntN(len(odd))])
		}
	}
	return b.String()
}

// wc returns what wc -w says of each file. It skips the test where there is
// none that counts as this program does.
func wc(t *testing.T, locale string, files []string) (words []int) {
	t.Helper()
	run := func(args ...string) string {
		cmd := exec.Command("wc", append([]string{"-w"}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL="+locale)
		cmd.Stdin = strings.NewReader(strings.Join(files, "\x00"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd.Args, err)
		}
		return string(out)
	}
	if _, err := exec.LookPath("wc"); err != nil {
		t.Skip("no wc to compare with: ", err)
	}
	if version, _ := exec.Command("wc", "--version").Output(); !bytes.Contains(version, []byte("GNU")) {
		t.Skip("wc is not GNU's")
	}
	if _, set := os.LookupEnv("POSIXLY_CORRECT"); set {
		t.Skip("POSIXLY_CORRECT is set: wc does not split at non-breaking spaces")
	}
	probe := func(text, want string) bool {
		return strings.Fields(run(write(t, filepath.Join(t.TempDir(), "probe"), text)))[0] == want
	}
	if !probe("\x01", "0") {
		t.Skip("this wc is later than 9.4, and takes for a word what is not printable")
	}
	if locales[locale] && !probe("é", "1") {
		t.Skip("no locale " + locale)
	}
	for line := range strings.Lines(run("--files0-from=-")) {
		n, err := strconv.Atoi(strings.Fields(line)[0])
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, n)
	}
	if len(files) > 1 {
		words = words[:len(words)-1] // the total
	}
	if len(words) != len(files) {
		t.Fatalf("wc counted %d of %d files", len(words), len(files))
	}
	return words
}

// write makes a file and returns its path.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
