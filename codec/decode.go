package codec

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

// Decode sets what v points to from payload, which must be exactly one msgpack
// value. It keeps nothing of payload, and it uses what v holds already as
// msgpack does: slices with room are filled in place, maps are added to.
//
// payload need not be trusted. Whatever its bytes are, Decode does not panic and
// does not overflow the stack (see [MaxDepth]), and it allocates in proportion
// to the bytes that are there, never to a length that is only claimed; the factor is
// the size that v's type gives to one element, which can be one byte of payload.
// Only what a type's own decoder does is that type's business; if it panics, that is
// an error too.
//
// What does not fit is a [*MalformedError] and may leave v partly set. That v is
// no pointer is an error of its own.
func Decode(payload []byte, v any) error {
	var d Decoder
	return d.Decode(payload, v)
}

// A Decoder does what [Decode] does, quicker if v is of the same type each time. The zero Decoder is ready for use, by one
// goroutine at a time.
type Decoder struct {
	typ  unsafe.Pointer // of the v that had plan: a pointer's
	plan *plan
}

// Decode is [Decode].
func (d *Decoder) Decode(payload []byte, v any) error {
	held := (*interfaceValue)(unsafe.Pointer(&v))
	if d.plan == nil || d.typ != held.typ || held.data == nil {
		if rv := reflect.ValueOf(v); rv.Kind() != reflect.Pointer || rv.IsNil() {
			return fmt.Errorf("codec: decode into %T: want a pointer that is not nil", v)
		}
		d.plan, _ = planOf(v)
		d.typ = held.typ
	}
	if d.plan != nil {
		if rest, ok := d.plan.decode(payload, held.data); ok && len(rest) == 0 {
			return nil
		}
	}
	return decodeSlowly(payload, v)
}

// decodeSlowly is Decode by msgpack.
func decodeSlowly(payload []byte, v any) error {
	d := decoders.Get().(*decoder)
	d.scan.reset(0, 1)
	err := d.scan.finish(payload)
	if err == nil && d.scan.off != len(payload) {
		err = errTrailing
	}
	if err != nil {
		d.release(len(payload))
		return &MalformedError{Detail: "payload", Err: err}
	}
	if err := d.decode(payload, v); err != nil {
		// Whatever state msgpack's Decoder is in now, it is not used again.
		return &MalformedError{Detail: fmt.Sprintf("payload: decode into %T", v), Err: err}
	}
	d.release(len(payload))
	return nil
}

var decoders = sync.Pool{New: func() any { return &decoder{msgpack: msgpack.NewDecoder(nil)} }}

// A decoder is the io.Reader and io.ByteScanner under msgpack's Decoder. It reads a
// payload that its scanner has passed, and keeps the Decoder from reading
// anything else into it.
//
// That takes one precaution: where a type wants a map and the payload has an
// extension, the Decoder takes the extension's body for the map, with lengths that
// nobody has checked. It then reads the body's first byte alone, whereas
// whoever decodes an extension reads the body as a whole. So a byte at the
// start of a body is refused.
type decoder struct {
	msgpack *msgpack.Decoder
	buf     []byte
	off     int   // the next byte to read
	stop    int   // up to where ReadByte has nothing to check: the next of exts, or the end
	exts    []int // what is left of scan.exts
	scan    scanner
}

var errExtension = errors.New("extension where the type has none")

func (d *decoder) decode(payload []byte, v any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = recovered(r)
		}
	}()
	d.buf, d.off, d.stop, d.exts = payload, 0, 0, d.scan.exts
	d.msgpack.Reset(d)
	// A struct's own decoder is called as msgpack calls it, which looks for it by reflection each time.
	if own, ok := v.(msgpack.CustomDecoder); ok && pointsToStruct(v) && payload[0] != 0xc0 { // a nil is msgpack's
		err = own.DecodeMsgpack(d.msgpack)
	} else {
		err = d.msgpack.Decode(v)
	}
	if err != nil {
		return err
	}
	if d.off != len(payload) {
		return errTrailing
	}
	return nil
}

// pointsToStruct says whether v is a pointer to a struct.
func pointsToStruct(v any) bool {
	t := reflect.TypeOf(v)
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// release gives d back to the pool unless a payload of n bytes has left much
// memory in it.
func (d *decoder) release(n int) {
	d.buf, d.exts = nil, nil
	if n <= maxPooled {
		decoders.Put(d)
	}
}

// Read and ReadByte say io.ErrUnexpectedEOF at the end, not io.EOF, which
// callers of Decode could take for the end of a stream.
func (d *decoder) Read(p []byte) (int, error) {
	n := copy(p, d.buf[d.off:])
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	d.off += n
	return n, nil
}

func (d *decoder) ReadByte() (byte, error) {
	if d.off >= d.stop {
		if err := d.check(); err != nil {
			return 0, err
		}
	}
	c := d.buf[d.off]
	d.off++
	return c, nil
}

// check sets stop anew and says whether the byte at off may be read alone.
func (d *decoder) check() error {
	for len(d.exts) > 0 && d.exts[0] < d.off {
		d.exts = d.exts[1:]
	}
	switch {
	case d.off >= len(d.buf):
		return io.ErrUnexpectedEOF
	case len(d.exts) == 0:
		d.stop = len(d.buf)
	case d.exts[0] == d.off:
		return errExtension
	default:
		d.stop = d.exts[0]
	}
	return nil
}

// UnreadByte makes the next read start at the byte that ReadByte returned last.
func (d *decoder) UnreadByte() error {
	if d.off == 0 {
		return errors.New("nothing to unread")
	}
	d.off--
	return nil
}
