package codec

import (
	"fmt"
	"io"
	"math"
)

// A parser reads the elements of an envelope. After its first failure it stands
// at the end of buf, where every further read fails too and changes nothing.
type parser struct {
	buf []byte
	off int   // the next byte to read
	err error // the first failure, a *MalformedError
}

// fail records that at off there is not what was expected; cause may be nil.
func (p *parser) fail(off int, expected string, cause error) {
	if p.err == nil {
		p.err = &MalformedError{Detail: fmt.Sprintf("envelope: byte %d: want %s", off, expected), Err: cause}
	}
	p.off = len(p.buf)
}

// code returns the next byte, which says what follows. Its failure returns
// 0xc1, which msgpack never uses, so that no caller takes it for anything.
func (p *parser) code(expected string) byte {
	if p.off >= len(p.buf) {
		p.fail(p.off, expected, io.ErrUnexpectedEOF)
		return 0xc1
	}
	c := p.buf[p.off]
	p.off++
	return c
}

// take returns the next n bytes, or nil if there are not as many.
func (p *parser) take(n uint64, expected string) []byte {
	if n > uint64(len(p.buf)-p.off) {
		p.fail(p.off, expected, io.ErrUnexpectedEOF)
		return nil
	}
	b := p.buf[p.off : p.off+int(n) : p.off+int(n)]
	p.off += int(n)
	return b
}

// length returns the number that the next width bytes are.
func (p *parser) length(width int, expected string) uint64 {
	b := p.take(uint64(width), expected)
	if b == nil {
		return 0
	}
	return bigEndian(b)
}

// arrayLen reads the header of an array of at least as many elements as an
// envelope has.
func (p *parser) arrayLen() uint64 {
	const expected = "an array of 8 or more"
	start := p.off
	var n uint64
	switch c := p.code(expected); {
	case c&0xf0 == 0x90:
		n = uint64(c & 0x0f)
	case c == 0xdc:
		n = p.length(2, expected)
	case c == 0xdd:
		n = p.length(4, expected)
	}
	if n < elements {
		p.fail(start, expected, nil)
	}
	return n
}

// integer reads an integer; expected says which. It returns the bits of it as
// an int64 has them, and whether it is negative.
func (p *parser) integer(expected string) (bits uint64, negative bool) {
	c := p.code(expected)
	switch {
	case c <= 0x7f:
		return uint64(c), false
	case c >= 0xe0:
		return uint64(int8(c)), true
	case c >= 0xcc && c <= 0xcf:
		return p.length(1<<(c-0xcc), expected), false
	case c >= 0xd0 && c <= 0xd3:
		width := 1 << (c - 0xd0)
		unused := 64 - 8*width
		bits = uint64(int64(p.length(width, expected)<<unused) >> unused)
		return bits, int64(bits) < 0
	}
	p.fail(p.off-1, expected, nil)
	return 0, false
}

func (p *parser) uint() uint64 {
	const expected = "a correlation from 0 to 2⁶⁴−1"
	start := p.off
	u, negative := p.integer(expected)
	if negative {
		p.fail(start, expected, nil)
	}
	return u
}

// key reads a key, or a nil, for which it returns 0.
func (p *parser) key() uint64 {
	const expected = "a key from 0 to 2⁶⁴−1 or nil"
	if p.off < len(p.buf) && p.buf[p.off] == 0xc0 {
		p.off++
		return 0
	}
	start := p.off
	u, negative := p.integer(expected)
	if negative {
		p.fail(start, expected, nil)
	}
	return u
}

func (p *parser) int() int64 {
	const expected = "a deadline from −2⁶³ to 2⁶³−1"
	start := p.off
	u, negative := p.integer(expected)
	if !negative && u > math.MaxInt64 {
		p.fail(start, expected, nil)
	}
	return int64(u)
}

func (p *parser) kind() Kind {
	const expected = "a kind from 0 to 255"
	start := p.off
	u, negative := p.integer(expected)
	if negative || u > math.MaxUint8 {
		p.fail(start, expected, nil)
		return 0
	}
	return Kind(u)
}

func (p *parser) id() (id ID) {
	const expected = "an ID of 16 bytes or nil"
	start := p.off
	b := p.bin(true, expected)
	if len(b) == len(id) {
		return ID(b)
	}
	if b != nil {
		p.fail(start, expected, nil)
	}
	return id
}

// str reads a str, whatever the encoding of its bytes.
func (p *parser) str() []byte {
	const expected = "a type that is a str"
	c := p.code(expected)
	switch {
	case c&0xe0 == 0xa0:
		return p.take(uint64(c&0x1f), expected)
	case c >= 0xd9 && c <= 0xdb:
		return p.take(p.length(1<<(c-0xd9), expected), expected)
	}
	p.fail(p.off-1, expected, nil)
	return nil
}

// bin reads a bin, or if it may be nil a nil, for which it returns nil.
func (p *parser) bin(orNil bool, expected string) []byte {
	c := p.code(expected)
	switch {
	case c >= bin8 && c <= bin32:
		return p.take(p.length(1<<(c-bin8), expected), expected)
	case c == 0xc0 && orNil:
		return nil
	}
	p.fail(p.off-1, expected, nil)
	return nil
}

// skip reads over n values of any sort.
func (p *parser) skip(n uint64) {
	d := decoders.Get().(*decoder)
	d.scan.reset(p.off, n)
	if err := d.scan.finish(p.buf); err != nil {
		p.fail(d.scan.off, fmt.Sprintf("%d elements to skip", n), err)
	} else {
		p.off = d.scan.off
	}
	d.release(len(p.buf))
}
