package codec

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// MaxDepth is how deep arrays and maps may nest in a message. msgpack's Encoder
// and Decoder call themselves once or more per level, so that without a bound 16 MB
// of nested arrays, or a pointer that leads back to itself, end the program by
// stack overflow, which nothing can recover from. It is the bound of
// encoding/json.
const MaxDepth = 10_000

var (
	errDepth    = fmt.Errorf("nested deeper than %d", MaxDepth)
	errUnused   = errors.New("byte 0xc1, which means nothing in msgpack")
	errInterned = errors.New("interned string, which only one library understands")
	errEmptyExt = errors.New("empty extension")
)

// A scanner walks over msgpack values without decoding them. What it has passed is
// whole: each array and map has the elements, and each string the bytes, that its
// header promises. A decoder that believes those headers then allocates in
// proportion to bytes that exist.
//
// The buffer may grow between two calls of advance, so that a value can be
// scanned while it is written.
type scanner struct {
	off  int      // the next byte to look at
	left uint64   // how many values the innermost array or map, or the top, still lacks
	open []uint64 // the same for those around it, outermost first
	exts []int    // where the bodies of extensions begin, ascending
}

// reset prepares s for n values from off on.
func (s *scanner) reset(off int, n uint64) {
	s.off, s.left, s.open, s.exts = off, n, s.open[:0], s.exts[:0]
}

// finish scans the rest of the values, all of which must be in buf.
func (s *scanner) finish(buf []byte) error {
	if err := s.advance(buf); err != nil {
		return err
	}
	if s.left > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// advance scans as far as whole strings, numbers and headers are in buf.
func (s *scanner) advance(buf []byte) error {
	off, left := s.off, s.left
	for left > 0 && off < len(buf) {
		size, inner := int(sizes[buf[off]]), uint64(0)
		if size == 0 {
			var err error
			if size, inner, err = s.header(buf, off); err != nil {
				return err
			}
		}
		if size > len(buf)-off {
			break
		}
		off += size
		left--
		if inner > 0 {
			if len(s.open) == MaxDepth {
				return errDepth
			}
			s.open = append(s.open, left)
			left = inner
		}
		for left == 0 && len(s.open) > 0 {
			left = s.open[len(s.open)-1]
			s.open = s.open[:len(s.open)-1]
		}
	}
	s.off, s.left = off, left
	return nil
}

// missing is the size of what buf does not show the size of yet.
const missing = math.MaxInt

// header looks at what starts at off and has no size of its own in sizes. Of a
// string or an extension it returns the whole size, of an array or a map the
// size of its header and how many values are in it.
func (s *scanner) header(buf []byte, off int) (size int, inner uint64, err error) {
	c := buf[off]
	switch {
	case c&0xf0 == 0x80:
		return 1, 2 * uint64(c&0x0f), nil
	case c&0xf0 == 0x90:
		return 1, uint64(c & 0x0f), nil
	case c >= 0xd4 && c <= 0xd8:
		return s.ext(buf, off, 2, 1<<(c-0xd4))
	}

	var width int // of the length that follows
	switch {
	case c == 0xc1:
		return 0, 0, errUnused
	case c <= 0xc6: // bin
		width = 1 << (c - 0xc4)
	case c <= 0xc9: // ext
		width = 1 << (c - 0xc7)
	case c <= 0xdb: // str
		width = 1 << (c - 0xd9)
	case c <= 0xdd: // array
		width = 2 << (c - 0xdc)
	default: // map
		width = 2 << (c - 0xde)
	}
	if width >= len(buf)-off {
		return missing, 0, nil
	}
	n := bigEndian(buf[off+1 : off+1+width])
	switch {
	case c >= 0xde:
		return 1 + width, 2 * n, nil
	case c >= 0xdc:
		return 1 + width, n, nil
	case c >= 0xc7 && c <= 0xc9:
		return s.ext(buf, off, 2+width, n)
	}
	return add(1+width, n), 0, nil
}

// ext looks at an extension at off, whose body of n bytes comes after a header,
// the last byte of which is the type.
func (s *scanner) ext(buf []byte, off, header int, n uint64) (size int, inner uint64, err error) {
	if size = add(header, n); size > len(buf)-off {
		return missing, 0, nil
	}
	if int8(buf[off+header-1]) == math.MinInt8 {
		return 0, 0, errInterned
	}
	if n == 0 {
		return 0, 0, errEmptyExt // it has no first byte for decoder to guard
	}
	s.exts = append(s.exts, off+header)
	return size, 0, nil
}

// add returns header + n, or missing where an int cannot count that.
func add(header int, n uint64) int {
	return int(min(uint64(header)+n, missing))
}

// HasMoreValues reports whether a payload has, or says that it has, more than so many msgpack values, those in arrays and
// maps counted. A value can be one byte, and a hundred times as large when it is decoded: so who decodes for
// strangers may want to know. It allocates nothing to speak of; what is malformed it leaves to Decode to find.
func HasMoreValues(payload []byte, most int) bool {
	var s scanner
	known, off := uint64(1), 0
	for n := uint64(0); n < known && off < len(payload); n++ {
		size, inner := int(sizes[payload[off]]), uint64(0)
		if size == 0 {
			var err error
			if size, inner, err = s.header(payload, off); err != nil {
				return false
			}
			s.exts = s.exts[:0]
		}
		if known += inner; known > uint64(most) {
			return true
		}
		if size > len(payload)-off {
			return false
		}
		off += size
	}
	return false
}

// sizes has the size of each value whose first byte says it all, and 0 for the
// others.
var sizes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c <= 0x7f || c >= 0xe0: // fixint
			t[c] = 1
		case c >= 0xa0 && c <= 0xbf: // fixstr
			t[c] = uint8(1 + c&0x1f)
		case c == 0xc0 || c == 0xc2 || c == 0xc3: // nil, false, true
			t[c] = 1
		case c == 0xca || c == 0xcb: // float
			t[c] = 1 + 4<<(c-0xca)
		case c >= 0xcc && c <= 0xcf: // uint
			t[c] = 1 + 1<<(c-0xcc)
		case c >= 0xd0 && c <= 0xd3: // int
			t[c] = 1 + 1<<(c-0xd0)
		}
	}
	return t
}()
