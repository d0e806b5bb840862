package codec

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

type every struct {
	S   string
	B   []byte
	I   int
	I64 int64
	U8  uint8
	F   float64
	OK  bool
	T   time.Time
	D   time.Duration
	L   []string
	M   map[string]int
	A   [3]byte
	P   *greeting
	Any any
}

func everything() every {
	return every{
		S: "s", B: []byte("b"), I: -5, I64: math.MaxInt64, U8: 200, F: 1.5, OK: true,
		T: time.Unix(1_700_000_000, 938_000_000), D: time.Second, L: []string{"x", "y"},
		M: map[string]int{"k": 1}, A: [3]byte{1, 2, 3}, P: &greeting{Name: "p"},
		Any: map[string]any{"list": []any{"a", nil, true}},
	}
}

func mustAppend(t testing.TB, v any) []byte {
	t.Helper()
	b, err := Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessageRoundTrip(t *testing.T) {
	want := everything()
	payload := mustAppend(t, &want)
	var got every
	if err := Decode(payload, &got); err != nil {
		t.Fatal(err)
	}
	if !got.T.Equal(want.T) {
		t.Errorf("time: got %v, want %v", got.T, want.T)
	}
	got.T = want.T
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	clear(payload)
	if got.S != "s" || string(got.B) != "b" {
		t.Error("the message keeps the payload")
	}
}

func TestAppendNil(t *testing.T) {
	if got := mustAppend(t, nil); !bytes.Equal(got, []byte{0xc0}) {
		t.Errorf("got %x, want c0", got)
	}
	p := &greeting{Name: "stays"}
	if err := Decode([]byte{0xc0}, &p); err != nil || p != nil {
		t.Errorf("nil into a pointer: %v, %v", p, err)
	}
}

func TestDecodeTruncated(t *testing.T) {
	v := everything()
	payload := mustAppend(t, &v)
	for i := range payload {
		for _, v := range []any{new(every), new(any), new(map[string]any)} {
			if err := Decode(payload[:i:i], v); !isMalformed(err) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%T cut at %d of %d: %v", v, i, len(payload), err)
			}
		}
	}
}

func TestDecodeTrailing(t *testing.T) {
	for _, payload := range [][]byte{{0xc0, 0xc0}, {1, 2}, {0xa1, 'x', 0}, {0x90, 0x90}} {
		if err := Decode(payload, new(any)); !isMalformed(err) || !errors.Is(err, errTrailing) {
			t.Errorf("%x: %v", payload, err)
		}
	}
}

// What the receiver cannot use is the sender's fault; what Decode cannot set
// is the caller's.
func TestDecodeMisfit(t *testing.T) {
	payload := mustAppend(t, "text")
	for _, v := range []any{new(int), new(greeting), new(map[string]any), new([]int), new(chan int), new(func())} {
		if err := Decode(payload, v); !isMalformed(err) {
			t.Errorf("a string into %T: %v", v, err)
		}
	}
	for _, v := range []any{nil, 1, greeting{}, (*greeting)(nil), []int{1}, map[string]any{}} {
		if err := Decode(payload, v); err == nil || isMalformed(err) {
			t.Errorf("into %T: %v", v, err)
		}
	}
}

// No error of Decode is io.EOF, which a reader of the stream takes for its end.
func TestDecodeNeverEOF(t *testing.T) {
	for _, payload := range [][]byte{nil, {0xd9}, {0x92, 1}, {0x80}, {0x92, 1, 2}} {
		for _, v := range []any{new(any), new(string), new(greedy), new(time.Time), new([2]int8)} {
			if err := Decode(payload, v); errors.Is(err, io.EOF) {
				t.Errorf("%x into %T: %v", payload, v, err)
			}
		}
	}
}

// greedy's decoder wants more values than there are.
type greedy struct{}

func (*greedy) DecodeMsgpack(d *msgpack.Decoder) error {
	for {
		if _, err := d.DecodeInterface(); err != nil {
			return err
		}
	}
}

// lazy's decoder leaves the value where it is, and its encoder writes none.
type lazy struct{}

func (*lazy) DecodeMsgpack(*msgpack.Decoder) error { return nil }
func (*lazy) EncodeMsgpack(*msgpack.Encoder) error { return nil }

// rude's coders panic.
type rude struct{}

var errRude = errors.New("rude")

func (*rude) DecodeMsgpack(*msgpack.Decoder) error { panic(errRude) }
func (*rude) EncodeMsgpack(*msgpack.Encoder) error { panic("rude too") }

// deaf's encoder writes 64 KiB and more and does not look at errors.
type deaf struct{}

func (*deaf) EncodeMsgpack(e *msgpack.Encoder) error {
	for range 64 {
		e.EncodeBytes(make([]byte, 1<<10))
	}
	return nil
}

func TestDecodeOwnDecoders(t *testing.T) {
	if err := Decode([]byte{0xc3}, new(lazy)); !isMalformed(err) || !errors.Is(err, errTrailing) {
		t.Errorf("lazy: %v", err)
	}
	if err := Decode([]byte{0xc3}, new(rude)); !isMalformed(err) || !errors.Is(err, errRude) {
		t.Errorf("rude: %v", err)
	}
	// A panic of msgpack's own: nil into a time.Time.
	if err := Decode([]byte{0x81, 0xa1, 'T', 0xc0}, new(every)); !isMalformed(err) {
		t.Errorf("nil into a time: %v", err)
	}
}

