package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// A picture is one metric of one bench as bars.
type picture struct {
	file, bench, metric string
	title               string
	least               bool // the shortest bar is the best
	label               func(*row) string
}

var pictures = []picture{
	{
		file: "roundtrip.svg", bench: "ask_64b", metric: "p50", least: true,
		title: "64 B there and back, one at a time: median, p99",
		label: func(r *row) string { return fmt.Sprintf("%s µs, %s", short(r.value()), short(median(r.p99s))) },
	},
	{
		file: "throughput.svg", bench: "tell_64b", metric: "rate",
		title: "64 B one way, one sender, counted at the receiver",
		label: func(r *row) string { return short(r.value()) + "/s" },
	},
}

// drawAll draws the pictures of what was measured.
func drawAll(dir string, rows []row) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range pictures {
		if find(rows, p.bench, ours, p.metric) == nil {
			continue
		}
		f, err := os.Create(filepath.Join(dir, p.file))
		if err != nil {
			return err
		}
		if err := errors.Join(drawing.Execute(f, p.layout(rows)), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

type layout struct {
	Title, Note   string
	Width, Height int
	Bars          []drawnBar
}

type drawnBar struct {
	Y, Length   int
	Class       string // progeny, far (another process) or near (none)
	Name, Label string
	Cut         bool // longer than the picture
}

func (d drawnBar) Middle() int { return d.Y + 11 }
func (d drawnBar) End() int    { return 216 + d.Length }

// layout sorts the systems, the best first. One that leaves all others far behind is cut, so that they
// can be told apart.
func (p picture) layout(rows []row) layout {
	var of []*row
	for i := range rows {
		if rows[i].bench == p.bench && rows[i].metric == p.metric {
			of = append(of, &rows[i])
		}
	}
	slices.SortFunc(of, func(a, b *row) int {
		if p.least {
			a, b = b, a
		}
		return cmp.Compare(b.value(), a.value())
	})
	values := make([]float64, len(of))
	for i, r := range of {
		values[i] = r.value()
	}
	slices.Sort(values)
	longest := values[len(values)-1]
	if n := len(values); n > 1 && longest > 2*values[n-2] {
		longest = values[n-2] * 1.1
	}
	l := layout{Title: p.title, Width: 720, Height: 64 + 26*len(of)}
	for i, r := range of {
		b := drawnBar{Y: 40 + 26*i, Name: r.system, Label: p.label(r), Cut: r.value() > longest, Class: "far"}
		b.Length = max(1, int(360*min(r.value()/longest, 1)))
		switch {
		case r.system == ours:
			b.Class = ours
		case inOneProcess(r.system):
			b.Class = "near"
		}
		l.Bars = append(l.Bars, b)
	}
	l.Note = "green: this project · grey: another process · light: no process boundary, nothing is encoded"
	return l
}

var drawing = template.Must(template.New("").Funcs(template.FuncMap{"escape": escape}).Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="{{.Height}}" viewBox="0 0 {{.Width}} {{.Height}}" font-family="system-ui, sans-serif" font-size="13">
<style>
.ground { fill: #fff } text { fill: #1f2328 } .progeny { fill: #0b6e4f } .far { fill: #8c96a3 } .near { fill: #d5dae1 } .cut { stroke: #fff; stroke-width: 3 }
.note { font-size: 11px; fill: #59636e } .title, .own { font-weight: 600 }
</style>
<rect class="ground" width="{{.Width}}" height="{{.Height}}" rx="6"/>
<text class="title" x="16" y="25">{{escape .Title}}</text>
{{- range .Bars}}
<text{{if eq .Class "progeny"}} class="own"{{end}} x="208" y="{{.Middle}}" dy="4" text-anchor="end">{{escape .Name}}</text>
<rect class="{{.Class}}" x="216" y="{{.Y}}" width="{{.Length}}" height="20" rx="2"/>
{{- if .Cut}}<path class="cut" d="M556 {{.Y}} l-8 20"/>{{end}}
<text{{if eq .Class "progeny"}} class="own"{{end}} x="{{.End}}" y="{{.Middle}}" dx="6" dy="4">{{escape .Label}}</text>
{{- end}}
<text class="note" x="16" y="{{.Height}}" dy="-10">{{escape .Note}}</text>
</svg>
`))

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
