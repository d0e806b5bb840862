package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

type (
	celsius float64
	level   uint8
	raw     []byte
	words   []string

	// point is inside of plain.
	point struct {
		X, Y float64
		Name string
	}

	// plain has a field of each kind that a plan knows.
	plain struct {
		Bool    bool
		String  string
		Int     int
		Int8    int8
		Int16   int16
		Int32   int32
		Int64   int64
		Uint    uint
		Uint8   uint8
		Uint16  uint16
		Uint32  uint32
		Uint64  uint64
		Float32 float32
		Float64 float64
		hidden  int //lint:ignore U1000 a field that is not encoded
		Array   [5]byte
		Bytes   []byte
		Strings []string
		Ints    []int32
		Grid    [][]int
		Point   point
		Points  []point
		Empty   struct{}
		Took    time.Duration
		Celsius celsius
		Level   level
		Levels  []level
		Raw     raw
		Words   words
	}
)

// samples fills plain from random numbers.
func samplePlain(rng *rand.Rand) *plain {
	v := new(plain)
	randomize(reflect.ValueOf(v).Elem(), rng)
	return v
}

// randomize sets all that can be set, often to what lies at the limits of an encoding.
func randomize(v reflect.Value, rng *rand.Rand) {
	size := func() int { return []int{0, 1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257}[rng.IntN(12)] }
	number := func() uint64 { return rng.Uint64()>>rng.IntN(64) + uint64(rng.IntN(3)) - 1 }
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.String:
		v.SetString(strings.Repeat("x", size()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(rng.NormFloat64())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(number()) * int64(1-2*rng.IntN(2)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(number())
	case reflect.Array:
		for i := range v.Len() {
			randomize(v.Index(i), rng)
		}
	case reflect.Slice:
		if rng.IntN(4) == 0 {
			v.SetZero()
			return
		}
		n := size()
		if v.Type().Elem().Kind() != reflect.Uint8 {
			n = rng.IntN(20)
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n+rng.IntN(3)))
		for i := range n {
			randomize(v.Index(i), rng)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				randomize(field, rng)
			}
		}
	}
}

// theirs is what msgpack makes of v.
func theirs(tb testing.TB, v any) []byte {
	tb.Helper()
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.UseArrayEncodedStructs(true)
	if err := e.Encode(v); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func planFrom(tb testing.TB, v any) *plan {
	tb.Helper()
	p := makePlan(reflect.TypeOf(v))
	if p == nil {
		tb.Fatalf("%T has no plan", v)
	}
	return p
}

// A plan writes what msgpack writes, and reads it as msgpack does, whatever is there before.
func TestPlanIsMsgpack(t *testing.T) {
	p := planFrom(t, plain{})
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		v := samplePlain(rng)
		want := theirs(t, v)
		got, ok := p.append([]byte("head"), unsafe.Pointer(v), maxContent)
		if !ok || !bytes.Equal(got[4:], want) {
			t.Fatalf("%+v\nis encoded as %x,\nby msgpack as %x", v, got, want)
		}
		before := rng.Uint64()
		a := samplePlain(rand.New(rand.NewPCG(before, 0)))
		b := samplePlain(rand.New(rand.NewPCG(before, 0)))
		if rest, ok := p.decode(want, unsafe.Pointer(a)); !ok {
			// A slice that has not room enough is left to msgpack.
			if err := Decode(want, a); err != nil {
				t.Fatal(err)
			}
		} else if len(rest) > 0 {
			t.Fatalf("%d bytes are left", len(rest))
		}
		if err := msgpack.Unmarshal(want, b); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("got  %+v\nwant %+v", a, b)
		}
		fresh := new(plain)
		if rest, ok := p.decode(want, unsafe.Pointer(fresh)); !ok || len(rest) > 0 {
			t.Fatalf("a plan does not read its own %x", want)
		}
	}
}

