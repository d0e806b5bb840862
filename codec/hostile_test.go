package codec

import (
	"bytes"
	"errors"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

func nest(depth int) any {
	v := any(1)
	for range depth {
		v = []any{v}
	}
	return v
}

// MaxDepth is the limit on both sides.
func TestDepth(t *testing.T) {
	for _, c := range []struct {
		depth int
		ok    bool
	}{{MaxDepth - 1, true}, {MaxDepth, true}, {MaxDepth + 1, false}} {
		_, err := Append(nil, nest(c.depth))
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, errDepth) {
			t.Errorf("Append at depth %d: %v", c.depth, err)
		}
		payload := append(bytes.Repeat([]byte{0x91}, c.depth), 1)
		var got any
		err = Decode(payload, &got)
		if c.ok != (err == nil) || !c.ok && !(isMalformed(err) && errors.Is(err, errDepth)) {
			t.Errorf("Decode at depth %d: %v", c.depth, err)
		}
		for range c.depth {
			if list, ok := got.([]any); ok && len(list) == 1 {
				got = list[0]
			}
		}
		if c.ok && got != int8(1) {
			t.Errorf("Decode at depth %d: innermost is %v", c.depth, got)
		}
	}
}

// recursive is a type into which maps can be decoded at any depth.
type recursive map[string]recursive

// bombs are payloads of few bytes, or cheap ones, that ask for much.
func bombs() map[string][]byte {
	huge := func(code byte, more ...byte) []byte {
		return append([]byte{code, 0xff, 0xff, 0xff, 0xff}, more...)
	}
	extMap := append([]byte{0xd8, 5}, huge(0xdf, make([]byte, 11)...)...)
	chain := []byte{0xdd, 0, 0x10, 0, 0} // a million of {"k": an extension without a body}
	for range 1 << 20 {
		chain = append(chain, 0x81, 0xa1, 'k', 0xc7, 0, 5)
	}
	return map[string][]byte{
		"str32":               huge(0xdb),
		"bin32":               huge(0xc6, 1, 2, 3),
		"array32":             huge(0xdd, 0xc0),
		"map32":               huge(0xdf, 0xa1, 'k', 0xc0),
		"ext32":               huge(0xc9, 5),
		"time of 4 GiB":       huge(0xc9, 0xff),
		"array in an array":   append([]byte{0x91}, huge(0xdd)...),
		"array in a map":      append([]byte{0x81, 0xa1, 'k'}, huge(0xdd)...),
		"arrays":              bytes.Repeat([]byte{0x91}, 10_000_000),
		"maps":                bytes.Repeat([]byte{0x81, 0xa1, 'k'}, 3_000_000),
		"maps in a map's key": bytes.Repeat([]byte{0x81}, 10_000_000),
		"map in an extension": extMap,
		"the same in a field": append([]byte{0x81, 0xa1, 'M'}, extMap...),
		"the same in a list":  append([]byte{0x91}, extMap...),
		"map in ext8":         append([]byte{0xc7, 5, 5}, huge(0xdf)...),
		"map in ext16":        append([]byte{0xc8, 0, 5, 5}, huge(0xdf)...),
		"map in ext32":        append([]byte{0xc9, 0, 0, 0, 5, 5}, huge(0xdf)...),
		"map after fixext1":   append([]byte{0x92, 0xd4, 5, 0xdf}, huge(0xce)...),
		"interned map":        append([]byte{0x92, 0xd4, 0x80, 0xdf}, huge(0xce)...),
		"map after no body":   append([]byte{0x92, 0xc7, 0, 5}, 0x80),
		"chain of no bodies":  chain,
	}
}

// targets are values to decode anything into.
func targets() []any {
	return []any{
		new(any), new(string), new([]byte), new(int), new([]any), new([]string), new([]int64), new([][]byte), new([4]byte),
		new(map[string]any), new(map[string]string), new(map[int]string), new(map[any]any), new([]map[string]any),
		new(recursive), new([]recursive), new(cycle), new(every), new(greeting), new([]greeting), new(time.Time), new(time.Duration),
		new(msgpack.RawMessage), new(struct{ R msgpack.RawMessage }), new(struct{ M map[string]int }), new(struct{ M recursive }),
		new(greedy), new(lazy), new(rude), new(bool), new(float64), new(error),
	}
}

func TestDecodeBombs(t *testing.T) {
	for name, payload := range bombs() {
		for _, v := range targets() {
			before := allocated()
			err := Decode(payload, v)
			if grown := allocated() - before; grown > allowance(len(payload)) {
				t.Errorf("%s into %T: allocated %d bytes for %d", name, v, grown, len(payload))
			}
			if err != nil && !isMalformed(err) {
				t.Errorf("%s into %T: %v", name, v, err)
			}
		}
	}
}

// allocated is how many bytes the program has ever allocated on its heap. Other
// goroutines count too, and small objects are counted late.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// allowance is how many bytes a Decode of n bytes into one of targets may
// allocate: the largest element there has 232 bytes (every), grown once, and
// what other tests' remains and the pools take.
func allowance(n int) uint64 { return 1<<20 + 1024*uint64(n) }

// An extension is decoded where the type has it, and msgpack's own way of taking
// it for a map is closed.
func TestExtension(t *testing.T) {
	// The body of this time starts with the code of a map.
	at := time.Unix(1_700_000_000, 0xdf000000>>2)
	payload := mustAppend(t, []time.Time{at, at})
	if payload[3] != 0xdf {
		t.Fatalf("payload is %x, want its byte 3 to be df", payload)
	}
	var times []time.Time
	if err := Decode(payload, &times); err != nil || len(times) != 2 || !times[0].Equal(at) || !times[1].Equal(at) {
		t.Errorf("got %v, %v; want %v twice", times, err, at)
	}
	var list any
	if err := Decode(payload, &list); err != nil || !list.([]any)[1].(time.Time).Equal(at) {
		t.Errorf("got %v, %v; want %v twice", list, err, at)
	}
	for _, v := range []any{new([]map[string]any), new([]map[string]string), new([]map[int]int), new([]recursive)} {
		if err := Decode(payload, v); !errors.Is(err, errExtension) {
			t.Errorf("times into %T: %v", v, err)
		}
	}
	// Skipped with the field that is not there, and kept by RawMessage.
	inner := mustAppend(t, map[string]any{"Other": at, "Seq": 7})
	var g greeting
	if err := Decode(inner, &g); err != nil || g.Seq != 7 {
		t.Errorf("got %+v, %v", g, err)
	}
	var raw msgpack.RawMessage
	if err := Decode(payload, &raw); err != nil || !bytes.Equal(raw, payload) {
		t.Errorf("got %x, %v; want %x", raw, err, payload)
	}
}

// Two things of msgpack's are refused wherever they are, with a reason.
func TestUnsupportedExtensions(t *testing.T) {
	for _, c := range []struct {
		payload []byte
		want    error
	}{
		{[]byte{0xc7, 0, 5}, errEmptyExt},
		{[]byte{0x92, 0xc7, 0, 5, 1}, errEmptyExt},
		{[]byte{0x92, 0xc9, 0, 0, 0, 0, 5, 1}, errEmptyExt},
		{[]byte{0x92, 0xa5, 'a', 'g', 'a', 'i', 'n', 0xd4, 0x80, 0}, errInterned},
	} {
		if err := Decode(c.payload, new(any)); !isMalformed(err) || !errors.Is(err, c.want) {
			t.Errorf("%x: %v, want %v", c.payload, err, c.want)
		}
	}
}
