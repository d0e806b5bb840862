package node

import (
	"fmt"

	"github.com/progeny-go/progeny/codec"
)

// How many msgpack values there may be in what a process sends to the node itself. A value can be
// one byte of payload, and a hundred times as large when it is decoded.
const (
	// maxValues is for all but plans: an honest reason has a few dozen.
	maxValues = 1 << 16
	// maxPlan is for what is to be started. One child is some seventy values, and one more for each
	// entry of its environment.
	maxPlan = 1 << 19
)

// maxFailure is how large an actor's error may be, in bytes of msgpack. Of a larger one only that is told.
const maxFailure = 1 << 20

// tooManyValues is a payload that is not decoded.
type tooManyValues int

func (most tooManyValues) Error() string {
	return fmt.Sprintf("more than %d msgpack values", int(most))
}

// decode is codec.Decode for a payload of at most so many values; else it is tooManyValues.
func decode(payload []byte, v any, most int) error {
	if len(payload) > most && codec.HasMoreValues(payload, most) { // a value has at least one byte
		return tooManyValues(most)
	}
	return codec.Decode(payload, v)
}
