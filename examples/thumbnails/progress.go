package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

const (
	barCells = 30
	nameRoom = 32 // characters
)

// A progress is a bar on a terminal.
type progress struct {
	to    io.Writer // nil: nobody looks
	done  int
	total int
}

// newProgress shows the bar if f is a terminal.
func newProgress(f *os.File, total int) *progress {
	p := &progress{total: total}
	if info, err := f.Stat(); err == nil && info.Mode()&fs.ModeCharDevice != 0 {
		p.to = f
	}
	return p
}

// step counts one more, and names it.
func (p *progress) step(name string) {
	p.done++
	if p.to != nil {
		fmt.Fprint(p.to, eraseLine, bar(p.done, p.total), " ", shorten(legible(name), nameRoom))
	}
}

// clear takes the bar away.
func (p *progress) clear() {
	if p.to != nil {
		fmt.Fprint(p.to, eraseLine)
	}
}

// eraseLine goes to the beginning of the line and erases it (ECMA-48: EL).
const eraseLine = "\r\x1b[K"

func bar(done, total int) string {
	full := barCells * done / total
	return fmt.Sprintf("%s%s %d/%d", strings.Repeat("█", full), strings.Repeat("░", barCells-full), done, total)
}
