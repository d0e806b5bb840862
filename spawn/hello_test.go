package spawn

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
)

func testHello() hello {
	h := hello{min: 1, max: 3, status: notBooted}
	copy(h.build[:], "0123456789abcdef")
	return h
}

// The bytes are what other programs may rely on.
func TestHelloBytes(t *testing.T) {
	got := hex.EncodeToString(encodeHello(testHello()))
	const want = "c41e" + "95" + "a770726f67656e79" + "01" + "03" +
		"c41030313233343536373839616263646566" + "01"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestHelloRoundTrip(t *testing.T) {
	want := testHello()
	stream := append(encodeHello(want), "what follows"...)
	r := bytes.NewReader(stream)
	content, err := readHello(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decodeHello(content); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if rest, _ := io.ReadAll(r); string(rest) != "what follows" {
		t.Errorf("left in the stream: %q", rest)
	}
}

// Elements that we do not know of are skipped, whatever form the array has.
func TestHelloGrease(t *testing.T) {
	want := testHello()
	content := encodeHello(want)[3:]
	for name, head := range map[string]string{"fixarray": "\x97", "array16": "\xdc\x00\x07"} {
		got, err := decodeHello([]byte(head + string(content) + "\xa3new\xc0"))
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func TestHelloTruncated(t *testing.T) {
	whole := encodeHello(testHello())
	for n := range whole {
		_, err := readHello(bytes.NewReader(whole[:n]))
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if !errors.Is(err, want) {
			t.Errorf("%d bytes: got %v, want %v", n, err, want)
		}
	}
	for n := range whole[2:] {
		if _, err := decodeHello(whole[2 : 2+n]); !isHelloError(err) {
			t.Errorf("content of %d bytes: got %v, want a HelloError", n, err)
		}
	}
}

func TestHelloRefused(t *testing.T) {
	exe, err := executable()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	good := hello{min: MinVersion, max: MaxVersion, build: exe.build}
	tests := []struct {
		name   string
		change func(*hello)
		want   string
	}{
		{"too new", func(h *hello) { h.min, h.max = MaxVersion+1, MaxVersion+2 }, "versions"},
		{"too old", func(h *hello) { h.min, h.max = 0, MinVersion-1 }, "versions"},
		{"other build", func(h *hello) { h.build[0]++ }, "wrong build"},
		{"unknown status", func(h *hello) { h.status = 2 }, "status 2"},
		{"wider range", func(h *hello) { h.min, h.max = 0, MaxVersion+5 }, ""},
	}
	for _, test := range tests {
		h := good
		test.change(&h)
		err := checkHello(encodeHello(h)[2:])
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: got %v, want nil", test.name, err)
			}
		} else if !isHelloError(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want a HelloError with %q", test.name, err, test.want)
		}
	}
}

func isHelloError(err error) bool {
	_, ok := errors.AsType[*HelloError](err)
	return ok
}

func FuzzHello(f *testing.F) {
	whole := encodeHello(testHello())
	f.Add(whole)
	f.Add(whole[:7])
	f.Add([]byte("hello world\n"))
	f.Add([]byte("\xc4\x04\xdc\xff\xff\xa7"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, stream []byte) {
		content, err := readHello(bytes.NewReader(stream))
		if err != nil {
			return
		}
		h, err := decodeHello(content)
		if err != nil {
			if !isHelloError(err) {
				t.Errorf("got %v, want a HelloError", err)
			}
			return
		}
		if h.min > 0x7f || h.max > 0x7f || h.status > 0x7f {
			return // encodeHello has no such values
		}
		if again, err := decodeHello(encodeHello(h)[2:]); err != nil || again != h {
			t.Errorf("got %+v, %v, want %+v", again, err, h)
		}
	})
}
