package codec

import (
	"encoding/binary"
	"math"
	"reflect"
	"unsafe"
)

// append appends the struct at v to buf. It reports false for one that is longer than limit, for which
// msgpack's way has the error.
func (p *plan) append(buf []byte, v unsafe.Pointer, limit int) (_ []byte, ok bool) {
	buf = appendArrayLen(buf, len(p.fields))
	for i := range p.fields {
		f := &p.fields[i]
		if buf, ok = f.append(buf, unsafe.Add(v, f.offset), limit); !ok {
			return nil, false
		}
	}
	return buf, true
}

func (f *planField) append(buf []byte, v unsafe.Pointer, limit int) ([]byte, bool) {
	switch f.kind {
	case reflect.Bool:
		if *(*bool)(v) {
			return append(buf, 0xc3), true
		}
		return append(buf, 0xc2), true
	case reflect.String:
		s := *(*string)(v)
		if len(s) > limit {
			return nil, false
		}
		return append(appendStringLen(buf, len(s)), s...), true
	case reflect.Int:
		return appendInt(buf, int64(*(*int)(v))), true
	case reflect.Int8:
		return append(buf, 0xd0, byte(*(*int8)(v))), true
	case reflect.Int16:
		return binary.BigEndian.AppendUint16(append(buf, 0xd1), uint16(*(*int16)(v))), true
	case reflect.Int32:
		return binary.BigEndian.AppendUint32(append(buf, 0xd2), uint32(*(*int32)(v))), true
	case reflect.Int64:
		return binary.BigEndian.AppendUint64(append(buf, 0xd3), uint64(*(*int64)(v))), true
	case reflect.Uint:
		return appendUint(buf, uint64(*(*uint)(v))), true
	case reflect.Uint8:
		return append(buf, 0xcc, *(*uint8)(v)), true
	case reflect.Uint16:
		return binary.BigEndian.AppendUint16(append(buf, 0xcd), *(*uint16)(v)), true
	case reflect.Uint32:
		return binary.BigEndian.AppendUint32(append(buf, 0xce), *(*uint32)(v)), true
	case reflect.Uint64:
		return binary.BigEndian.AppendUint64(append(buf, 0xcf), *(*uint64)(v)), true
	case reflect.Float32:
		return binary.BigEndian.AppendUint32(append(buf, 0xca), math.Float32bits(*(*float32)(v))), true
	case reflect.Float64:
		return binary.BigEndian.AppendUint64(append(buf, 0xcb), math.Float64bits(*(*float64)(v))), true
	case kindByteArray:
		b := unsafe.Slice((*byte)(v), f.size)
		return append(appendLength(buf, bin8, len(b)), b...), true
	case kindBytes:
		b := *(*[]byte)(v)
		if b == nil {
			return append(buf, 0xc0), true
		}
		if len(b) > limit {
			return nil, false
		}
		return append(appendLength(buf, bin8, len(b)), b...), true
	case kindStrings:
		return appendStrings(buf, *(*[]string)(v), limit)
	case reflect.Struct:
		return f.fields.append(buf, v, limit)
	}
	return f.appendSlice(buf, v, limit)
}

func appendStrings(buf []byte, list []string, limit int) ([]byte, bool) {
	if list == nil {
		return append(buf, 0xc0), true
	}
	base := len(buf)
	buf = appendArrayLen(buf, len(list))
	for _, s := range list {
		if len(buf)-base+len(s) > limit {
			return nil, false
		}
		buf = append(appendStringLen(buf, len(s)), s...)
	}
	return buf, true
}

// A slice is how any slice lies in memory.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

func (f *planField) appendSlice(buf []byte, v unsafe.Pointer, limit int) (_ []byte, ok bool) {
	s := (*slice)(v)
	if s.data == nil {
		return append(buf, 0xc0), true
	}
	base := len(buf)
	buf = appendArrayLen(buf, s.len)
	for i := range s.len {
		if buf, ok = f.elem.append(buf, unsafe.Add(s.data, i*f.size), limit); !ok || len(buf)-base > limit {
			return nil, false
		}
	}
	return buf, true
}

func appendStringLen(buf []byte, n int) []byte {
	if n < 32 {
		return append(buf, 0xa0|byte(n))
	}
	return appendLength(buf, 0xd9, n)
}

func appendArrayLen(buf []byte, n int) []byte {
	switch {
	case n < 16:
		return append(buf, 0x90|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(buf, 0xdc), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(buf, 0xdd), uint32(n))
}