type cycle struct{ Next *cycle }

func TestAppendRefuses(t *testing.T) {
	loop := new(cycle)
	loop.Next = loop
	var self []any
	self = append(self, nil)
	self[0] = self
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"channel", make(chan int), "unsupported chan int"},
		{"function in a struct", struct{ F func() }{func() {}}, "unsupported func()"},
		{"uintptr", struct{ U uintptr }{}, "panic"},
		{"lazy encoder", new(lazy), "unexpected EOF"},
		{"rude encoder", new(rude), "panic: rude too"},
		{"two values", msgpack.RawMessage{1, 2}, "more than one value"},
		{"half a value", msgpack.RawMessage{0xa2, 'x'}, "unexpected EOF"},
		{"0xc1", msgpack.RawMessage{0xc1}, "0xc1"},
		{"interned strings", []struct {
			S string `msgpack:",intern"`
		}{{"again"}, {"again"}}, "interned"},
		{"pointer cycle", loop, "nested deeper than 10000"},
		{"slice cycle", self, "nested deeper than 10000"},
		{"a method that needs an address", lazy{}, "non-addressable"},
	} {
		for _, appendTo := range []func(dst []byte, v any) ([]byte, error){
			Append,
			func(dst []byte, v any) ([]byte, error) { return AppendMessage(dst, sample(nil), v, 0) },
		} {
			got, err := appendTo([]byte("dst"), c.v)
			if err == nil || !strings.Contains(err.Error(), c.want) || string(got) != "dst" {
				t.Errorf("%s: %q, %v; want an error with %q", c.name, got, err, c.want)
			}
		}
	}
}

// An encoder that does not look at its errors is over the limit all the same,
// and costs no more memory than the limit.
func TestAppendMessageDeaf(t *testing.T) {
	got, err := AppendMessage(nil, sample(nil), new(deaf), 2000)
	if !isLimit(err) || got != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// A failed decode leaves nothing behind in the pool.
func TestDecodeAfterFailure(t *testing.T) {
	want := everything()
	payload := mustAppend(t, &want)
	for range 100 {
		for _, v := range []any{new(rude), new(greedy), new(msgpack.RawMessage), new(int)} {
			Decode(payload[:len(payload)-1], v)
			Decode(payload, v)
		}
		Append(nil, new(rude))
		AppendMessage(nil, sample(nil), &want, 60)
		var got every
		if err := Decode(mustAppend(t, &want), &got); err != nil || got.S != want.S || got.P.Name != want.P.Name {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
}

// A large message does not stay in the pool.
func TestPoolsStaySmall(t *testing.T) {
	large := strings.Repeat("x", 8<<20)
	payload := mustAppend(t, large)
	for range 4 {
		var got string
		if err := Decode(payload, &got); err != nil || got != large {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	runtime.GC()
	runtime.GC() // empties the pools
	runtime.ReadMemStats(&after)
	if before.HeapAlloc > after.HeapAlloc+4<<20 {
		t.Errorf("the pools held %d bytes", before.HeapAlloc-after.HeapAlloc)
	}
	runtime.KeepAlive(large)
}

// Concurrent use is safe.
func TestConcurrent(t *testing.T) {
	want := everything()
	done := make(chan error)
	for range 8 {
		go func() {
			for range 200 {
				buf, err := AppendMessage(nil, sample(nil), &want, 0)
				if err != nil {
					done <- err
					return
				}
				var e Envelope
				var got every
				if err = errors.Join(DecodeEnvelope(buf[binHeader:], &e), Decode(e.Payload, &got)); err != nil || got.S != want.S {
					done <- errors.Join(err, errors.New(got.S))
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Limits are exact, and what a header announces counts whether it is there or not.
func TestHasMoreValues(t *testing.T) {
	for _, test := range []struct {
		name    string
		payload any
		n       int
	}{
		{"nil", nil, 1},
		{"a number", uint64(math.MaxUint64), 1},
		{"a text", strings.Repeat("\xdd\xff", 1000), 1},
		{"a bin", bytes.Repeat([]byte{0xdf}, 70_000), 1},
		{"an extension", time.Now(), 1},
		{"an array", make([]int, 20), 21},
		{"a long array", make([]*int, 70_000), 70_001},
		{"arrays in arrays", [][]string{{"a", "b"}, {}, {"c"}}, 7},
		{"a map", map[string][]byte{"a": nil, "b": {1}}, 5},
		{"a struct", greeting{}, 6},
	} {
		b, err := Append(nil, test.payload)
		if err != nil {
			t.Fatal(err)
		}
		if HasMoreValues(b, test.n) || !HasMoreValues(b, test.n-1) {
			t.Errorf("%s is not counted as %d values", test.name, test.n)
		}
	}
	for _, malformed := range []string{"", "\xc1", "\xdd\xff", "\x92\xc0", "\xc6\xff\xff\xff\xff", "\x91\xd4\x80"} {
		if HasMoreValues([]byte(malformed), 10) {
			t.Errorf("% x has too many values", malformed)
		}
	}
	if !HasMoreValues([]byte("\xdf\xff\xff\xff\xff"), 1<<30) {
		t.Error("what a header announces does not count")
	}
	many := append([]byte{0xdc, 0x03, 0xe8}, bytes.Repeat([]byte{0xc7, 1, 5, 0}, 1000)...) // extensions
	if n := testing.AllocsPerRun(10, func() { HasMoreValues(many, 1001) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
