package spawn

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// The versions of the protocol that this program speaks.
const (
	MinVersion = 1
	MaxVersion = 1
)

// ErrNotBooted is returned by [Process.Hello] when the child said by
// [Birth.Refuse] that its main went on without booting.
var ErrNotBooted = errors.New("main did not boot")

// A HelloError says that what the child sent is no Hello, or not one that this
// program can work with.
type HelloError struct{ Detail string }

func (e *HelloError) Error() string { return "bad Hello: " + e.Detail }

// A status is what a child says of itself in its Hello.
type status uint64

const (
	ready     status = 0
	notBooted status = 1
)

const helloMagic = "progeny"

// The bytes of msgpack that a Hello is made of.
const (
	msgpackFixArray = 0x90
	msgpackFixStr   = 0xa0
	msgpackBin8     = 0xc4
	msgpackUint8    = 0xcc
	msgpackUint16   = 0xcd
	msgpackUint32   = 0xce
	msgpackArray16  = 0xdc
)

// hello is a Hello, decoded.
type hello struct {
	min, max uint64 // versions
	build    build
	status   status
}

// encodeHello returns the bytes of a Hello, its header included. Versions and
// status are below 128, so each is a byte.
func encodeHello(h hello) []byte {
	b := []byte{msgpackBin8, 0, msgpackFixArray | 5, msgpackFixStr | byte(len(helloMagic))}
	b = append(b, helloMagic...)
	b = append(b, byte(h.min), byte(h.max), msgpackBin8, byte(len(h.build)))
	b = append(b, h.build[:]...)
	b = append(b, byte(h.status))
	b[1] = byte(len(b) - 2)
	return b
}

// Hello waits until the child has said Hello on Outbox, of which it reads
// exactly those bytes, and checks it. It blocks until ctx is done. Its errors
// wrap:
//
//   - [ErrNotBooted], as the child said;
//   - a [*HelloError]: these bytes are no Hello, no version in common, another
//     build of the program;
//   - [io.EOF] or [io.ErrUnexpectedEOF]: the child exited or closed its
//     pipe first;
//   - ctx.Err().
//
// After an error the process is of no use. It is the caller's to end.
func (p *Process) Hello(ctx context.Context) error {
	content, err := p.readHello(ctx)
	if err == nil {
		err = checkHello(content)
	}
	if err != nil {
		return fmt.Errorf("spawn %s: %w", p.name, err)
	}
	return nil
}

func (p *Process) readHello(ctx context.Context) ([]byte, error) {
	outbox := p.Outbox
	interrupted := make(chan struct{})
	interrupt := func() {
		outbox.SetReadDeadline(time.Unix(1, 0)) // any time in the past
		close(interrupted)
	}
	stop := context.AfterFunc(ctx, interrupt)
	content, err := readHello(outbox)
	if !stop() {
		<-interrupted
		outbox.SetReadDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("waiting for Hello: %w", ctx.Err())
	}
	return content, err
}

// readHello returns the content of a Hello's frame.
func readHello(r io.Reader) ([]byte, error) {
	var header [2]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, fmt.Errorf("exited or closed its pipe before Hello: %w", err)
	}
	if header[0] != msgpackBin8 {
		return nil, &HelloError{fmt.Sprintf("it begins with %#02x %#02x", header[0], header[1])}
	}
	content := make([]byte, header[1])
	if _, err := io.ReadFull(r, content); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("exited or closed its pipe within Hello: %w", err)
	}
	return content, nil
}

// checkHello decides whether this program can work with the child that sent it.
func checkHello(content []byte) error {
	h, err := decodeHello(content)
	if err != nil {
		return err
	}
	if h.min > MaxVersion || h.max < MinVersion {
		return &HelloError{fmt.Sprintf("it speaks versions %d to %d, we %d to %d", h.min, h.max, MinVersion, MaxVersion)}
	}
	exe, err := executable()
	if err != nil {
		return err
	}
	if h.build != exe.build {
		return &HelloError{fmt.Sprintf("wrong build %x, ours is %x: the executable was replaced", h.build, exe.build)}
	}
	switch h.status {
	case ready:
		return nil
	case notBooted:
		return ErrNotBooted
	}
	return &HelloError{fmt.Sprintf("unknown status %d", h.status)}
}

// decodeHello never panics, whatever the bytes.
func decodeHello(content []byte) (hello, error) {
	r := helloReader{rest: content}
	if n := r.array(); n < 5 && !r.bad {
		return hello{}, &HelloError{fmt.Sprintf("an array of %d elements, want 5 or more", n)}
	}
	if magic := r.take(1 + len(helloMagic)); !r.bad &&
		(magic[0] != msgpackFixStr|byte(len(helloMagic)) || string(magic[1:]) != helloMagic) {
		return hello{}, &HelloError{fmt.Sprintf("no %q in %q", helloMagic, content)}
	}
	var h hello
	h.min, h.max = r.uint(), r.uint()
	if head := r.take(2); !r.bad && !bytes.Equal(head, []byte{msgpackBin8, byte(len(h.build))}) {
		r.bad = true
	}
	copy(h.build[:], r.take(len(h.build)))
	h.status = status(r.uint())
	if r.bad {
		return hello{}, &HelloError{fmt.Sprintf("malformed: %x", content)}
	}
	return h, nil
}

// A helloReader takes msgpack values off rest. Once bad, it yields zeros.
type helloReader struct {
	rest []byte
	bad  bool
}

// take returns the next n bytes, or n zeros if there are not as many.
func (r *helloReader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// array returns the number of elements of an array.
func (r *helloReader) array() int {
	switch head := r.take(1)[0]; {
	case head&0xf0 == msgpackFixArray:
		return int(head & 0x0f)
	case head == msgpackArray16:
		return int(binary.BigEndian.Uint16(r.take(2)))
	}
	r.bad = true
	return 0
}

func (r *helloReader) uint() uint64 {
	switch head := r.take(1)[0]; {
	case head < 0x80:
		return uint64(head)
	case head == msgpackUint8:
		return uint64(r.take(1)[0])
	case head == msgpackUint16:
		return uint64(binary.BigEndian.Uint16(r.take(2)))
	case head == msgpackUint32:
		return uint64(binary.BigEndian.Uint32(r.take(4)))
	}
	r.bad = true
	return 0
}
