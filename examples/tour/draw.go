package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/progeny-go/progeny/actor"
)

// A twig is one actor or supervisor, and what is below it.
type twig struct {
	name  string
	info  actor.ChildInfo
	below []*twig
}

// tree returns all there is, as it is now.
func (s *stage) tree(ctx context.Context) ([]*twig, error) {
	return s.grow(ctx, s.sys.Children(), "")
}

func (s *stage) grow(ctx context.Context, infos iter.Seq[actor.ChildInfo], above string) (twigs []*twig, err error) {
	for info := range infos {
		t := &twig{name: info.Name, info: info}
		if t.name == "" {
			t.name = above + "/" + info.ID
		}
		s.names[info.Ref] = t.name
		twigs = append(twigs, t)
		children, err := info.Ref.Children(ctx)
		if _, down := errors.AsType[*actor.DownError](err); down || errors.Is(err, actor.ErrNotSupervisor) {
			continue // it has none
		}
		if err != nil {
			return nil, err
		}
		if t.below, err = s.grow(ctx, children, t.name); err != nil {
			return nil, err
		}
	}
	return twigs, nil
}

// all returns twigs and all that is below them.
func all(twigs []*twig) iter.Seq[*twig] {
	return func(yield func(*twig) bool) {
		for _, t := range twigs {
			if !yield(t) {
				return
			}
			for below := range all(t.below) {
				if !yield(below) {
					return
				}
			}
		}
	}
}

// find returns who is called that.
func (s *stage) find(ctx context.Context, name string) (actor.ChildInfo, error) {
	twigs, err := s.tree(ctx)
	for t := range all(twigs) {
		if t.name == name {
			return t.info, nil
		}
	}
	return actor.ChildInfo{}, errors.Join(err, fmt.Errorf("nobody is called %s", name))
}

// draw draws the tree. What is as it was in the last drawing is folded, unless
// the whole is wanted.
func (s *stage) draw(ctx context.Context, whole bool) error {
	twigs, err := s.tree(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "name\ttype\tstate\tpid\tprocess\trestarts\tthe last ended by")
	for _, t := range twigs {
		s.drawTwig(w, t, "", "", whole)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(s.out, strings.TrimRight("  "+line, " \n"))
	}
	clear(s.drawn)
	s.remember(actor.Ref{}, twigs)
	return nil
}

// A picture is what was drawn of a twig.
type picture struct {
	above actor.Ref
	name  string
	look  string
}

func (s *stage) remember(above actor.Ref, twigs []*twig) {
	for _, t := range twigs {
		s.drawn[t.info.Ref] = picture{above, t.name, t.look()}
		s.remember(t.info.Ref, t.below)
	}
}

// gone returns the names of those that were drawn below t and are there no more.
func (s *stage) gone(t *twig) (names []string) {
	for ref, p := range s.drawn {
		if p.above == t.info.Ref && !slices.ContainsFunc(t.below, func(b *twig) bool { return b.info.Ref == ref }) {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *stage) drawTwig(w *tabwriter.Writer, t *twig, fork, trunk string, whole bool) {
	fmt.Fprintf(w, "%s%s\t%s\n", fork, t.name, strings.Join(columns(t.info), "\t"))
	var shown []*twig
	for _, below := range t.below {
		if whole || s.isNew(below) {
			shown = append(shown, below)
		}
	}
	var rest []string // lines below those that are shown
	if !whole {
		for _, name := range s.gone(t) {
			rest = append(rest, name+"\t\tgone\t\t\t\t")
		}
	}
	if folded := len(t.below) - len(shown); folded > 0 {
		rest = append(rest, fmt.Sprintf("… %d as before\t\t\t\t\t\t", folded))
	}
	for i, below := range shown {
		if i == len(shown)-1 && len(rest) == 0 {
			s.drawTwig(w, below, trunk+"└─ ", trunk+"   ", whole)
		} else {
			s.drawTwig(w, below, trunk+"├─ ", trunk+"│  ", whole)
		}
	}
	for i, line := range rest {
		fork := "├─ "
		if i == len(rest)-1 {
			fork = "└─ "
		}
		fmt.Fprintf(w, "%s%s%s\n", trunk, fork, line)
	}
}

// isNew reports whether something of t is not as it was drawn.
func (s *stage) isNew(t *twig) bool {
	for t := range all([]*twig{t}) {
		if s.drawn[t.info.Ref].look != t.look() {
			return true
		}
	}
	return false
}

// look is what a drawing shows of t, and how many there are below.
func (t *twig) look() string { return fmt.Sprint(columns(t.info), len(t.below)) }

// columns returns what is shown of one, beside its name.
func columns(info actor.ChildInfo) []string {
	kind, pid, process, last := info.Type, "", "", ""
	switch {
	case info.Pool:
		kind = "pool"
	case info.Supervisor:
		kind = info.Strategy.String()
	}
	if info.Pid != 0 {
		pid = fmt.Sprint(info.Pid)
	}
	if !info.Supervisor && info.Incarnation > 0 {
		process = fmt.Sprintf("#%d", info.Incarnation)
	}
	// Those that count for its own budget or, if it has none, all.
	restarts := fmt.Sprint(info.Restarts)
	if info.Limit > 0 {
		restarts = fmt.Sprintf("%d/%d", info.Recent, info.Limit)
	}
	if info.Last != nil {
		last = info.Last.Error()
	}
	return []string{kind, info.State.String(), pid, process, restarts, last}
}
