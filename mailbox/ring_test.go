//go:build linux || darwin

package mailbox

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// newRing returns both sides of a ring in memory of this process.
func newRing() (*Ring, *ringWriter, *ringReader) {
	r := &Ring{words: make([]byte, ringWords), data: make([]byte, ringSize)}
	return r, newRingWriter(r), newRingReader(r)
}

func mustWrite(t *testing.T, w *ringWriter, b []byte, want int) {
	t.Helper()
	if n, err := w.write(b); n != want || err != nil {
		t.Fatalf("write of %d bytes: %d, %v; want %d", len(b), n, err, want)
	}
}

// What goes in comes out, whatever the sizes, all around the memory.
func TestRingBytes(t *testing.T) {
	_, w, q := newRing()
	rng := rand.New(rand.NewPCG(1, 2))
	var in, out bytes.Buffer
	buf := make([]byte, ringSize)
	for range 5000 {
		piece := make([]byte, 1+rng.IntN(1<<rng.IntN(19)))
		for i := range piece {
			piece[i] = byte(rng.Uint32())
		}
		n, err := w.write(piece)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(piece[:n])
		if rng.IntN(4) > 0 {
			n, err := q.read(buf[:1+rng.IntN(ringSize)])
			if err != nil {
				t.Fatal(err)
			}
			out.Write(buf[:n])
		}
	}
	for {
		n, err := q.read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		out.Write(buf[:n])
	}
	if !bytes.Equal(in.Bytes(), out.Bytes()) {
		t.Errorf("%d bytes in, %d out, and they differ", in.Len(), out.Len())
	}
}

func TestRingCapacity(t *testing.T) {
	for size, want := range map[int]int{ringSize - 1: ringSize - 1, ringSize: ringSize, ringSize + 1: ringSize} {
		_, w, q := newRing()
		mustWrite(t, w, make([]byte, size), want)
		mustWrite(t, w, make([]byte, 1), min(1, ringSize-want))
		mustWrite(t, w, []byte{1}, 0)
		if w.hasRoom() {
			t.Error("it is full, and has room")
		}
		if n, err := q.read(make([]byte, 1)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		mustWrite(t, w, []byte{1, 2}, 1)
	}
}

// An exchange of small pieces stays in the first page.
func TestRingRestarts(t *testing.T) {
	r, w, q := newRing()
	piece, got := bytes.Repeat([]byte{7}, 200), make([]byte, ringSize)
	for i := range 10_000 {
		mustWrite(t, w, piece, len(piece))
		if n, err := q.read(got); n != len(piece) || err != nil {
			t.Fatal(i, n, err)
		}
	}
	if used := len(bytes.TrimRight(r.data, "\x00")); used > 4096 {
		t.Errorf("%d bytes of memory were used", used)
	}
}

// The reader is told of room when there is much of it, and only if the writer asked.
func TestRingRoom(t *testing.T) {
	_, w, q := newRing()
	mustWrite(t, w, make([]byte, ringSize), ringSize)
	if q.oweRoom() {
		t.Error("room is owed, and nobody has asked")
	}
	if !w.wantRoom() {
		t.Error("there is no room, and it is not to be waited for")
	}
	if q.read(make([]byte, ringSize/2-1)); q.oweRoom() {
		t.Error("room is owed at less than a half")
	}
	if q.read(make([]byte, 1)); !q.oweRoom() || q.oweRoom() {
		t.Error("room is to be owed once")
	}
	if w.wantRoom() {
		t.Error("there is room, and it is to be waited for")
	}
}

// Positions that cannot be true are an error, on both sides.
func TestRingLies(t *testing.T) {
	for name, lie := range map[string]func(r *Ring){
		"tail too far":            func(r *Ring) { r.word(ringTail).Store(10 + ringSize + 1) },
		"tail behind":             func(r *Ring) { r.word(ringTail).Store(5) },
		"tail at the end of time": func(r *Ring) { r.word(ringTail).Store(1<<64 - 1) },
		"origin not at the beginning": func(r *Ring) {
			r.word(ringOrigin).Store(11)
			r.word(ringTail).Store(12)
		},
		"origin beyond tail": func(r *Ring) {
			r.word(ringOrigin).Store(2 * ringSize)
			r.word(ringTail).Store(12)
		},
	} {
		r, w, q := newRing()
		mustWrite(t, w, make([]byte, 10), 10)
		if n, err := q.read(make([]byte, 10)); n != 10 || err != nil {
			t.Fatal(n, err)
		}
		lie(r)
		if n, err := q.read(make([]byte, 10)); n != 0 || !errors.Is(err, ErrRing) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	r, w, _ := newRing()
	mustWrite(t, w, make([]byte, ringSize), ringSize)
	r.word(ringHead).Store(ringSize + 1)
	if n, err := w.write([]byte{1}); n != 0 || !errors.Is(err, ErrRing) {
		t.Errorf("head beyond tail: %d, %v", n, err)
	}
	r, w, _ = newRing()
	mustWrite(t, w, make([]byte, 10), 10)
	r.word(ringHead).Store(10)
	mustWrite(t, w, make([]byte, ringSize), ringSize)
	r.word(ringHead).Store(3) // back: it is not believed
	mustWrite(t, w, []byte{1}, 0)
}
