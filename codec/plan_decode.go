package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"unsafe"
)

// decode sets the struct at v from the head of b and returns the rest. It reports false
// for what it does not expect; v may be set in part then, as msgpack would have set it.
func (p *plan) decode(b []byte, v unsafe.Pointer) (rest []byte, ok bool) {
	n, b, ok := splitArrayLen(b)
	if !ok || n != len(p.fields) {
		return nil, false
	}
	for i := range p.fields {
		f := &p.fields[i]
		at := unsafe.Add(v, f.offset)
		// What msgpack writes for the most usual kinds, here: nothing is called for it, and nothing sliced twice.
		switch f.kind {
		case reflect.Int64:
			if len(b) >= 9 && b[0] == 0xd3 {
				*(*int64)(at) = int64(binary.BigEndian.Uint64(b[1:]))
				b = b[9:]
				continue
			}
		case reflect.Uint64:
			if len(b) >= 9 && b[0] == 0xcf {
				*(*uint64)(at) = binary.BigEndian.Uint64(b[1:])
				b = b[9:]
				continue
			}
		case reflect.String:
			if len(b) > 0 && b[0]&0xe0 == 0xa0 {
				if size := 1 + int(b[0]&0x1f); size <= len(b) {
					*(*string)(at) = string(b[1:size])
					b = b[size:]
					continue
				}
			}
		case kindByteArray:
			if size := 2 + f.size; size <= len(b) && b[0] == bin8 && int(b[1]) == f.size {
				copy(unsafe.Slice((*byte)(at), f.size), b[2:size])
				b = b[size:]
				continue
			}
		}
		if b, ok = f.decode(b, at); !ok {
			return nil, false
		}
	}
	return b, true
}

func (f *planField) decode(b []byte, v unsafe.Pointer) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	switch f.kind {
	case reflect.Bool:
		*(*bool)(v) = b[0] == 0xc3
		return b[1:], b[0]&^1 == 0xc2
	case reflect.String:
		s, rest, ok := splitString(b)
		if ok {
			*(*string)(v) = string(s)
		}
		return rest, ok
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, rest, ok := splitInt(b)
		if !ok {
			return nil, false
		}
		setInteger(f.kind, v, uint64(n))
		return rest, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, rest, ok := splitUint(b)
		if !ok {
			return nil, false
		}
		setInteger(f.kind, v, n)
		return rest, true
	case reflect.Float32:
		if b[0] != 0xca || len(b) < 5 {
			return nil, false
		}
		*(*float32)(v) = math.Float32frombits(binary.BigEndian.Uint32(b[1:]))
		return b[5:], true
	case reflect.Float64:
		if b[0] != 0xcb || len(b) < 9 {
			return nil, false
		}
		*(*float64)(v) = math.Float64frombits(binary.BigEndian.Uint64(b[1:]))
		return b[9:], true
	case kindByteArray:
		content, rest, ok := splitBytes(b)
		if !ok || len(content) != f.size {
			return nil, false
		}
		copy(unsafe.Slice((*byte)(v), f.size), content)
		return rest, true
	case kindBytes:
		set := (*[]byte)(v)
		if b[0] == 0xc0 {
			*set = nil
			return b[1:], true
		}
		content, rest, ok := splitBytes(b)
		if !ok {
			return nil, false
		}
		if *set == nil || cap(*set) < len(content) {
			*set = bytes.Clone(content) // make would set it to zero first
		} else {
			*set = append((*set)[:0], content...)
		}
		return rest, true
	case kindStrings:
		return decodeStrings(b, (*[]string)(v))
	case reflect.Struct:
		return f.fields.decode(b, v)
	}
	return f.decodeSlice(b, v)
}

func decodeStrings(b []byte, set *[]string) (rest []byte, ok bool) {
	if b[0] == 0xc0 {
		return b[1:], true // msgpack leaves what is there
	}
	n, b, ok := splitArrayLen(b)
	if !ok || n > len(b) { // each has a byte
		return nil, false
	}
	if *set == nil || cap(*set) < n {
		*set = make([]string, n)
	}
	*set = (*set)[:n]
	for i := range *set {
		var s []byte
		if s, b, ok = splitString(b); !ok {
			return nil, false
		}
		(*set)[i] = string(s)
	}
	return b, true
}

// decodeSlice fills a slice in place, or a new one if it is nil. One with too little room is msgpack's:
// it takes over what is in there.
func (f *planField) decodeSlice(b []byte, v unsafe.Pointer) (rest []byte, ok bool) {
	if b[0] == 0xc0 {
		reflect.NewAt(f.typ, v).Elem().SetZero()
		return b[1:], true
	}
	n, b, ok := splitArrayLen(b)
	if !ok || n > len(b) { // each has a byte
		return nil, false
	}
	s := (*slice)(v)
	switch {
	case s.data == nil:
		reflect.NewAt(f.typ, v).Elem().Set(reflect.MakeSlice(f.typ, n, n))
	case s.cap < n:
		return nil, false
	default:
		s.len = n
	}
	for i := range n {
		if b, ok = f.elem.decode(b, unsafe.Add(s.data, i*f.size)); !ok {
			return nil, false
		}
	}
	return b, true
}

// setInteger sets an integer of any kind to the lowest bits of n: with a sign or without, they are the same.
func setInteger(kind reflect.Kind, v unsafe.Pointer, n uint64) {
	switch kind {
	case reflect.Int64, reflect.Uint64:
		*(*uint64)(v) = n
	case reflect.Int, reflect.Uint:
		*(*uint)(v) = uint(n)
	case reflect.Int32, reflect.Uint32:
		*(*uint32)(v) = uint32(n)
	case reflect.Int16, reflect.Uint16:
		*(*uint16)(v) = uint16(n)
	default:
		*(*uint8)(v) = uint8(n)
	}
}
