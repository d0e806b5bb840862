package actor

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/progeny-go/progeny/codec"
)

// The name of a message type is its package path and name, "main.Hello"; of a
// type without a name, its Go notation, "[]string". A pointer has the name of
// what it points to. An interface has none.

// A name is a type's name in both forms, so that a message needs no conversion,
// and what else is to be known of a type for each message.
type name struct {
	text  string
	bytes []byte                   // not to be changed
	key   func(message any) uint64 // its routing key; nil if it has none
}

// names caches them: reflect makes a new string each time. What is looked up again and again is found in a copy that is
// never changed: a sync.Map takes twice the time.
var names struct {
	copied atomic.Pointer[map[reflect.Type]*name] // nil before the first

	mu     sync.Mutex // protects the following
	all    map[reflect.Type]*name
	missed int // lookups that the copy was no help for
}

// fewNames is how many lookups are missed, beside one for each name, before a copy is made: a process to which few
// messages come has none.
const fewNames = 32

func typeName(t reflect.Type) *name {
	if known := names.copied.Load(); known != nil {
		if n := (*known)[t]; n != nil {
			return n
		}
	}
	names.mu.Lock()
	defer names.mu.Unlock()
	n := names.all[t]
	if n == nil {
		if names.all == nil {
			names.all = make(map[reflect.Type]*name)
		}
		n = newName(t)
		names.all[t] = n
	}
	if names.missed++; names.missed > len(names.all)+fewNames {
		names.missed = 0
		names.copied.Store(new(maps.Clone(names.all)))
	}
	return n
}

// newName makes what is known of a type.
func newName(t reflect.Type) *name {
	base := t
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	var text string
	switch {
	case base.Kind() == reflect.Interface:
	case base.PkgPath() != "":
		text = base.PkgPath() + "." + base.Name()
	default:
		text = base.String()
	}
	return &name{text, []byte(text), keyOf(t)}
}

// nameFor returns the name of a static type.
func nameFor[T any]() *name { return typeName(reflect.TypeFor[T]()) }

// nameOf returns the name of a value's type; of nil, an empty one.
func nameOf(v any) *name {
	if v == nil {
		return &name{}
	}
	return typeName(reflect.TypeOf(v))
}

// keyOf returns the routing key of a message of this type; 0 if it has none.
func (n *name) keyOf(message any) uint64 {
	if n.key == nil {
		return 0
	}
	return n.key(message)
}

// types decodes messages of a few known types.
type types map[string]reflect.Type

func newTypes(examples []any) types {
	ts := make(types)
	for _, e := range examples {
		if e == nil {
			panic("actor: nil is no example of a message type")
		}
		ts[nameOf(e).text] = reflect.TypeOf(e)
	}
	return ts
}

func (ts types) names() []string {
	var names []string
	for name := range ts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// decode returns a value of the named type, or a *Raw.
func (ts types) decode(name string, payload []byte) (any, error) {
	t, ok := ts[name]
	if !ok {
		return &Raw{Type: name, Payload: payload}, nil
	}
	v := reflect.New(t)
	if err := codec.Decode(payload, v.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	return v.Elem().Interface(), nil
}
