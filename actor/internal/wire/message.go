package wire

import (
	"context"
	"time"
)

// A MessageType is what is known of the type of a message that is sent. One that has no name ("") is
// not known to any receiver: the type of nil, or an interface.
type MessageType struct {
	Name string
	Text []byte                   // Name, for an Envelope; not to be changed
	Key  func(message any) uint64 // the routing key of a message; nil if they have none
}

// KeyOf returns the routing key of a message of this type; 0 if it has none.
func (t *MessageType) KeyOf(message any) uint64 {
	if t.Key == nil {
		return 0
	}
	return t.Key(message)
}

// Deadline returns ctx's in Unix nanoseconds, or zero.
func Deadline(ctx context.Context) int64 {
	if at, ok := ctx.Deadline(); ok && at.After(time.Unix(0, 0)) {
		return at.UnixNano()
	}
	return 0
}
