package codec

import (
	"reflect"
	"testing"
)

// TestDecoder checks that a Decoder does what Decode does, whatever types it is given, before and after they have a plan.
func TestDecoder(t *testing.T) {
	type one struct {
		N int64
		S string
	}
	type other struct {
		S string
		B []byte
	}
	payloads := [][]byte{nil, {0xc0}, {0x93}}
	for _, v := range []any{one{5, "text"}, other{"text", []byte{1}}, map[string]int{"N": 1}, one{1 << 40, "a text of more than thirty-one bytes"}} {
		payload, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, payload, append(payload, 0xc0), payload[:len(payload)-1])
	}
	makers := []func() any{
		func() any { return new(one) },
		func() any { return new(other) },
		func() any { return &one{9, "before"} },
		func() any { return one{} },
		func() any { return (*one)(nil) },
		func() any { return new(map[string]int) },
		func() any { return new(any) },
		func() any { return nil },
	}
	var d Decoder
	for range 3 * planAfter {
		for _, payload := range payloads {
			for _, make := range makers {
				got, want := make(), make()
				err, wantErr := d.Decode(payload, got), Decode(payload, want)
				if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
					t.Fatalf("%x into %T: %v, want %v", payload, got, err, wantErr)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%x into %T: %+v, want %+v", payload, got, got, want)
				}
			}
		}
	}
}

// TestDecodeUsualFields decodes what has the forms that a plan reads by itself, those beside them, and parts of them.
func TestDecodeUsualFields(t *testing.T) {
	type usual struct {
		I int64
		U uint64
		S string
		A [3]byte
	}
	planned := makePlan(reflect.TypeFor[usual]())
	if planned == nil {
		t.Fatal("no plan")
	}
	forms := [][][]byte{
		{{0xd3, 0xff, 0, 0, 0, 0, 0, 0, 1}, {5}, {0xe0}, {0xcf, 1, 2, 3, 4, 5, 6, 7, 8}, {0xd1, 0xff, 0}, {0xc0}},
		{{0xcf, 0xff, 0, 0, 0, 0, 0, 0, 1}, {5}, {0xce, 1, 2, 3, 4}, {0xd3, 1, 2, 3, 4, 5, 6, 7, 8}},
		{{0xa0}, {0xa2, 'a', 'b'}, append([]byte{0xbf}, make([]byte, 31)...), append([]byte{0xd9, 32}, make([]byte, 32)...), {0xc0}},
		{{0xc4, 3, 1, 2, 3}, {0xc4, 2, 1, 2}, {0xc4, 4, 1, 2, 3, 4}, {0xc5, 0, 3, 1, 2, 3}, {0xc0}},
	}
	check := func(payload []byte) {
		got, want := usual{S: "before"}, usual{S: "before"}
		rest, ok := planned.decode(payload, reflect.ValueOf(&got).UnsafePointer())
		if !ok || len(rest) > 0 {
			return // msgpack decides
		}
		if err := decodeSlowly(payload, &want); err != nil || got != want {
			t.Errorf("%x: got %+v, want %+v (%v)", payload, got, want, err)
		}
	}
	for _, i := range forms[0] {
		for _, u := range forms[1] {
			for _, s := range forms[2] {
				for _, a := range forms[3] {
					payload := []byte{0x94}
					for _, form := range [][]byte{i, u, s, a} {
						payload = append(payload, form...)
					}
					check(payload)
					for n := range payload {
						check(payload[:n:n])
					}
				}
			}
		}
	}
}
