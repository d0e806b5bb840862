package codec

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// Append appends the encoding of v, one msgpack value, to dst and returns the
// longer slice, as append does. A nil v is msgpack's nil.
//
// Append sees to it that what it returns can be decoded: a value that is nested
// deeper than [MaxDepth], one that leads back to itself, and a type whose own
// encoder panics or writes anything but one value are errors, and so is what
// msgpack itself refuses. On an error dst is returned as it was.
//
// msgpack calls methods with pointer receivers, such as EncodeMsgpack, only where
// it has an address: pass a pointer to the value rather than the value. That
// also saves the allocation that makes an interface of a struct.
func Append(dst []byte, v any) ([]byte, error) {
	buf, err := appendValue(dst, v, "message", len(dst), maxContent)
	if err != nil {
		return dst, err
	}
	return buf, nil
}

// appendValue appends the encoding of v to buf. What begins at base and ends
// with it must not become longer than limit; what is the name of that.
func appendValue(buf []byte, v any, what string, base, limit int) ([]byte, error) {
	if p, at := planOf(v); p != nil {
		if buf, ok := p.append(buf, at, limit); ok && len(buf)-base <= limit {
			return buf, nil
		}
	}
	e := encoders.Get().(*encoder)
	e.buf, e.what, e.base, e.limit, e.err = buf, what, base, limit, nil
	e.scan.reset(len(buf), 1)
	e.plan(0)
	err := e.encode(v)
	written := len(e.buf) - len(buf)
	buf, e.buf = e.buf, nil
	if err != nil {
		// Whatever state msgpack's Encoder is in now, it is not used again.
		if _, ok := errors.AsType[*LimitError](err); ok {
			return nil, err
		}
		return nil, fmt.Errorf("codec: encode %T: %w", v, err)
	}
	if written <= maxPooled {
		encoders.Put(e)
	}
	return buf, nil
}

const (
	// maxPooled is the size in bytes of the largest message after which the
	// buffers inside a coder, which may be as large, are kept for the next one.
	maxPooled = 64 << 10

	// scanStep is how many bytes may be written between two looks at how deep
	// they nest: deep enough for no stack to overflow (an array of one costs
	// one byte and some hundred bytes of stack), rarely enough to cost nothing.
	scanStep = 16 << 10
)

var encoders = sync.Pool{New: func() any { return &encoder{msgpack: msgpack.NewEncoder(nil)} }}

// An encoder is the io.Writer and io.ByteWriter under msgpack's Encoder.
type encoder struct {
	msgpack *msgpack.Encoder
	buf     []byte
	what    string // names what base and limit are about
	base    int    // where in buf it begins
	limit   int    // the most bytes it may have
	stop    int    // how long buf may become before there is something to check
	err     error  // the first failure; sticky, as an encoder of the user's may ignore it
	scan    scanner
}

func (e *encoder) encode(v any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	e.msgpack.Reset(e)
	// Both sides are the same executable, so fields need no names: a small
	// struct takes 0.7 of the time both ways, and two thirds of the bytes.
	e.msgpack.UseArrayEncodedStructs(true)
	// A struct's own encoder is called as msgpack calls it, which looks for it by reflection each time (and, before it, for one
	// that was registered for the type: here its own comes first).
	if own, ok := v.(msgpack.CustomEncoder); ok && pointsToStruct(v) && !reflect.ValueOf(v).IsNil() {
		err = own.EncodeMsgpack(e.msgpack)
	} else {
		err = e.msgpack.Encode(v)
	}
	if e.err != nil {
		return e.err
	}
	if err != nil {
		return err
	}
	if err := e.scan.finish(e.buf); err != nil {
		return err
	}
	if e.scan.off != len(e.buf) {
		return errTrailing
	}
	return nil
}

func (e *encoder) Write(p []byte) (int, error) {
	if len(p) > e.stop-len(e.buf) && !e.check(len(p)) {
		return 0, e.err
	}
	e.buf = append(e.buf, p...)
	return len(p), nil
}

func (e *encoder) WriteByte(c byte) error {
	if len(e.buf) >= e.stop && !e.check(1) {
		return e.err
	}
	e.buf = append(e.buf, c)
	return nil
}

// check reports whether n more bytes may be written.
func (e *encoder) check(n int) bool {
	if e.err == nil {
		e.err = e.scan.advance(e.buf)
	}
	if size := len(e.buf) - e.base + n; e.err == nil && size > e.limit {
		e.err = &LimitError{What: e.what, Limit: e.limit, Size: size}
	}
	if e.err != nil {
		e.stop = 0
		return false
	}
	e.plan(n)
	return true
}

// plan sets how far the writer gets without a check after n more bytes, for
// which there is room.
func (e *encoder) plan(n int) {
	size := len(e.buf) - e.base + n
	e.stop = e.base + size + min(scanStep, e.limit-size)
}

var errTrailing = errors.New("more than one value")

// recovered makes an error of what a coder panicked with.
func recovered(r any) error {
	if err, ok := r.(error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic: %v", r)
}
