package codec

import (
	"errors"
	"reflect"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// ownPacket encodes itself.
type ownPacket struct {
	Seq  uint64
	At   int64
	Name string
	Data [26]byte

	calls int // of DecodeMsgpack
}

func (p *ownPacket) EncodeMsgpack(e *msgpack.Encoder) error {
	return errors.Join(e.EncodeArrayLen(4), e.EncodeUint64(p.Seq), e.EncodeInt64(p.At), e.EncodeString(p.Name), e.EncodeBytes(p.Data[:]))
}

func (p *ownPacket) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	p.calls++
	if _, err = d.DecodeArrayLen(); err != nil {
		return err
	}
	if p.Seq, err = d.DecodeUint64(); err != nil {
		return err
	}
	if p.At, err = d.DecodeInt64(); err != nil {
		return err
	}
	if p.Name, err = d.DecodeString(); err != nil {
		return err
	}
	if _, err = d.DecodeBytesLen(); err != nil {
		return err
	}
	return d.ReadFull(p.Data[:])
}

// ownMap is no struct, and nil as such: only msgpack knows what becomes of that.
type ownMap map[string]int

func (m ownMap) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeInt(int64(len(m))) }

// TestOwnMethodsAsMsgpack checks that what encodes itself is written, and read, as msgpack does it.
func TestOwnMethodsAsMsgpack(t *testing.T) {
	packet := &ownPacket{Seq: 7, At: -1, Name: "name", Data: [26]byte{25: 1}}
	type holder struct{ P *ownPacket }
	held := holder{packet}
	var none *ownPacket
	var noMap ownMap
	for _, v := range []any{packet, *packet, none, held, &held, []*ownPacket{packet, nil}, noMap, &noMap, ownMap{"a": 1}, &ownMap{"a": 1}} {
		want, wantErr := msgpack.Marshal(v)
		got, err := Append(nil, v)
		if (err == nil) != (wantErr == nil) {
			t.Errorf("%T: %v; msgpack: %v", v, err, wantErr)
			continue
		}
		switch v.(type) {
		case holder, *holder:
			continue // msgpack.Marshal names the fields
		}
		if string(got) != string(want) {
			t.Errorf("%T: %x; msgpack: %x", v, got, want)
		}
	}
	payload, err := Append(nil, packet)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range [][]byte{payload, {0xc0}} {
		got, want := ownPacket{Name: "before"}, ownPacket{Name: "before"}
		if err := Decode(payload, &got); err != nil {
			t.Error(err)
		}
		if err := msgpack.Unmarshal(payload, &want); err != nil {
			t.Error(err)
		}
		if got != want {
			t.Errorf("%x: %+v; msgpack: %+v", payload, got, want)
		}
		got2, want2 := &ownPacket{Name: "before"}, &ownPacket{Name: "before"}
		if err := Decode(payload, &got2); err != nil {
			t.Error(err)
		}
		if err := msgpack.Unmarshal(payload, &want2); err != nil {
			t.Error(err)
		}
		if !reflect.DeepEqual(got2, want2) {
			t.Errorf("%x: %+v; msgpack: %+v", payload, got2, want2)
		}
	}
}

// badOwn does what an encoder must not.
type badOwn struct {
	do func(e *msgpack.Encoder) error
}

func (b *badOwn) EncodeMsgpack(e *msgpack.Encoder) error { return b.do(e) }

// badReader is a decoder of its own that does what it must not.
type badReader struct {
	do func(d *msgpack.Decoder) error
}

func (b *badReader) DecodeMsgpack(d *msgpack.Decoder) error { return b.do(d) }

// TestOwnMethodsAreChecked checks that a method that is called straight is trusted no more than through msgpack.
func TestOwnMethodsAreChecked(t *testing.T) {
	deep := func(e *msgpack.Encoder) error {
		for range MaxDepth + 1 {
			if err := e.EncodeArrayLen(1); err != nil {
				return err
			}
		}
		return e.EncodeNil()
	}
	for name, do := range map[string]func(e *msgpack.Encoder) error{
		"nothing":  func(*msgpack.Encoder) error { return nil },
		"two":      func(e *msgpack.Encoder) error { return errors.Join(e.EncodeNil(), e.EncodeNil()) },
		"part":     func(e *msgpack.Encoder) error { return e.EncodeArrayLen(2) },
		"panic":    func(*msgpack.Encoder) error { panic("on purpose") },
		"too deep": deep,
	} {
		if got, err := Append([]byte{1}, &badOwn{do}); err == nil || string(got) != "\x01" {
			t.Errorf("an encoder that writes %s: %x, %v", name, got, err)
		}
	}
	if _, err := AppendMessage(nil, &Envelope{}, &badOwn{func(e *msgpack.Encoder) error { return e.EncodeBytes(make([]byte, 4096)) }}, 1024); !isLimitError(err) {
		t.Errorf("an encoder that writes more than the limit: %v", err)
	}
	payload, err := Append(nil, []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(d *msgpack.Decoder) error{
		"nothing": func(*msgpack.Decoder) error { return nil },
		"part":    func(d *msgpack.Decoder) error { _, err := d.DecodeArrayLen(); return err },
		"more":    func(d *msgpack.Decoder) error { return errors.Join(d.Skip(), d.Skip()) },
		"panic":   func(*msgpack.Decoder) error { panic("on purpose") },
	} {
		err := Decode(payload, &badReader{do})
		if _, ok := errors.AsType[*MalformedError](err); !ok {
			t.Errorf("a decoder that reads %s: %v", name, err)
		}
	}
	if err := Decode(payload, (*badReader)(nil)); err == nil {
		t.Error("a nil pointer to what decodes itself is no error")
	}
}

func isLimitError(err error) bool {
	_, ok := errors.AsType[*LimitError](err)
	return ok
}

// BenchmarkOwnEncode and BenchmarkOwnDecode are of a message of 64 bytes that encodes itself.
func BenchmarkOwnEncode(b *testing.B) {
	p := &ownPacket{At: 1 << 60, Name: "sixteen letters!"}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = Append(buf[:0], p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOwnDecode(b *testing.B) {
	payload, err := Append(nil, &ownPacket{At: 1 << 60, Name: "sixteen letters!"})
	if err != nil {
		b.Fatal(err)
	}
	var p ownPacket
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(payload, &p); err != nil {
			b.Fatal(err)
		}
	}
}
