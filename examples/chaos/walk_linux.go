package main

import (
	"context"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// A leaf is an actor, or another child, with its place in the tree.
type leaf struct {
	info       actor.ChildInfo
	path       string
	sup        actor.Ref
	supervised bool // sup is a supervisor, not an actor
}

// walk looks through the whole tree. What disappears meanwhile is left out.
func (r *runner) walk() (leaves, sups []leaf, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var below func(of actor.Ref, path string, supervised bool) error
	below = func(of actor.Ref, path string, supervised bool) error {
		children, err := of.Children(ctx)
		if err != nil {
			return err
		}
		for info := range children {
			l := leaf{info: info, path: path + "/" + info.ID, sup: of, supervised: supervised}
			switch {
			case info.Supervisor:
				sups = append(sups, l)
				below(info.Ref, l.path, true)
			default:
				leaves = append(leaves, l)
				if info.Type == parent.Name() {
					below(info.Ref, l.path, false)
				}
			}
		}
		return nil
	}
	err = below(r.top, "top", true)
	return leaves, sups, err
}
