package wire

import (
	"errors"

	"github.com/google/uuid"

	"github.com/progeny-go/progeny/codec"
)

// NewID returns a random address. Its 122 random bits (a version 4 UUID) come
// from the operating system's source, so that it cannot be guessed: whoever
// has an address was given it.
func NewID() codec.ID { return codec.ID(uuid.New()) }

// FormatID returns the UUID notation of id.
func FormatID(id codec.ID) string { return uuid.UUID(id).String() }

// ParseID reads what FormatID writes, and nothing else.
func ParseID(s string) (codec.ID, error) {
	if err := uuid.Validate(s); err != nil {
		return codec.ID{}, err
	}
	id, err := uuid.Parse(s)
	if err == nil && id.String() != s {
		err = errors.New("not in the usual notation")
	}
	return codec.ID(id), err
}
