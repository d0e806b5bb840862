package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A resource is something that a group can do; each has its own file.
type resource int

const (
	memory resource = iota
	cpu
	tasks
	kill
	resources
)

// controller names, those of both versions. Kill has none.
var controllers = [resources]string{memory: "memory", cpu: "cpu", tasks: "pids"}

// A hierarchy is a tree of control groups: the only one of version 2, or one of
// version 1.
type hierarchy struct {
	version int
	home    string // the group that the program's threads are in
	parent  string // the group that new groups are made in
}

// A Manager makes groups. It holds nothing open, needs no closing, and is safe
// for concurrent use.
type Manager struct {
	at      [resources]*hierarchy // nil where it does not work
	reasons [resources][]string
}

// Open finds out where this program may make control groups, by making some and
// removing them. It may move the program into a group of its own, as the package
// documentation says, and removes what earlier programs left. That nothing works
// is not an error: see Capabilities.
//
// It takes a few milliseconds; call it once. If the program is moved to another
// group afterwards, what the Manager knows is out of date.
func Open() *Manager {
	m := &Manager{}
	here, err := locate()
	if err != nil {
		for r := range resources {
			m.reasons[r] = []string{err.Error()}
		}
		return m
	}
	m.openUnified(here)
	m.openLegacy(here)
	for _, h := range m.hierarchies(func(resource) bool { return true }) {
		sweep(h.parent)
	}
	return m
}

// Capabilities says what works here.
func (m *Manager) Capabilities() Capabilities {
	return Capabilities{m.support(memory), m.support(cpu), m.support(tasks), m.support(kill)}
}

func (m *Manager) support(r resource) Support {
	if m.at[r] != nil {
		return Support{Version: m.at[r].version}
	}
	return Support{Reason: strings.Join(m.reasons[r], "; ")}
}

// give says that r works in h, unless it has been found elsewhere.
func (m *Manager) give(r resource, h *hierarchy) {
	if m.at[r] == nil {
		m.at[r] = h
	}
}

// refuse notes why r does not work in that version.
func (m *Manager) refuse(r resource, version int, err error) {
	m.reasons[r] = append(m.reasons[r], fmt.Sprintf("cgroup v%d: %v", version, err))
}

// hierarchies returns those in which the wanted resources are, each once, version
// 2 first.
func (m *Manager) hierarchies(wanted func(resource) bool) []*hierarchy {
	var found []*hierarchy
	for r, h := range m.at {
		if h != nil && wanted(resource(r)) && !slices.Contains(found, h) {
			found = append(found, h)
		}
	}
	slices.SortStableFunc(found, func(a, b *hierarchy) int { return b.version - a.version })
	return found
}

// Create makes a group with these limits; name is for errors. All its processes
// can be killed, if that works here, and its memory is counted if it is limited.
//
// A limit that does not work here is an error that wraps [errors.ErrUnsupported]
// and gives the reason; so is a group when nothing works. After an error nothing
// is left.
func (m *Manager) Create(name string, l Limits) (*Group, error) {
	g, err := m.create(name, l)
	if err != nil {
		return nil, fmt.Errorf("cgroup %s: %w", name, err)
	}
	return g, nil
}

func (m *Manager) create(name string, l Limits) (*Group, error) {
	if err := l.validate(); err != nil {
		return nil, err
	}
	asked := [resources]bool{memory: l.Memory > 0, cpu: l.CPU > 0, tasks: l.Processes > 0}
	for r, what := range [resources]string{memory: "memory limit", cpu: "CPU limit", tasks: "limit of processes"} {
		if asked[r] && m.at[r] == nil {
			return nil, m.unsupported(what, resource(r))
		}
	}
	asked[kill] = true
	wanted := func(r resource) bool { return asked[r] }
	parents := m.hierarchies(wanted)
	if len(parents) == 0 {
		return nil, m.unsupported("group", kill)
	}
	base, err := makeGroup(parents)
	if err != nil {
		return nil, err
	}
	g := &Group{name: name, limits: l}
	for _, h := range parents {
		p := &place{hierarchy: h, dir: h.parent + "/" + base}
		g.places = append(g.places, p)
		for r := range resources {
			if wanted(r) && m.at[r] == h {
				g.at[r] = p
			}
		}
	}
	if err := g.limitEarly(); err != nil {
		g.remove()
		return nil, err
	}
	return g, nil
}

func (m *Manager) unsupported(what string, r resource) error {
	return fmt.Errorf("%s: %w: %s", what, errors.ErrUnsupported, m.support(r).Reason)
}

// probe makes a group in h, lets look look at it, and removes it.
func (h *hierarchy) probe(look func(dir string) error) error {
	name, err := makeGroup([]*hierarchy{h})
	if err != nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err // without the name, which nobody knows
		}
		return fmt.Errorf("groups cannot be made in %s (%w)", h.parent, err)
	}
	dir := h.parent + "/" + name
	return errors.Join(look(dir), removeTree(dir))
}
