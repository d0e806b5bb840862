package mailbox

import (
	"errors"
	"fmt"
	"io"
)

var (
	// ErrFull is returned by TryPut when there is no room or others wait for it, and
	// by Push when too much is unwritten.
	ErrFull = errors.New("mailbox: full")

	// ErrProgress is returned by Release, and by Put, TryPut and Enqueue that asked
	// Progress, when the reader claims to have finished frames
	// that it was never given. The reader is broken or hostile; nothing was released.
	ErrProgress = errors.New("mailbox: more frames reported finished than were sent")

	// ErrRing says that the positions in a Ring's shared memory cannot be true, in a
	// *PipeError: the other side is broken or hostile.
	ErrRing = errors.New("mailbox: the ring's positions cannot be true")

	// ErrDetached is returned by Push, PushTo and Flush of a Writer that has no reader at the
	// time: before Attach, after Detach.
	ErrDetached = errors.New("mailbox: no reader attached")

	// errAttached refuses what a Writer with a reader cannot do.
	errAttached = errors.New("mailbox: a reader is attached")

	// errEmpty refuses a frame without bytes, which no reader could see.
	errEmpty = errors.New("mailbox: empty frame")

	// errWouldBlock is the pipe's answer that it is full, or empty.
	errWouldBlock = errors.New("mailbox: would block")
)

// PipeError is a failed read or write of the pipe. It is final for that pipe.
type PipeError struct {
	Op  string // "read" or "write"
	Err error  // mostly a syscall.Errno
}

func (e *PipeError) Error() string { return "mailbox: " + e.Op + " pipe: " + e.Err.Error() }
func (e *PipeError) Unwrap() error { return e.Err }

// TruncatedError says that the pipe ended within a frame.
type TruncatedError struct {
	Bytes int // how many bytes of that frame had come, its header included
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("mailbox: pipe ended %d bytes into a frame", e.Bytes)
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }
