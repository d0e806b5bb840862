package codec

import (
	"bytes"
	"encoding"
	"reflect"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

// A plan encodes and decodes a struct of plain fields: numbers, bools, strings, bytes, and
// slices and structs of those. It writes what msgpack writes, byte for byte, in a fifth of the time:
// msgpack finds its way by reflection, for each field of each message anew, and that was
// half of what a small message cost from process to process. Everything else is msgpack's: maps,
// pointers, interfaces, types with methods or tags that have to do with encoding, and each
// payload that a plan does not expect, whether it is wrong or only written otherwise.
type plan struct {
	fields []planField
}

// planField is how one field is encoded, or one element of a slice.
type planField struct {
	kind   reflect.Kind // of the field; Slice not of bytes or strings
	offset uintptr
	size   int          // of an array of bytes, or an element of a slice
	typ    reflect.Type // of a slice
	elem   *planField   // of a slice
	fields *plan        // of a struct
}

// Kinds of fields that have no reflect.Kind of their own.
const (
	kindBytes     = reflect.UnsafePointer + 1 + iota // []byte
	kindByteArray                                    // [n]byte
	kindStrings                                      // []string
)

// planAfter is how often msgpack does a type before it gets a plan: most types of a process
// that has just begun are seen once, and a plan would come too late.
const planAfter = 32

// planned is what is known of a type.
type planned struct {
	uses atomic.Int32
	plan atomic.Pointer[plan] // nil before planAfter, and for types that can have none
}

// plans has what is known of each type.
var plans = TypeTable[planned]{New: func(reflect.Type) *planned { return new(planned) }}

// planOf returns the plan for what v holds, a struct or a pointer to one, and where that is;
// nil if there is none, or not yet.
func planOf(v any) (*plan, unsafe.Pointer) {
	if v == nil {
		return nil, nil
	}
	typ := reflect.TypeOf(v)
	of := plans.For(typ)
	p := of.plan.Load()
	if p == nil && of.uses.Load() < planAfter && of.uses.Add(1) == planAfter {
		p = makePlan(typ)
		of.plan.Store(p)
	}
	data := (*interfaceValue)(unsafe.Pointer(&v)).data
	if p == nil || data == nil {
		return nil, nil
	}
	return p, data
}

// makePlan returns the plan for a type, or nil if it is msgpack's.
func makePlan(t reflect.Type) *plan {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	f, ok := planFor(t, nil)
	if !ok || !f.fields.agrees(t) {
		return nil
	}
	return f.fields
}

// encodings are the interfaces by which a type tells msgpack how it is encoded.
var encodings = []reflect.Type{
	reflect.TypeFor[msgpack.CustomEncoder](), reflect.TypeFor[msgpack.CustomDecoder](),
	reflect.TypeFor[msgpack.Marshaler](), reflect.TypeFor[msgpack.Unmarshaler](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
}

// planFor says how a value of type t is encoded, inside of those in outer.
func planFor(t reflect.Type, outer []reflect.Type) (planField, bool) {
	for _, i := range encodings {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return planField{}, false
		}
	}
	f := planField{kind: t.Kind()}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return f, true
	case reflect.Array:
		f.kind, f.size = kindByteArray, t.Len()
		return f, t.Elem().Kind() == reflect.Uint8
	case reflect.Slice:
		elem, ok := planFor(t.Elem(), outer)
		switch {
		case t.Elem().Kind() == reflect.Uint8:
			f.kind = kindBytes
		case t.Elem() == reflect.TypeFor[string]():
			f.kind = kindStrings
		default:
			f.typ, f.elem, f.size = t, &elem, int(t.Elem().Size())
		}
		return f, ok
	case reflect.Struct:
		var ok bool
		f.fields, ok = planStruct(t, outer)
		return f, ok
	}
	return f, false
}

func planStruct(t reflect.Type, outer []reflect.Type) (*plan, bool) {
	if slices.Contains(outer, t) {
		return nil, false // a slice of itself
	}
	outer = append(outer, t)
	p := new(plan)
	for sf := range t.Fields() {
		_, tagged := sf.Tag.Lookup("msgpack")
		if tagged || sf.Anonymous || sf.Name == "_msgpack" {
			return nil, false
		}
		if !sf.IsExported() {
			continue
		}
		f, ok := planFor(sf.Type, outer)
		if !ok {
			return nil, false
		}
		f.offset = sf.Offset
		p.fields = append(p.fields, f)
	}
	// Of a struct without fields that are encoded, msgpack resets those that are not.
	return p, len(p.fields) > 0 || t.NumField() == 0
}

// agrees reports whether msgpack does with values of type t what p does. It need not: for any type
// an encoding of its own can be registered.
func (p *plan) agrees(t reflect.Type) bool {
	filled := reflect.New(t)
	fillSample(filled.Elem(), 1)
	for _, sample := range []reflect.Value{reflect.New(t), filled} {
		var theirs bytes.Buffer
		e := msgpack.NewEncoder(&theirs)
		e.UseArrayEncodedStructs(true)
		if e.EncodeValue(sample.Elem()) != nil {
			return false
		}
		ours, ok := p.append(nil, sample.UnsafePointer(), maxContent)
		if !ok || !bytes.Equal(ours, theirs.Bytes()) {
			return false
		}
		a, b := reflect.New(t), reflect.New(t)
		rest, ok := p.decode(ours, a.UnsafePointer())
		if !ok || len(rest) > 0 || msgpack.Unmarshal(ours, b.Interface()) != nil || !reflect.DeepEqual(a.Interface(), b.Interface()) {
			return false
		}
	}
	return true
}

// fillSample sets everything in v that can be set to something that is not zero.
func fillSample(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("text")
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(n))
	case reflect.Array:
		for i := range v.Len() {
			fillSample(v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillSample(v.Index(0), n+1)
		fillSample(v.Index(1), n+2)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fillSample(v.Field(i), n+i)
			}
		}
	}
}
