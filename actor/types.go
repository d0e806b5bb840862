package actor

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// The name of a message type is its package path and name, "main.Hello"; of a
// type without a name, its Go notation, "[]string". A pointer has the name of
// what it points to. An interface has none.

// messageTypes caches what is known of each type: reflect makes a new string each time.
var messageTypes = codec.TypeTable[wire.MessageType]{New: newMessageType}

// newMessageType finds out what is to be known of a type.
func newMessageType(t reflect.Type) *wire.MessageType {
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
	return &wire.MessageType{Name: name, Text: []byte(name), Key: keyOf(t)}
}

// typeFor returns what is known of a static type.
func typeFor[T any]() *wire.MessageType { return messageTypes.For(reflect.TypeFor[T]()) }

// typeOf returns what is known of a value's type.
func typeOf(v any) *wire.MessageType {
	if v == nil {
		return new(wire.MessageType)
	}
	return messageTypes.For(reflect.TypeOf(v))
}

// types decodes messages of a few known types.
type types map[string]reflect.Type

func newTypes(examples []any) types {
	ts := make(types)
	for _, e := range examples {
		if e == nil {
			panic("actor: nil is no example of a message type")
		}
		ts[typeOf(e).Name] = reflect.TypeOf(e)
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
