package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// binOf returns content as a msgpack bin with a header of the given width.
func binOf(width int, content []byte) []byte {
	return append(binHeaderOf(width, len(content)), content...)
}

func binHeaderOf(width, n int) []byte {
	switch width {
	case 1:
		return []byte{bin8, byte(n)}
	case 2:
		return binary.BigEndian.AppendUint16([]byte{bin16}, uint16(n))
	default:
		return binary.BigEndian.AppendUint32([]byte{bin32}, uint32(n))
	}
}

func mustFrame(t testing.TB, e *Envelope) []byte {
	t.Helper()
	buf, err := AppendFrame(nil, e, 0)
	if err != nil {
		t.Fatal(err)
	}
	return buf
}

func TestFrameBytes(t *testing.T) {
	got := mustFrame(t, &Envelope{Kind: 2, To: ID([]byte("0123456789abcdef")), Corr: 300, Deadline: -1, Type: []byte("T"), Payload: []byte{0xc0}})
	want := slices.Concat(
		[]byte{0xc6, 0, 0, 0, 34}, []byte{0x98},
		[]byte{2},
		[]byte{0xc4, 16}, []byte("0123456789abcdef"),
		[]byte{0xc0},
		[]byte{0xcd, 1, 44},
		[]byte{0xff},
		[]byte{0xa1, 'T'},
		[]byte{0xc0},
		[]byte{0xc6, 0, 0, 0, 1}, []byte{0xc0},
	)
	if !bytes.Equal(got, want) {
		t.Errorf("AppendFrame:\n got %x\nwant %x", got, want)
	}
	got = mustFrame(t, &Envelope{Payload: []byte{0xc0}, Key: 300})
	want = slices.Concat(
		[]byte{0xc6, 0, 0, 0, 17}, []byte{0x99},
		[]byte{0, 0xc0, 0xc0, 0, 0, 0xa0, 0xc0},
		[]byte{0xc6, 0, 0, 0, 1}, []byte{0xc0},
		[]byte{0xcd, 1, 44},
	)
	if !bytes.Equal(got, want) {
		t.Errorf("AppendFrame with a key:\n got %x\nwant %x", got, want)
	}
}

// keyed is a sample with a key.
func keyed(payload []byte, key uint64) *Envelope {
	e := sample(payload)
	e.Key = key
	return e
}

// keys are of each size that a key can have on the wire.
var keys = []uint64{0, 1, 127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64}

