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

// NewBufferFor returns an empty Buffer for a frame of about that many bytes.
func NewBufferFor(size int) Buffer {
	if size < AdoptSize {
		return NewBuffer()
	}
	return Buffer{Bytes: getLarge(size)}
}

// Free gives the memory back, unless the frame is so large that a Writer may have
// adopted it. It is to be called once, whether the frame was sent or not.
func (b *Buffer) Free() {
	switch {
	case len(b.Bytes) >= AdoptSize:
	case cap(b.Bytes) >= AdoptSize:
		putLarge(b.Bytes)
	case b.pooled != nil:
		*b.pooled = b.Bytes
		frames.Put(b.pooled)
	}
}
