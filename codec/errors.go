package codec

import "fmt"

// A LimitError says that something is larger than it may be. Nothing of it was
// written, or nothing of it was kept; what came before is intact.
type LimitError struct {
	What  string // what is too large, such as "frame"
	Limit int    // the most bytes it may have
	Size  int    // the bytes it has, or those counted when it was refused: the whole may be larger
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("codec: %s of %d bytes is over the limit of %d", e.What, e.Size, e.Limit)
}

// A MalformedError says that bytes are not what they must be. A stream in which
// a frame is malformed has lost its place and cannot be read any further; a
// malformed envelope or payload leaves the stream sound.
type MalformedError struct {
	Detail string // what is malformed, and how: "frame: starts with 0x41, which is no bin"
	Err    error  // the cause, or nil
}

func (e *MalformedError) Error() string {
	if e.Err == nil {
		return "codec: malformed " + e.Detail
	}
	return "codec: malformed " + e.Detail + ": " + e.Err.Error()
}

// Unwrap returns Err. It is io.ErrUnexpectedEOF where bytes are missing.
func (e *MalformedError) Unwrap() error { return e.Err }