// The two ways to make a frame make the same frame.
func TestAppendMessageIsAppendFrame(t *testing.T) {
	for _, v := range []any{nil, "", 1, &hello, make([]byte, 300), make([]byte, 70_000), map[string]any{"k": []any{1, nil}}} {
		payload, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			want := mustFrame(t, keyed(payload, key))
			got, err := AppendMessage(nil, keyed([]byte("ignored"), key), v, 0)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("AppendMessage(%T), key %d:\n got %.80x, %v\nwant %.80x", v, key, got, err, want)
			}
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	prefix := []byte("before")
	one, err := AppendFrame(slices.Clip(prefix), sample([]byte{1}), 0)
	if err != nil {
		t.Fatal(err)
	}
	two, err := AppendMessage(one, sample(nil), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(two, prefix) || !bytes.Equal(two[len(prefix):len(one)], two[len(one):]) {
		t.Errorf("got %x, want %q and the same frame twice", two, prefix)
	}
}

func TestFrameLimit(t *testing.T) {
	for i, size := range []int{0, 1, 31, 255, 256, 65535, 65536, 1 << 20, 0, 1, 1 << 10} {
		e := keyed(bytes.Repeat([]byte{7}, size), keys[i])
		content := len(mustFrame(t, e)) - binHeader
		v := msgpack.RawMessage(slices.Concat(binHeaderOf(4, size), e.Payload)) // 5 bytes more
		for _, c := range []struct {
			limit int
			fits  bool
		}{{content - 1, false}, {content, true}, {content + 1, true}} {
			dst := []byte("dst")
			got, err := AppendFrame(dst, e, c.limit)
			checkLimit(t, "AppendFrame", dst, got, err, content, c.limit, c.fits)
			got, err = AppendMessage(dst, e, v, c.limit+5)
			checkLimit(t, "AppendMessage", dst, got, err, content+5, c.limit+5, c.fits)
		}
	}
}

func checkLimit(t *testing.T, name string, dst, got []byte, err error, content, limit int, fits bool) {
	t.Helper()
	if fits {
		if err != nil || len(got) != len(dst)+binHeader+content {
			t.Errorf("%s of %d, limit %d: %d bytes, %v", name, content, limit, len(got), err)
		}
		frame, n, need, err := Split(got[len(dst):], limit)
		if err != nil || len(frame) != content || n != binHeader+content || need != n {
			t.Errorf("Split after %s: %d bytes, n %d, need %d, %v", name, len(frame), n, need, err)
		}
		return
	}
	limitErr, ok := errors.AsType[*LimitError](err)
	if !ok || limitErr.Limit != limit || limitErr.Size <= limit || limitErr.Size > content || limitErr.What != "frame" {
		t.Errorf("%s of %d, limit %d: error %#v", name, content, limit, err)
	}
	if string(got) != string(dst) {
		t.Errorf("%s of %d, limit %d: dst is %q after an error", name, content, limit, got)
	}
}

// The key counts, also where the head alone is at the limit.
func TestFrameLimitOfKey(t *testing.T) {
	for _, key := range keys {
		e := keyed(nil, key)
		content := len(mustFrame(t, e)) - binHeader
		if want := len(mustFrame(t, sample(nil))) - binHeader + tailSize(e); content != want {
			t.Errorf("key %d: %d bytes, want %d", key, content, want)
		}
		dst := []byte("dst")
		for limit := content - tailSize(e) - 1; limit <= content+1; limit++ {
			got, err := AppendFrame(dst, e, limit)
			checkLimit(t, "AppendFrame", dst, got, err, content, limit, limit >= content)
			got, err = AppendMessage(dst, e, nil, limit+1) // nil has a byte
			checkLimit(t, "AppendMessage", dst, got, err, content+1, limit+1, limit >= content)
		}
	}
}

// The head alone is over the limit.
func TestFrameLimitOfHead(t *testing.T) {
	e := &Envelope{Type: make([]byte, 1000), Payload: []byte{1}}
	if _, err := AppendFrame(nil, e, 900); !isLimit(err) {
		t.Errorf("AppendFrame: %v", err)
	}
	if _, err := AppendMessage(nil, e, 1, 900); !isLimit(err) {
		t.Errorf("AppendMessage: %v", err)
	}
}

func isLimit(err error) bool {
	_, ok := errors.AsType[*LimitError](err)
	return ok
}

func isMalformed(err error) bool {
	_, ok := errors.AsType[*MalformedError](err)
	return ok
}

func TestDefaultLimit(t *testing.T) {
	for _, limit := range []int{0, -1, DefaultFrameLimit} {
		for _, c := range []struct {
			size int
			over bool
		}{{DefaultFrameLimit - 1, false}, {DefaultFrameLimit, false}, {DefaultFrameLimit + 1, true}} {
			_, _, need, err := Split(binHeaderOf(4, c.size), limit)
			if isLimit(err) != c.over || !c.over && (err != nil || need != binHeader+c.size) {
				t.Errorf("Split of %d, limit %d: need %d, %v", c.size, limit, need, err)
			}
		}
	}
}

func TestLimitErrorText(t *testing.T) {
	_, _, _, err := Split(binHeaderOf(4, 17_000_000), 0)
	const want = "codec: frame of 17000000 bytes is over the limit of 16777216"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Any of the three headers is read, whether or not the length needs it.
func TestSplitHeaders(t *testing.T) {
	for _, c := range []struct{ width, size int }{
		{1, 0}, {1, 1}, {1, 254}, {1, 255},
		{2, 0}, {2, 255}, {2, 256}, {2, 65534}, {2, 65535},
		{4, 0}, {4, 65535}, {4, 65536}, {4, 65537},
	} {
		content := bytes.Repeat([]byte{byte(c.size)}, c.size)
		buf := append(binOf(c.width, content), "rest"...)
		frame, n, need, err := Split(buf, 0)
		if err != nil || !bytes.Equal(frame, content) || n != 1+c.width+c.size || need != n {
			t.Errorf("bin%d of %d: %d bytes, n %d, need %d, %v", 8*c.width, c.size, len(frame), n, need, err)
		}
		if cap(frame) != len(frame) {
			t.Errorf("bin%d of %d: an append to the frame overwrites the next", 8*c.width, c.size)
		}
	}
}

func TestSplitTruncated(t *testing.T) {
	for _, width := range []int{1, 2, 4} {
		whole := binOf(width, []byte("a frame's content"))
		for i := range whole {
			need := 0
			if i > width {
				need = len(whole)
			}
			frame, n, gotNeed, err := Split(whole[:i], 0)
			if frame != nil || n != 0 || gotNeed != need || err != nil {
				t.Errorf("bin%d cut at %d: %x, n %d, need %d, %v; want need %d", 8*width, i, frame, n, gotNeed, err, need)
			}
		}
	}
}

// What is no bin is refused at its first byte, and what is too long as soon as
// its length is there.
func TestSplitRefuses(t *testing.T) {
	for c := range 256 {
		if c >= bin8 && c <= bin32 {
			continue
		}
		if _, n, need, err := Split([]byte{byte(c)}, 0); !isMalformed(err) || n != 0 || need != 0 {
			t.Errorf("byte %#02x: n %d, need %d, %v", c, n, need, err)
		}
	}
	for _, c := range []struct{ width, size int }{{1, 255}, {2, 65535}, {4, 1 << 30}} {
		header := binHeaderOf(c.width, c.size)
		_, n, need, err := Split(header, c.size-1)
		if !isLimit(err) || n != 0 || need != 0 {
			t.Errorf("bin%d of %d: n %d, need %d, %v", 8*c.width, c.size, n, need, err)
		}
		if _, _, need, err = Split(header, c.size); err != nil || need != len(header)+c.size {
			t.Errorf("bin%d of %d: need %d, %v", 8*c.width, c.size, need, err)
		}
	}
	if _, _, _, err := Split([]byte{bin32, 0xff, 0xff, 0xff, 0xff}, 0); !isLimit(err) {
		t.Errorf("4 GiB: %v", err)
	}
}
