package mailbox

import (
	"math/bits"
	"sync"
)

// Frames from AdoptSize on have memory of their own, which is used again: a new megabyte
// costs as much as copying one, and the collector comes for every few of them.

// largest is the class of the largest buffers that are kept: 18 MiB. A frame of the usual
// limit fits.
const largest = 24

// large holds buffers by class. What nobody takes the garbage collector does.
var large [largest + 1]sync.Pool

// classSize is 2ᵏ bytes and an eighth, so that a payload of 2ᵏ and what goes with it fit in.
func classSize(k int) int { return 9 << k >> 3 }

// getLarge returns an empty buffer that has room for size bytes. It is not zeroed.
func getLarge(size int) []byte {
	k := bits.Len(uint(size-1)) - 1
	if classSize(k) < size {
		k++
	}
	if k > largest {
		return make([]byte, 0, size)
	}
	if b, ok := large[k].Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 0, classSize(k))
}

// putLarge gives up a buffer, for others to use.
func putLarge(b []byte) {
	k := bits.Len(uint(cap(b))) - 1
	for k > 0 && classSize(k) > cap(b) {
		k--
	}
	if b = b[:0]; cap(b) >= AdoptSize && k <= largest {
		large[k].Put(&b)
	}
}
