package actor

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/progeny-go/progeny/codec"
)

// The name of a message type is its package path and name, "main.Hello"; of a
// type without a name, its Go notation, "[]string". A pointer has the name of
// what it points to. An interface has none.

// typeNames caches the names: reflect makes a new string each time.
var typeNames sync.Map // reflect.Type → string

func typeName(t reflect.Type) string {
	if name, ok := typeNames.Load(t); ok {
		return name.(string)
	}
	base := t
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	var name string
	switch {
	case base.Kind() == reflect.Interface:
	case base.PkgPath() != "":
		name = base.PkgPath() + "." + base.Name()
	default:
		name = base.String()
	}
	typeNames.Store(t, name)
	return name
}

// nameFor returns the name of a static type.
func nameFor[T any]() string { return typeName(reflect.TypeFor[T]()) }

// nameOf returns the name of a value's type; of nil, "".
func nameOf(v any) string {
	if v == nil {
		return ""
	}
	return typeName(reflect.TypeOf(v))
}

// types decodes messages of a few known types.
type types map[string]reflect.Type

func newTypes(examples []any) types {
	ts := make(types)
	for _, e := range examples {
		if e == nil {
			panic("actor: nil is no example of a message type")
		}
		ts[nameOf(e)] = reflect.TypeOf(e)
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
