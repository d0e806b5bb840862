package bench

import (
	"bytes"
	"encoding/binary"
)

// NewFrame makes a message of plain bytes, for systems whose messages are that: 8 bytes for the
// sequence number, the rest from [Pattern].
func NewFrame(size int) []byte {
	f := make([]byte, size)
	copy(f[8:], Pattern())
	return f
}

// Number gives a frame its sequence number.
func Number(frame []byte, seq uint64) { binary.LittleEndian.PutUint64(frame, seq) }

// NewPing makes a frame that is to be sent back.
func NewPing(size int) []byte {
	f := NewFrame(size)
	Number(f, ping64)
	return f
}

// IsPing reports whether a frame is to be sent back. Not every system knows whether its sender waits.
func IsPing(frame []byte) bool { return len(frame) >= 8 && binary.LittleEndian.Uint64(frame) == ping64 }

const ping64 = 1<<64 - 1

// Frame checks and counts one that was received.
func (t *Tally) Frame(f []byte) {
	if len(f) < 8 {
		t.Next(0, false)
		return
	}
	t.Next(binary.LittleEndian.Uint64(f), bytes.Equal(f[8:], Pattern()[:len(f)-8]))
}

// Count checks one where no order is promised: what comes twice shows in Got.
func (t *Tally) Count(intact bool) {
	t.Got++
	if !intact {
		t.Bad++
	}
}
