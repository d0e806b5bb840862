//go:build unix

package mailbox

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

// FuzzReader gives a Reader arbitrary bytes in pieces: it returns what Split finds in the
// whole, ends with the right error, and allocates in proportion to what came.
func FuzzReader(f *testing.F) {
	f.Add([]byte{}, uint16(1))
	f.Add(numbered(1, 9), uint16(3))
	f.Add(append(numbered(1, 9), numbered(2, 500)...), uint16(100))
	f.Add([]byte{0xc4, 3, 1, 2, 3, 0xc5, 0, 2, 1, 2, 0xc6}, uint16(2))
	f.Add([]byte{0xc6, 0x7f, 0xff, 0xff, 0xff, 0}, uint16(6))
	f.Add([]byte{0xc6, 0x00, 0xff, 0xff, 0xff, 0}, uint16(1))
	f.Add([]byte("GET / HTTP/1.1\r\n"), uint16(7))
	f.Add(frame(3*bufferSize), uint16(60_000))
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, stream []byte, piece uint16) {
		var want [][]byte
		rest, broken := stream, false
		for {
			content, n, _, err := codec.Split(rest, limit)
			if err != nil || n == 0 {
				broken = err != nil
				break
			}
			want = append(want, content)
			rest = rest[n:]
		}

		pr, pw, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r := NewReader(pr, limit)
		defer r.Close()
		written := make(chan bool)
		go func() {
			defer close(written)
			defer pw.Close()
			for left := stream; len(left) > 0; {
				n := min(len(left), int(piece)+1+len(stream)/100)
				if _, err := pw.Write(left[:n]); err != nil {
					return // the reader had enough
				}
				left = left[n:]
			}
		}()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i, content := range want {
			got, err := r.Next()
			if err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
			if !bytes.Equal(got.Bytes, content) {
				t.Fatalf("frame %d differs", i)
			}
		}
		_, err = r.Next()
		runtime.ReadMemStats(&after)
		switch {
		case err == nil:
			t.Fatal("one frame too many")
		case broken && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) && !errors.As(err, new(*codec.MalformedError)):
			t.Fatalf("got %v for a stream that is no frame", err)
		case !broken && len(rest) == 0 && err != io.EOF:
			t.Fatalf("got %v, want EOF", err)
		case !broken && len(rest) > 0 && !errors.As(err, new(*TruncatedError)):
			t.Fatalf("got %v, want a TruncatedError", err)
		}
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(5*len(stream)+1<<19); got > most {
			t.Fatalf("allocated %d bytes for %d", got, len(stream))
		}
		r.Close()
		<-written
	})
}
