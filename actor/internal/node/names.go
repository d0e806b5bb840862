package node

import (
	"sync"

	"github.com/progeny-go/progeny/codec"
)

// A registry holds the names of one system. A name belongs to its owner from
// before that starts until just before its end for good is told.
type registry struct {
	mu     sync.Mutex // protects the following
	owners map[string]*owner
}

type owner struct {
	id    codec.ID
	known bool // it came up once, and can be looked up
}

// take reports whether name was free; now it is id's. The empty name always is free, and
// an owner may take its name again.
func (r *registry) take(name string, id codec.ID) bool {
	if name == "" {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.owners[name]; o != nil {
		return o.id == id
	}
	r.owners[name] = &owner{id: id}
	return true
}

// publish makes the name visible.
func (r *registry) publish(name string, id codec.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.owners[name]; o != nil && o.id == id {
		o.known = true
	}
}

func (r *registry) free(name string, id codec.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.owners[name]; o != nil && o.id == id {
		delete(r.owners, name)
	}
}

func (r *registry) taken(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.owners[name] != nil
}

func (r *registry) lookup(name string) (codec.ID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.owners[name]
	if o == nil || !o.known {
		return codec.ID{}, false
	}
	return o.id, true
}
