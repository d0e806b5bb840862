package codec

import (
	"bytes"
	"math"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// FuzzSplit takes a stream apart: whole frames and only those, the same ones
// however the bytes arrive.
func FuzzSplit(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte{bin8, 3, 1, 2, 3, bin16, 0, 1, 9, bin32, 0, 0, 0, 0}, 100)
	f.Add([]byte{bin8, 101}, 100)
	f.Add([]byte{bin32, 0xff, 0xff, 0xff, 0xff}, 0)
	f.Add([]byte{0xc3, 1}, math.MaxInt)
	f.Add(mustFrame(f, sample([]byte("payload"))), -1)
	f.Fuzz(func(t *testing.T, stream []byte, limit int) {
		for rest := stream; ; {
			frame, n, need, err := Split(rest, limit)
			if err != nil {
				if n != 0 || need != 0 || frame != nil || !isLimit(err) && !isMalformed(err) {
					t.Fatalf("%d bytes, n %d, need %d, %v", len(frame), n, need, err)
				}
				return
			}
			if len(frame) > frameLimit(limit) || need > frameLimit(limit)+binHeader {
				t.Fatalf("%d bytes, need %d, limit %d", len(frame), need, limit)
			}
			if n == 0 {
				if frame != nil || need != 0 && need <= len(rest) {
					t.Fatalf("%d bytes of %d, n 0, need %d", len(frame), len(rest), need)
				}
				return
			}
			if n != need || n > len(rest) || !bytes.Equal(frame, rest[n-len(frame):n]) {
				t.Fatalf("%d bytes of %d, n %d, need %d", len(frame), len(rest), n, need)
			}
			if _, n, _, err := Split(rest[:n-1], limit); n != 0 || err != nil {
				t.Fatalf("without its last byte: n %d, %v", n, err)
			}
			rest = rest[n:]
		}
	})
}

// FuzzEnvelope decodes anything, and what decodes survives an encode and a
// decode unchanged.
func FuzzEnvelope(f *testing.F) {
	for _, e := range envelopes() {
		if frame := content(f, e); len(frame) < 1000 {
			f.Add(frame)
		}
	}
	grease := content(f, sample([]byte{1}))
	grease[0]++
	f.Add(append(bytes.Clone(grease), 0xc0))
	f.Add(append(bytes.Clone(grease), 0xcd, 1, 0))
	f.Add(append(bytes.Clone(grease), 0xff))
	grease[0]++
	f.Add(append(bytes.Clone(grease), 7, 0xc0))
	f.Add(append(bytes.Clone(grease), 0xcc, 200, 0x92, 0xd4, 5, 1, 0x81, 0xa1, 'k', 0xc0))
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		var e Envelope
		kind, peekErr := PeekKind(frame)
		if err := DecodeEnvelope(frame, &e); err != nil {
			if !isMalformed(err) || peekErr != nil && !isMalformed(peekErr) {
				t.Fatalf("%v, PeekKind: %v", err, peekErr)
			}
			return
		}
		if kind != e.Kind || peekErr != nil {
			t.Fatalf("PeekKind %d, %v; want %d", kind, peekErr, e.Kind)
		}
		again, err := AppendFrame(nil, &e, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got Envelope
		if err := DecodeEnvelope(again[binHeader:], &got); err != nil || !same(&got, &e) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, e)
		}
		if len(e.Payload) > 0 {
			raw, err := AppendMessage(nil, &e, msgpack.RawMessage(e.Payload), 0)
			if err == nil && !bytes.Equal(raw, again) {
				t.Fatalf("AppendMessage: %x\nAppendFrame: %x", raw, again)
			}
		}
	})
}

// FuzzDecode decodes anything into anything: no panic, and no more memory than
// the bytes warrant.
func FuzzDecode(f *testing.F) {
	v := everything()
	f.Add(mustAppend(f, &v))
	f.Add(mustAppend(f, &hello))
	f.Add(mustAppend(f, nest(100)))
	f.Add(mustAppend(f, nil))
	f.Add(mustAppend(f, []any{v.T, map[string]any{"M": v.T}}))
	for _, payload := range bombs() {
		f.Add(payload[:min(len(payload), 100)])
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, v := range targets() {
			before := allocated()
			err := Decode(payload, v)
			if grown := allocated() - before; grown > allowance(len(payload)) {
				t.Fatalf("into %T: allocated %d bytes for %d", v, grown, len(payload))
			}
			if err != nil {
				if !isMalformed(err) {
					t.Fatalf("into %T: %v", v, err)
				}
				continue
			}
			// What could be decoded can be encoded: its form is one of ours.
			if _, err := Append(nil, v); err != nil && !isOdd(v) {
				t.Fatalf("%T, decoded, does not encode: %v", v, err)
			}
		}
	})
}

// isOdd reports whether v is of a type that does not encode what it decodes: by
// design of these tests, or because msgpack writes nothing at all for the
// address of a nil RawMessage.
func isOdd(v any) bool {
	switch v.(type) {
	case *lazy, *rude, *greedy, *msgpack.RawMessage:
		return true
	}
	return false
}

// FuzzScan compares the scanner with msgpack's own Skip, and the scan of a whole
// with the scan of a growing buffer.
func FuzzScan(f *testing.F) {
	v := everything()
	f.Add(mustAppend(f, &v))
	f.Add([]byte{0x92, 0xd4, 5, 1, 0xc8, 0, 1, 5, 1})
	f.Add([]byte{0xde, 0, 1, 0xc0, 0xdc, 0, 1, 0xda, 0, 1, 'x'})
	for c := range 256 {
		f.Add([]byte{byte(c), 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
	}
	f.Fuzz(func(t *testing.T, buf []byte) {
		if len(buf) > 1000 {
			return
		}
		var whole, grown scanner
		whole.reset(0, 1)
		err := whole.finish(buf)

		grown.reset(0, 1)
		for i := range buf {
			if err := grown.advance(buf[:i:i]); err != nil {
				break
			}
		}
		if again := grown.finish(buf); again != err || err == nil && grown.off != whole.off {
			t.Fatalf("in steps %v at %d, at once %v at %d", again, grown.off, err, whole.off)
		}

		r := bytes.NewReader(buf)
		skipErr := msgpack.NewDecoder(r).Skip()
		if err == nil && (skipErr != nil || whole.off != len(buf)-r.Len()) {
			t.Fatalf("scanned %d bytes, Skip %d, %v", whole.off, len(buf)-r.Len(), skipErr)
		}
		if err != nil && skipErr == nil && err != errInterned && err != errEmptyExt {
			t.Fatalf("scan: %v, Skip: %d bytes", err, len(buf)-r.Len())
		}
	})
}
