package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// DefaultFrameLimit is the limit, in bytes, of one frame's content; its header
// is not counted. A limit of zero or less means DefaultFrameLimit wherever one
// is asked for.
const DefaultFrameLimit = 16 << 20

const (
	bin8  = 0xc4
	bin16 = 0xc5
	bin32 = 0xc6

	// binHeader is the size of the header that is written before a frame and
	// before its payload: bin32 and four bytes of length, whatever the length,
	// so that both lengths can be filled in when the content is there.
	binHeader = 5

	// maxContent is what the four bytes can say and an int can count.
	maxContent = int(min(math.MaxUint32, uint64(math.MaxInt-binHeader)))
)

func frameLimit(limit int) int {
	if limit <= 0 {
		return DefaultFrameLimit
	}
	return min(limit, maxContent)
}

// AppendFrame appends the frame of e to dst and returns the longer slice, as
// append does. It allocates only where dst has not the room.
//
// If the content would be longer than limit, AppendFrame returns dst as it was
// and a [*LimitError].
func AppendFrame(dst []byte, e *Envelope, limit int) ([]byte, error) {
	limit = frameLimit(limit)
	tail := tailSize(e)
	buf := slices.Grow(dst, maxHead+len(e.Type)+len(e.Trace)+min(len(e.Payload), limit)+tail)
	buf = appendHead(buf, e)
	start := len(dst) + binHeader
	if size := len(buf) - start + len(e.Payload) + tail; size > limit {
		return dst, &LimitError{What: "frame", Limit: limit, Size: size}
	}
	payload := len(buf)
	buf = append(buf, e.Payload...)
	fill(buf, payload)
	buf = appendTail(buf, start, e)
	fill(buf, start)
	return buf, nil
}

// AppendMessage is AppendFrame with the encoding of v, as [Append] makes it, for
// the payload; e.Payload is ignored. The value is encoded in place and copied
// nowhere.
//
// On an error dst is returned as it was: a [*LimitError] if the content would be
// longer than limit, otherwise the reason why v cannot be encoded.
func AppendMessage(dst []byte, e *Envelope, v any, limit int) ([]byte, error) {
	limit = frameLimit(limit)
	tail := tailSize(e)
	buf := slices.Grow(dst, maxHead+len(e.Type)+len(e.Trace))
	buf = appendHead(buf, e)
	start, payload := len(dst)+binHeader, len(buf)
	if size := payload - start + tail; size > limit {
		return dst, &LimitError{What: "frame", Limit: limit, Size: size}
	}
	buf, err := appendValue(buf, v, "frame", start-tail, limit) // as if the tail came first
	if err != nil {
		return dst, err
	}
	fill(buf, payload)
	buf = appendTail(buf, start, e)
	fill(buf, start)
	return buf, nil
}

// fill writes the bin32 header of the content that begins at start and ends
// with buf.
func fill(buf []byte, start int) {
	header := buf[start-binHeader : start]
	header[0] = bin32
	binary.BigEndian.PutUint32(header[1:], uint32(len(buf)-start))
}

// Split looks at the frame at the head of buf.
//
// If it is complete, frame is its content, a part of buf, and n is how many
// bytes of buf it takes, its header included. If it is not, n is 0 and err is
// nil. In both cases need is how many bytes the frame takes in all if its header
// says so yet, and 0 if it does not; it is the sender's claim, which
// costs the sender five bytes: allocate as bytes arrive, not as need says.
//
// A frame whose header says more than limit is a [*LimitError], and one that
// does not start with the header of a msgpack bin a [*MalformedError], both as
// soon as the header is there. Split neither allocates nor keeps buf, but for an
// error.
func Split(buf []byte, limit int) (frame []byte, n, need int, err error) {
	if len(buf) >= binHeader && buf[0] == bin32 { // as it is written
		size := uint64(binary.BigEndian.Uint32(buf[1:]))
		if size <= uint64(len(buf)-binHeader) && size <= uint64(frameLimit(limit)) {
			need = binHeader + int(size)
			return buf[binHeader:need:need], need, need, nil
		}
	}
	if len(buf) == 0 {
		return nil, 0, 0, nil
	}
	if buf[0] < bin8 || buf[0] > bin32 {
		return nil, 0, 0, &MalformedError{Detail: fmt.Sprintf("frame: starts with %#02x, which is no bin", buf[0])}
	}
	width := 1 << (buf[0] - bin8)
	if len(buf) < 1+width {
		return nil, 0, 0, nil
	}
	size, header := bigEndian(buf[1:1+width]), 1+width
	if limit = frameLimit(limit); size > uint64(limit) {
		return nil, 0, 0, &LimitError{What: "frame", Limit: limit, Size: int(min(size, math.MaxInt))}
	}
	need = header + int(size)
	if len(buf) < need {
		return nil, 0, need, nil
	}
	return buf[header:need:need], need, need, nil
}

// bigEndian returns the number that one, two, four or eight bytes are.
func bigEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	default:
		return binary.BigEndian.Uint64(b)
	}
}
