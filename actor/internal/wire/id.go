package wire

import (
	"encoding/hex"
	"errors"

	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/entropy"
)

// NewID returns a random address. Its 122 random bits (a version 4 UUID, RFC 9562) come
// from the operating system's source, so that it cannot be guessed: whoever
// has an address was given it.
//
// The UUID is made here and not by a module: github.com/google/uuid imports net, which links
// the C library where there is a C compiler, and then each actor's process starts 0.8 ms
// later, with a thread and 0.2 MB more.
func NewID() codec.ID {
	var id codec.ID
	entropy.Read(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	return id
}

// FormatID returns the UUID notation of id: 36 lower-case characters.
func FormatID(id codec.ID) string {
	b := make([]byte, 0, 36)
	for i := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, id[i:i+1])
	}
	return string(b)
}

var errNotation = errors.New("not a UUID in the usual notation")

// ParseID reads what FormatID writes, and nothing else.
func ParseID(s string) (codec.ID, error) {
	var digits []byte
	if len(s) == 36 {
		digits = append(digits, s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:]...)
	}
	var id codec.ID
	if n, err := hex.Decode(id[:], digits); err != nil || n != len(id) || FormatID(id) != s {
		return codec.ID{}, errNotation
	}
	return id, nil
}
