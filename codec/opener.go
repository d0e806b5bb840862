package codec

import (
	"bytes"
	"encoding/binary"
)

// openerLimit is how many bytes of the last envelope an Opener remembers at most.
const openerLimit = 256

// An Opener decodes envelopes as [DecodeEnvelope] does, quicker if each resembles the one before: from one
// sender to one receiver messages of one type differ in their numbers and their payload. What is the same
// bytes again is not looked at again: 8 ns instead of 60 if the numbers are the same too (BenchmarkOpener), 16 if not. The zero Opener is
// ready for use, by one goroutine at a time.
type Opener struct {
	last Envelope
	same bool // see Same

	head      []byte // the bytes before the payload of the last frame that was read as a whole; Type and Trace are from here
	corr, typ int    // where these begin in head
	numbers   struct {
		corr     uint64
		deadline int64
	} // of head
}

// Open returns what frame says. It is the Opener's, and valid until the next call, as are Type and Trace; Payload is part
// of frame, whose memory lives as long: see Release. The fields must not be changed. An error is that of
// DecodeEnvelope.
func (o *Opener) Open(frame []byte) (*Envelope, error) {
	if o.same = o.again(frame); o.same {
		return &o.last, nil
	}
	o.head = o.head[:0]
	m, err := decodeEnvelope(frame, &o.last)
	if err == nil && m.plain && m.payload <= openerLimit {
		o.remember(frame, m)
	}
	return &o.last, err
}

// Same reports whether the last envelope had the Kind, To, From, Type, Trace and Key of the one before. It may be false
// although it had.
func (o *Opener) Same() bool { return o.same }

// Release drops what there is of the last frame's memory.
func (o *Opener) Release() { o.last.Payload = nil }

// Forget makes the next envelope resemble none.
func (o *Opener) Forget() { o.head = o.head[:0] }

// again reads a frame whose envelope is the last one with other numbers and another payload. It reports false,
// with last spoilt, if it is not.
func (o *Opener) again(frame []byte) bool {
	n := len(o.head)
	if n == 0 {
		return false
	}
	// Most Tells differ in their payload only: one look at all before it takes half the time of four at its parts.
	if len(frame) >= n+binHeader && string(frame[:n]) == string(o.head) && frame[n] == bin32 {
		payload := frame[n+binHeader:]
		if uint64(binary.BigEndian.Uint32(frame[n+1:])) != uint64(len(payload)) {
			return false
		}
		o.last.Corr, o.last.Deadline, o.last.Payload = o.numbers.corr, o.numbers.deadline, payload
		return true
	}
	if len(frame) < o.corr || !bytes.Equal(frame[:o.corr], o.head[:o.corr]) {
		return false
	}
	corr, rest, ok := splitUint(frame[o.corr:])
	if !ok {
		return false
	}
	deadline, rest, ok := splitInt(rest)
	if !ok || deadline < 0 { // or more than an int64 holds
		return false
	}
	names := o.head[o.typ:]
	if len(rest) < len(names) || !bytes.Equal(rest[:len(names)], names) {
		return false
	}
	payload, rest, ok := splitBytes(rest[len(names):])
	if !ok || len(rest) > 0 {
		return false
	}
	o.last.Corr, o.last.Deadline, o.last.Payload = corr, deadline, payload
	return true
}

func (o *Opener) remember(frame []byte, m marks) {
	o.head = append(o.head[:0], frame[:m.payload]...)
	o.corr, o.typ = m.corr, m.typ
	o.numbers.corr, o.numbers.deadline = o.last.Corr, o.last.Deadline
	typ, rest, _ := splitString(o.head[m.typ:])
	o.last.Type, o.last.Trace = typ, nil
	if trace, _, ok := splitBytes(rest); ok {
		o.last.Trace = trace
	}
}
