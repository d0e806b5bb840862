package codec

import (
	"math"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// The hot paths do not allocate once their buffers are large enough. Under the
// race detector sync.Pool drops items on purpose, which allocates.
func TestAllocations(t *testing.T) {
	var e Envelope
	var got fixed
	buf := mustFrame(t, sample(make([]byte, 64)))
	frame := content(t, sample(make([]byte, 64)))
	payload := mustAppend(t, &fixed{1, 2, 3.5, true})
	byHand, gotByHand := &manual{1, 2}, manual{}
	byHandPayload := mustAppend(t, byHand)
	in, v := sample(make([]byte, 64)), &fixed{}
	withKey, keyFrame := keyed(in.Payload, math.MaxUint64), content(t, keyed(in.Payload, math.MaxUint64))
	dst := make([]byte, 0, 4096)
	for _, c := range []struct {
		name   string
		pooled bool
		want   float64
		f      func() error
	}{
		{"AppendFrame", false, 0, func() (err error) { _, err = AppendFrame(dst, in, 0); return }},
		{"Split", false, 0, func() (err error) { _, _, _, err = Split(buf, 0); return }},
		{"DecodeEnvelope", false, 0, func() error { return DecodeEnvelope(frame, &e) }},
		{"AppendFrame with a key", false, 0, func() (err error) { _, err = AppendFrame(dst, withKey, 0); return }},
		{"DecodeEnvelope with a key", false, 0, func() error { return DecodeEnvelope(keyFrame, &e) }},
		{"PeekCorr", false, 0, func() (err error) { _, _, err = PeekCorr(frame); return }},
		{"PeekKind", false, 0, func() (err error) { _, err = PeekKind(frame); return }},
		{"AppendMessage", true, 0, func() (err error) { _, err = AppendMessage(dst, in, v, 0); return }},
		{"AppendMessage with a key", true, 0, func() (err error) { _, err = AppendMessage(dst, withKey, v, 0); return }},
		{"Append", true, 0, func() (err error) { _, err = Append(dst, v); return }},
		{"Decode", true, 0, func() error { return Decode(payload, &got) }},
		// Who encodes by hand need not pay for that.
		{"Append by hand", true, 0, func() (err error) { _, err = Append(dst, byHand); return }},
		{"AppendMessage by hand", true, 0, func() (err error) { _, err = AppendMessage(dst, in, byHand, 0); return }},
		{"Decode by hand", true, 0, func() error { return Decode(byHandPayload, &gotByHand) }},
	} {
		if c.pooled && raceDetector {
			continue
		}
		if n := testing.AllocsPerRun(1000, func() {
			if err := c.f(); err != nil {
				t.Fatal(err)
			}
		}); n != c.want {
			t.Errorf("%s allocates %v times, want %v", c.name, n, c.want)
		}
	}
}

// manual is a message that encodes itself.
type manual struct{ A, B int64 }

func (m *manual) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeArrayLen(2); err != nil {
		return err
	}
	if err := e.EncodeInt(m.A); err != nil {
		return err
	}
	return e.EncodeInt(m.B)
}

func (m *manual) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	if _, err = d.DecodeArrayLen(); err != nil {
		return err
	}
	if m.A, err = d.DecodeInt64(); err != nil {
		return err
	}
	m.B, err = d.DecodeInt64()
	return err
}

// fixed is a message that holds no memory of its own.
type fixed struct {
	A int
	B uint64
	C float64
	D bool
}