// Of bytes that are wrong, or are right in another way, a plan makes what msgpack makes of
// them, or nothing.
func FuzzPlan(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		f.Add(theirs(f, samplePlain(rng)), uint64(1))
	}
	f.Add([]byte{0xc0}, uint64(1))
	p := planFrom(f, plain{})
	f.Fuzz(func(t *testing.T, b []byte, before uint64) {
		mine := samplePlain(rand.New(rand.NewPCG(before, 0)))
		rest, ok := p.decode(b, unsafe.Pointer(mine))
		if !ok {
			return
		}
		b = b[:len(b)-len(rest)]
		other := samplePlain(rand.New(rand.NewPCG(before, 0)))
		if err := msgpack.Unmarshal(b, other); err != nil {
			t.Fatalf("msgpack refuses %x: %v", b, err)
		}
		if !bytes.Equal(theirs(t, mine), theirs(t, other)) { // NaN is not equal to itself
			t.Fatalf("%x\ngot  %+v\nwant %+v", b, mine, other)
		}
	})
}

type (
	tagged struct {
		A int `msgpack:"a,omitempty"`
	}
	inner   struct{ A int }
	holder  struct{ inner }
	pointer struct{ P *int }
	mapped  struct{ M map[string]int }
	dynamic struct{ V any }
	tree    struct{ Kids []tree }
	dated   struct{ At time.Time }
	late    struct{ V registered }
	secret  struct{ n int } //lint:ignore U1000 that is the point
	asArray struct {
		_msgpack struct{} `msgpack:",as_array"` //lint:ignore U1000 msgpack looks for it
		A        int
	}
	sums       struct{ S [2]int }
	registered uint16
)

// Whatever has to do with encoding in a way of its own is left to msgpack.
func TestNoPlan(t *testing.T) {
	msgpack.RegisterExtEncoder(77, registered(0), func(_ *msgpack.Encoder, v reflect.Value) ([]byte, error) {
		return binary.BigEndian.AppendUint16(nil, uint16(v.Uint())), nil
	})
	for _, v := range []any{
		tagged{}, holder{}, pointer{}, mapped{}, dynamic{}, tree{}, dated{}, late{}, secret{}, asArray{}, sums{}, manual{},
		1, "text", []int{1}, map[string]int{}, new(int), errors.New("x"),
	} {
		if makePlan(reflect.TypeOf(v)) != nil {
			t.Errorf("%T has a plan", v)
		}
	}
}

// counted is a type that no other test uses.
type counted struct{ N int }

// A type gets its plan when msgpack has done it planAfter times.
func TestPlanAfter(t *testing.T) {
	for n := range planAfter + 1 {
		p, _ := planOf(counted{n})
		if want := n+1 >= planAfter; (p != nil) != want {
			t.Errorf("use %d: a plan: %t", n+1, p != nil)
		}
	}
	if p, at := planOf((*counted)(nil)); p != nil || at != nil {
		t.Error("a plan for nothing")
	}
	if p, _ := planOf(nil); p != nil {
		t.Error("a plan for nil")
	}
}

// The limit of a message is the same with a plan and without, and so is its error.
func TestPlanLimit(t *testing.T) {
	p := planFrom(t, plain{})
	v := &plain{Strings: []string{"one", "two"}, Points: make([]point, 3), Bytes: make([]byte, 40), String: "some text"}
	size := len(theirs(t, v))
	for range planAfter {
		planOf(v)
	}
	if known, _ := planOf(v); known == nil {
		t.Fatal("no plan")
	}
	for _, limit := range []int{0, 1, 40, size - 1, size, size + 1} {
		got, err := appendValue(nil, v, "message", 0, limit)
		over, _ := errors.AsType[*LimitError](err)
		switch {
		case limit >= size && (err != nil || len(got) != size):
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		case limit < size && (over == nil || over.Limit != limit || !strings.Contains(err.Error(), fmt.Sprint(limit))):
			t.Errorf("limit %d of %d: %v", limit, size, err)
		}
	}
	for _, limit := range []int{size - 1, size, size + 1} {
		if b, ok := p.append(nil, unsafe.Pointer(v), limit); ok && len(b) != size {
			t.Errorf("limit %d: %d bytes", limit, len(b))
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	v, got := hello, greeting{}
	p := planFrom(b, v)
	var buf []byte
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = p.append(buf[:0], unsafe.Pointer(&v), maxContent)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := p.decode(buf, unsafe.Pointer(&got)); !ok {
				b.Fatal("not understood")
			}
		}
	})
}
