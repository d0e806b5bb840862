package mailbox

import "sync"

// A Buffer is pooled memory for one frame that is to be sent: append the frame
// to Bytes, give Bytes to a Writer, call Free. It is a value with one owner.
type Buffer struct {
	Bytes  []byte
	pooled *[]byte
}

// Buffers start small: most messages are.
var frames = sync.Pool{New: func() any {
	b := make([]byte, 0, 1<<10)
	return &b
}}

// NewBuffer returns an empty Buffer.
func NewBuffer() Buffer {
	p := frames.Get().(*[]byte)
	return Buffer{Bytes: (*p)[:0], pooled: p}
}

// Free gives the memory back, unless it is so large that a Writer may have
// adopted it. It is to be called once, whether the frame was sent or not.
func (b *Buffer) Free() {
	if cap(b.Bytes) < AdoptSize {
		*b.pooled = b.Bytes
		frames.Put(b.pooled)
	}
}
