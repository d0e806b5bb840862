//go:build unix

package mailbox

import (
	"io"
	"testing"
)

// Whatever Drain meets, all that was written before it is read, and no more is waited for.
func TestStreamDrain(t *testing.T) {
	check(t)
	for range 2000 {
		pr, pw := pipe(t)
		s := NewStream(pr)
		const total = 2000
		if _, err := pw.Write(make([]byte, total)); err != nil {
			t.Fatal(err)
		}
		read := make(chan int, 1)
		go func() {
			n, p := 0, make([]byte, 100)
			for {
				m, err := s.Read(p)
				n += m
				if err != nil {
					if err != io.EOF {
						t.Errorf("Read: %v", err)
					}
					read <- n
					return
				}
			}
		}()
		s.Drain()
		if n := within(t, "Read", read); n != total {
			t.Fatalf("read %d of %d bytes", n, total)
		}
		s.Close()
		pw.Close()
	}
}
