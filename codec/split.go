package codec

import "encoding/binary"

// What takes one value from the head of bytes, in the ways that this package and msgpack write it, and returns the
// rest. It reports false for anything else, for which there is a slower way.

// splitUint takes a number that is not negative from the head of b.
func splitUint(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	c := b[0]
	if c <= 0x7f {
		return uint64(c), b[1:], true
	}
	if c < 0xcc || c > 0xcf {
		return 0, nil, false
	}
	size := 1 << (c - 0xcc)
	if len(b) <= size {
		return 0, nil, false
	}
	return bigEndian(b[1 : 1+size]), b[1+size:], true
}

// splitInt takes any whole number from the head of b.
func splitInt(b []byte) (n int64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	switch c := b[0]; {
	case c == 0xd3 && len(b) >= 9:
		return int64(binary.BigEndian.Uint64(b[1:])), b[9:], true
	case c == 0xd2 && len(b) >= 5:
		return int64(int32(binary.BigEndian.Uint32(b[1:]))), b[5:], true
	case c == 0xd1 && len(b) >= 3:
		return int64(int16(binary.BigEndian.Uint16(b[1:]))), b[3:], true
	case c == 0xd0 && len(b) >= 2:
		return int64(int8(b[1])), b[2:], true
	case c >= 0xe0:
		return int64(int8(c)), b[1:], true
	}
	u, rest, ok := splitUint(b)
	return int64(u), rest, ok
}

// splitString takes a string from the head of b.
func splitString(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	c := b[0]
	if c&0xe0 == 0xa0 {
		return split(b, 1, uint64(c&0x1f))
	}
	if c < 0xd9 || c > 0xdb {
		return nil, nil, false
	}
	return splitLong(b, 1<<(c-0xd9))
}

// splitBytes takes bytes from the head of b.
func splitBytes(b []byte) (content, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	c := b[0]
	if c < 0xc4 || c > 0xc6 {
		return nil, nil, false
	}
	return splitLong(b, 1<<(c-0xc4))
}

// splitLong takes what has a length of so many bytes.
func splitLong(b []byte, width int) (content, rest []byte, ok bool) {
	if len(b) <= width {
		return nil, nil, false
	}
	return split(b, 1+width, bigEndian(b[1:1+width]))
}

func split(b []byte, header int, n uint64) (content, rest []byte, ok bool) {
	if n > uint64(len(b)-header) {
		return nil, nil, false
	}
	end := header + int(n)
	return b[header:end:end], b[end:], true
}

// splitArrayLen takes the header of an array.
func splitArrayLen(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
	case b[0]&0xf0 == 0x90:
		return int(b[0] & 0x0f), b[1:], true
	case b[0] == 0xdc && len(b) >= 3:
		return int(binary.BigEndian.Uint16(b[1:])), b[3:], true
	case b[0] == 0xdd && len(b) >= 5:
		return int(binary.BigEndian.Uint32(b[1:])), b[5:], true
	}
	return 0, nil, false
}
