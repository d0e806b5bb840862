package codec

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// same reports whether two envelopes say the same; empty is nil.
func same(a, b *Envelope) bool {
	return a.Kind == b.Kind && a.To == b.To && a.From == b.From && a.Corr == b.Corr && a.Deadline == b.Deadline &&
		a.Key == b.Key && bytes.Equal(a.Type, b.Type) && bytes.Equal(a.Trace, b.Trace) && bytes.Equal(a.Payload, b.Payload)
}

// content returns the content of e's frame.
func content(t testing.TB, e *Envelope) []byte {
	t.Helper()
	frame, _, _, err := Split(mustFrame(t, e), 0)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// envelopes have each element at the boundaries of its forms on the wire.
func envelopes() []*Envelope {
	var all []*Envelope
	add := func(change func(e *Envelope)) {
		e := sample([]byte("payload"))
		change(e)
		all = append(all, e)
	}
	all = append(all, &Envelope{})
	for _, k := range []Kind{0, 127, 128, 255} {
		add(func(e *Envelope) { e.Kind = k })
	}
	add(func(e *Envelope) { e.To = ID{} })
	add(func(e *Envelope) { e.From = ID{} })
	add(func(e *Envelope) { e.To = ID{15: 1} })
	for _, u := range []uint64{0, 127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64, math.MaxUint64} {
		add(func(e *Envelope) { e.Corr = u })
		add(func(e *Envelope) { e.Key = u })
	}
	for _, i := range []int64{0, 1, -1, -32, -33, math.MaxInt32 + 1, math.MinInt64, math.MaxInt64} {
		add(func(e *Envelope) { e.Deadline = i })
	}
	for _, n := range []int{0, 1, 31, 32, 255, 256, 65535, 65536} {
		b := bytes.Repeat([]byte{'x'}, n)
		add(func(e *Envelope) { e.Type = b })
		add(func(e *Envelope) { e.Trace = b })
		add(func(e *Envelope) { e.Payload = b })
	}
	return all
}

func TestEnvelopeRoundTrip(t *testing.T) {
	for i, want := range envelopes() {
		frame := content(t, want)
		got := Envelope{Corr: 99, Trace: []byte("stale"), Key: 99}
		if err := DecodeEnvelope(frame, &got); err != nil || !same(&got, want) {
			t.Errorf("%d: got %+v, %v\nwant %+v", i, got, err, *want)
		}
		if kind, err := PeekKind(frame); err != nil || kind != want.Kind {
			t.Errorf("%d: PeekKind: %d, %v; want %d", i, kind, err, want.Kind)
		}
		if corr, deadline, err := PeekCorr(frame); err != nil || corr != want.Corr || deadline != want.Deadline {
			t.Errorf("%d: PeekCorr: %d, %d, %v; want %d, %d", i, corr, deadline, err, want.Corr, want.Deadline)
		}
	}
}

// Another msgpack implementation reads what we write, and we read what it writes.
func TestEnvelopeInterop(t *testing.T) {
	for i, want := range envelopes() {
		got := Envelope{Key: 99}
		r := bytes.NewReader(content(t, want))
		if err := libraryDecode(msgpack.NewDecoder(r), &got); err != nil || r.Len() != 0 || !same(&got, want) {
			t.Errorf("%d: library reads %+v, %v\nwant %+v", i, got, err, *want)
		}

		var buf bytes.Buffer
		if err := libraryEncode(msgpack.NewEncoder(&buf), want); err != nil {
			t.Fatal(err)
		}
		if err := DecodeEnvelope(buf.Bytes(), &got); err != nil || !same(&got, want) {
			t.Errorf("%d: we read %+v, %v\nwant %+v", i, got, err, *want)
		}
	}
}

// An element may have any form that msgpack has for its value.
func TestEnvelopeForms(t *testing.T) {
	id := []byte("0123456789abcdef")
	want := &Envelope{Kind: 7, To: ID(id), From: ID(id), Corr: 7, Deadline: -7, Type: []byte("T"), Trace: []byte("t"), Payload: []byte("p"), Key: 7}
	uints := [][]byte{{7}, {0xcc, 7}, {0xcd, 0, 7}, {0xce, 0, 0, 0, 7}, {0xcf, 0, 0, 0, 0, 0, 0, 0, 7},
		{0xd0, 7}, {0xd1, 0, 7}, {0xd2, 0, 0, 0, 7}, {0xd3, 0, 0, 0, 0, 0, 0, 0, 7}}
	ints := [][]byte{{0xf9}, {0xd0, 0xf9}, {0xd1, 0xff, 0xf9}, {0xd2, 0xff, 0xff, 0xff, 0xf9},
		{0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf9}}
	bins := func(b []byte) [][]byte { return [][]byte{binOf(1, b), binOf(2, b), binOf(4, b)} }
	forms := [elements + 1][][]byte{
		uints, bins(id), bins(id), uints, ints,
		{{0xa1, 'T'}, {0xd9, 1, 'T'}, {0xda, 0, 1, 'T'}, {0xdb, 0, 0, 0, 1, 'T'}},
		bins([]byte("t")), bins([]byte("p")), uints,
	}
	arrays := [][]byte{{0x99}, {0xdc, 0, 9}, {0xdd, 0, 0, 0, 9}}
	for i := range forms {
		for _, form := range forms[i] {
			for _, array := range arrays {
				frame := slices.Clone(array)
				for j := range forms {
					if j == i {
						frame = append(frame, form...)
					} else {
						frame = append(frame, forms[j][0]...)
					}
				}
				var got Envelope
				if err := DecodeEnvelope(frame, &got); err != nil || !same(&got, want) {
					t.Errorf("element %d as %x in array %x: %+v, %v", i, form, array, got, err)
				}
			}
		}
	}
}

// Without a key there are eight elements, however long the array's header; the key may be there all the same.
func TestEnvelopeNoKey(t *testing.T) {
	want := sample([]byte("payload"))
	eight := content(t, want)
	if eight[0] != 0x98 || eight[len(eight)-1] != 'd' {
		t.Errorf("an envelope without a key is %x", eight)
	}
	for _, head := range [][]byte{{0x98}, {0xdc, 0, 8}, {0xdd, 0, 0, 0, 8}} {
		got := Envelope{Key: 99}
		if err := DecodeEnvelope(slices.Concat(head, eight[1:]), &got); err != nil || !same(&got, want) {
			t.Errorf("array %x: got %+v, %v", head, got, err)
		}
	}
	for _, none := range [][]byte{{0xc0}, {0}, {0xcf, 0, 0, 0, 0, 0, 0, 0, 0}} {
		got := Envelope{Key: 99}
		if err := DecodeEnvelope(slices.Concat([]byte{0x99}, eight[1:], none), &got); err != nil || !same(&got, want) {
			t.Errorf("key %x: got %+v, %v", none, got, err)
		}
	}
}

// Later versions may add elements: they are skipped, whatever they are.
func TestEnvelopeGrease(t *testing.T) {
	want := sample([]byte("payload"))
	want.Key = 1 << 63
	nine := content(t, want)[1:]
	nested := append(bytes.Repeat([]byte{0x91}, MaxDepth-1), 0x90)
	for _, grease := range [][]byte{
		{0xc0}, {0xc2}, {7}, {0xe0}, {0xcf, 1, 2, 3, 4, 5, 6, 7, 8}, {0xca, 1, 2, 3, 4}, {0xcb, 1, 2, 3, 4, 5, 6, 7, 8},
		{0xa3, 'a', 'b', 'c'}, {0xd9, 1, 'x'}, binOf(1, []byte("bin")), binOf(2, make([]byte, 300)), binOf(4, make([]byte, 70_000)),
		{0x90}, {0x80}, {0x92, 1, 0x91, 0xc0}, {0x82, 0xa1, 'k', 0x90, 0xa1, 'l', 0xc0}, {0xdc, 0, 1, 5}, {0xdf, 0, 0, 0, 1, 1, 2},
		{0xd4, 5, 1}, {0xd8, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {0xc7, 2, 5, 1, 2}, nested,
	} {
		for _, head := range [][]byte{{0x9a}, {0xdc, 0, 10}, {0xdd, 0, 0, 0, 10}} {
			var got Envelope
			frame := slices.Concat(head, nine, grease)
			if err := DecodeEnvelope(frame, &got); err != nil || !same(&got, want) {
				t.Errorf("with a tenth element %.20x: %v", grease, err)
			}
			if err := DecodeEnvelope(frame[:len(frame)-1], &got); !errors.Is(err, io.ErrUnexpectedEOF) || !isMalformed(err) {
				t.Errorf("with a tenth element %.20x that is cut: %v", grease, err)
			}
		}
	}
	var got Envelope
	many := slices.Concat([]byte{0xdc, 0x10, 0x09}, nine, make([]byte, 0x1000))
	if err := DecodeEnvelope(many, &got); err != nil || !same(&got, want) {
		t.Errorf("with 4096 more elements: %v", err)
	}
	if kind, err := PeekKind(many); err != nil || kind != want.Kind {
		t.Errorf("PeekKind with 4096 more elements: %d, %v", kind, err)
	}
}

func TestEnvelopeTruncated(t *testing.T) {
	for _, e := range envelopes() {
		frame := content(t, e)
		for i := range frame {
			if i > 200 && i < len(frame)-200 {
				continue // inside a long string
			}
			got := Envelope{Corr: 99}
			err := DecodeEnvelope(frame[:i:i], &got)
			if !isMalformed(err) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("cut at %d of %d: %v", i, len(frame), err)
			}
			if !reflect.DeepEqual(got, Envelope{Corr: 99}) {
				t.Fatalf("cut at %d of %d: changed to %+v", i, len(frame), got)
			}
		}
	}
}

func TestEnvelopeMalformed(t *testing.T) {
	id := binOf(1, []byte("0123456789abcdef"))
	good := [][]byte{{7}, id, {0xc0}, {7}, {7}, {0xa0}, {0xc0}, {0xc4, 0}}
	with := func(i int, element []byte) []byte {
		parts := slices.Clone(good)
		parts[i] = element
		return append([]byte{0x98}, slices.Concat(parts...)...)
	}
	var e Envelope
	if err := DecodeEnvelope(with(0, good[0]), &e); err != nil {
		t.Fatal(err)
	}
	negative := []byte{0xd3, 0xff, 0, 0, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		name  string
		frame []byte
	}{
		{"seven elements", append([]byte{0x97}, slices.Concat(good[:7]...)...)},
		{"no elements", []byte{0x90}},
		{"a map", append([]byte{0x88}, slices.Concat(good...)...)},
		{"nil", []byte{0xc0}},
		{"bytes after it", append(with(0, good[0]), 0xc0)},
		{"array16 of seven", append([]byte{0xdc, 0, 7}, slices.Concat(good[:7]...)...)},
		{"kind 256", with(0, []byte{0xcd, 1, 0})},
		{"kind −1", with(0, []byte{0xff})},
		{"kind nil", with(0, []byte{0xc0})},
		{"kind float", with(0, []byte{0xca, 0, 0, 0, 0})},
		{"to of 15 bytes", with(1, binOf(1, make([]byte, 15)))},
		{"to of 17 bytes", with(1, binOf(1, make([]byte, 17)))},
		{"to of no bytes", with(1, binOf(1, nil))},
		{"to a str", with(1, append([]byte{0xb0}, "0123456789abcdef"...))},
		{"from a number", with(2, []byte{1})},
		{"corr −2⁵⁶", with(3, negative)},
		{"corr nil", with(3, []byte{0xc0})},
		{"deadline 2⁶³", with(4, []byte{0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0})},
		{"deadline str", with(4, []byte{0xa0})},
		{"type nil", with(5, []byte{0xc0})},
		{"type bin", with(5, []byte{0xc4, 0})},
		{"trace str", with(6, []byte{0xa0})},
		{"payload nil", with(7, []byte{0xc0})},
		{"payload str", with(7, []byte{0xa0})},
		{"payload longer than the frame", with(7, []byte{0xc6, 0xff, 0xff, 0xff, 0xff})},
		{"type longer than the frame", with(5, []byte{0xdb, 0xff, 0xff, 0xff, 0xff})},
		{"byte 0xc1", with(7, []byte{0xc1})},
		{"key −1", slices.Concat([]byte{0x99}, slices.Concat(good...), []byte{0xff})},
		{"key −2⁵⁶", slices.Concat([]byte{0x99}, slices.Concat(good...), negative)},
		{"key float", slices.Concat([]byte{0x99}, slices.Concat(good...), []byte{0xca, 0, 0, 0, 0})},
		{"key str", slices.Concat([]byte{0x99}, slices.Concat(good...), []byte{0xa0})},
		{"key true", slices.Concat([]byte{0x99}, slices.Concat(good...), []byte{0xc3})},
		{"key missing", slices.Concat([]byte{0x99}, slices.Concat(good...))},
		{"a key in an array of eight", append(with(0, good[0]), 7)},
		{"0xc1 to skip", slices.Concat([]byte{0x9a}, slices.Concat(good...), []byte{7, 0xc1})},
		{"2³²−1 elements", slices.Concat([]byte{0xdd, 0xff, 0xff, 0xff, 0xff}, slices.Concat(good...))},
		{"too deep to skip", slices.Concat([]byte{0x9a}, slices.Concat(good...), []byte{7}, bytes.Repeat([]byte{0x91}, MaxDepth+1), []byte{0})},
	} {
		got := Envelope{Corr: 99}
		if err := DecodeEnvelope(c.frame, &got); !isMalformed(err) {
			t.Errorf("%s: %v", c.name, err)
		} else if !reflect.DeepEqual(got, Envelope{Corr: 99}) {
			t.Errorf("%s: changed to %+v", c.name, got)
		}
	}
	for _, frame := range [][]byte{nil, {0x98}, {0x97, 1}, {0x98, 0xcd, 1}, {0x98, 0xcd, 1, 0}, {0xdc, 0}} {
		if _, err := PeekKind(frame); !isMalformed(err) {
			t.Errorf("PeekKind(%x): %v", frame, err)
		}
	}
	for _, frame := range [][]byte{nil, {0x97, 1}, {0x98, 1, 0xc0, 0xc0}, {0x98, 1, 0xc0, 0xc0, 1}, {0x98, 1, 0xc0, 0xc0, 0xff, 1}, {0x98, 1, 7, 0xc0, 1, 1}} {
		if _, _, err := PeekCorr(frame); !isMalformed(err) {
			t.Errorf("PeekCorr(%x): %v", frame, err)
		}
	}
}

// The parts of an envelope lie in the frame, and an append to one does not
// overwrite the next.
func TestEnvelopeAliases(t *testing.T) {
	frame := content(t, sample([]byte("payload")))
	var e Envelope
	if err := DecodeEnvelope(frame, &e); err != nil {
		t.Fatal(err)
	}
	if &e.Payload[0] != &frame[len(frame)-len(e.Payload)] {
		t.Error("the payload is a copy")
	}
	for _, b := range [][]byte{e.Type, e.Trace, e.Payload} {
		if cap(b) != len(b) {
			t.Errorf("%q has room for more", b)
		}
	}
}

func TestMalformedErrorText(t *testing.T) {
	var e Envelope
	err := DecodeEnvelope([]byte{0x98, 0xc0}, &e)
	const want = "codec: malformed envelope: byte 1: want a kind from 0 to 255"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	err = DecodeEnvelope([]byte{0x98}, &e)
	if want := want + ": unexpected EOF"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
