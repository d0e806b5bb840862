package codec

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// greeting is a message of some 64 bytes.
type greeting struct {
	Name string
	Text string
	Seq  int
	At   int64
	Loud bool
}

var hello = greeting{Name: "gopher", Text: "hello from elsewhere", Seq: 4711, At: 1_700_000_000_000_000_000, Loud: true}

// blob is a message of one large field.
type blob struct{ Data []byte }

// sample is an envelope with every element set.
func sample(payload []byte) *Envelope {
	return &Envelope{
		Kind:     3,
		To:       ID([]byte("to-to-to-to-to-t")),
		From:     ID([]byte("from-from-from-f")),
		Corr:     70_000,
		Deadline: 1_700_000_000_000_000_000,
		Type:     []byte("main.Hello"),
		Trace:    []byte("00-4bf92f3577b34da6"),
		Payload:  payload,
	}
}

// sizes of payloads
var payloads = []struct {
	name string
	size int
}{{"64B", 64}, {"1KiB", 1 << 10}, {"1MiB", 1 << 20}}

func BenchmarkAppendFrame(b *testing.B) {
	for _, p := range payloads {
		b.Run(p.name, func(b *testing.B) {
			e := sample(make([]byte, p.size))
			var buf []byte
			b.ReportAllocs()
			b.SetBytes(int64(p.size))
			for b.Loop() {
				var err error
				if buf, err = AppendFrame(buf[:0], e, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	for _, p := range payloads {
		b.Run(p.name, func(b *testing.B) {
			buf, err := AppendFrame(nil, sample(make([]byte, p.size)), 0)
			if err != nil {
				b.Fatal(err)
			}
			var e Envelope
			b.ReportAllocs()
			b.SetBytes(int64(p.size))
			for b.Loop() {
				frame, _, _, err := Split(buf, 0)
				if err == nil {
					err = DecodeEnvelope(frame, &e)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMessage is a message's whole way: encode it into a frame, split the
// frame, decode the envelope, decode the message.
func BenchmarkMessage(b *testing.B) {
	way := func(b *testing.B, in, out any) {
		e := sample(nil)
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if buf, err = AppendMessage(buf[:0], e, in, 0); err != nil {
				b.Fatal(err)
			}
			frame, _, _, err := Split(buf, 0)
			if err != nil {
				b.Fatal(err)
			}
			var got Envelope
			if err = DecodeEnvelope(frame, &got); err != nil {
				b.Fatal(err)
			}
			if err = Decode(got.Payload, out); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(buf)))
	}
	b.Run("64B", func(b *testing.B) { way(b, &hello, new(greeting)) })
	b.Run("1KiB", func(b *testing.B) { way(b, &blob{make([]byte, 1<<10)}, new(blob)) })
	b.Run("1MiB", func(b *testing.B) { way(b, &blob{make([]byte, 1<<20)}, new(blob)) })
}

func BenchmarkAppendMessage(b *testing.B) {
	e := sample(nil)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = AppendMessage(buf[:0], e, &hello, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = Append(buf[:0], &hello); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	buf, err := Append(nil, &hello)
	if err != nil {
		b.Fatal(err)
	}
	var got greeting
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(buf, &got); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkByHand is a message that encodes and decodes itself.
func BenchmarkByHand(b *testing.B) {
	in, out := &manual{1 << 40, 1 << 60}, new(manual)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = Append(buf[:0], in); err != nil {
			b.Fatal(err)
		}
		if err = Decode(buf, out); err != nil {
			b.Fatal(err)
		}
	}
	if *out != *in {
		b.Errorf("got %v, want %v", *out, *in)
	}
}

// BenchmarkPeekKind is how the reader of an actor tells a Tell from the rest.
func BenchmarkPeekKind(b *testing.B) {
	buf, err := AppendFrame(nil, sample(make([]byte, 64)), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		content, _, _, err := Split(buf, 0)
		if err == nil {
			_, err = PeekKind(content)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScan is what the scan costs that comes before a Decode and after an
// Append.
func BenchmarkScan(b *testing.B) {
	small, err := Append(nil, &hello)
	if err != nil {
		b.Fatal(err)
	}
	large, err := Append(nil, make([]greeting, 16<<10))
	if err != nil {
		b.Fatal(err)
	}
	for _, payload := range [][]byte{small, large} {
		b.Run(fmt.Sprintf("%dB", len(payload)), func(b *testing.B) {
			var s scanner
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				s.reset(0, 1)
				if err := s.finish(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLibraryEncode and BenchmarkLibraryDecode do with msgpack's own Encoder
// and Decoder what AppendFrame and DecodeEnvelope do by hand.
func BenchmarkLibraryEncode(b *testing.B) {
	e := sample(make([]byte, 64))
	var buf bytes.Buffer
	enc := msgpack.NewEncoder(&buf)
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		enc.Reset(&buf)
		libraryEncode(enc, e)
	}
}

func BenchmarkLibraryDecode(b *testing.B) {
	var buf bytes.Buffer
	libraryEncode(msgpack.NewEncoder(&buf), sample(make([]byte, 64)))
	r := bytes.NewReader(nil)
	dec := msgpack.NewDecoder(r)
	var e Envelope
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(buf.Bytes())
		dec.Reset(r)
		libraryDecode(dec, &e)
	}
}
