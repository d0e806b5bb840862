package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// The bare systems: this program again, with one processor like an actor's, and
// two pipes, in the poller on both sides. Frames have a head of 16 bytes and are not
// encoded; nobody waits for room, no death is explained.
var (
	barePipes = system{
		name: "bare pipes",
		echo: func(context.Context) (echoer, error) { return startBare() },
		sink: func(context.Context) (sinker, error) { return startBare() },
		relay: func(context.Context) (relayer, error) {
			to, err := startBare()
			if err != nil {
				return nil, err
			}
			b, err := startBare()
			if err != nil {
				return nil, errors.Join(err, to.close())
			}
			b.to = to
			return b, nil
		},
	}

	// bareBuffered gathers 64 KiB before it writes: no message is on its way before
	// others have come. It is the ceiling, not a way to live.
	bareBuffered = system{
		name: "bare pipes, buffered",
		sink: func(context.Context) (sinker, error) {
			b, err := startBare()
			if err != nil {
				return nil, err
			}
			b.buffered = true
			return b, nil
		},
	}

	bareReexec = system{
		name:  "bare re-exec",
		start: func(context.Context) (process, error) { return startBare() },
	}
)

// bareRole is the only argument of a bare process.
const bareRole = "bare"

// bare is a bare process, seen from its parent.
type bare struct {
	os       *os.Process
	out      *os.File // to it
	in       *os.File // from it
	buffered bool
	to       *bare // of a relay

	mu   sync.Mutex // one round trip at a time
	ping []byte
	pong []byte
}

// startBare starts this program again and returns at its first byte.
func startBare() (*bare, error) {
	childIn, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childIn.Close()
	in, childOut, err := os.Pipe()
	if err != nil {
		out.Close()
		return nil, err
	}
	defer childOut.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], bareRole}, &os.ProcAttr{
		Env:   append(os.Environ(), "GOMAXPROCS=1"),
		Files: []*os.File{childIn, childOut, os.Stderr},
	})
	if err != nil {
		return nil, errors.Join(err, out.Close(), in.Close())
	}
	b := &bare{os: p, out: out, in: in, ping: newFrame(opEcho, 64), pong: make([]byte, 64)}
	if _, err := in.Read(b.pong[:1]); err != nil {
		return nil, errors.Join(fmt.Errorf("first byte: %w", err), b.close())
	}
	return b, nil
}

func (b *bare) call(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.out.Write(b.ping); err != nil {
		return err
	}
	if _, err := io.ReadFull(b.in, b.pong); err != nil {
		return err
	}
	if !bytes.Equal(b.ping, b.pong) {
		return fmt.Errorf("the echo of %x is %x", b.ping, b.pong)
	}
	return nil
}

func (b *bare) pings(ctx context.Context, n int, pause time.Duration) ([]time.Duration, error) {
	return eachTimed(ctx, b, n, pause)
}

func (b *bare) flood(_ context.Context, n, size int) (tally, error) {
	out := bufio.NewWriterSize(b.out, 64<<10)
	f := newFrame(opTell, size)
	for i := range n {
		binary.LittleEndian.PutUint64(f[8:], uint64(i))
		if _, err := out.Write(f); err != nil {
			return tally{}, err
		}
		if b.buffered {
			continue
		}
		if err := out.Flush(); err != nil {
			return tally{}, err
		}
	}
	if err := out.Flush(); err != nil {
		return tally{}, err
	}
	return b.report()
}

func (b *bare) report() (tally, error) {
	if _, err := b.out.Write(newFrame(opReport, frameHead)); err != nil {
		return tally{}, err
	}
	var t [2]uint64
	err := binary.Read(b.in, binary.LittleEndian, &t)
	return tally{Got: int(t[0]), Bad: int(t[1])}, err
}

// relay copies what one process writes to the other, as it comes.
func (b *bare) relay(_ context.Context, n int) (tally, error) {
	order := newFrame(opFlood, frameHead)
	binary.LittleEndian.PutUint64(order[8:], uint64(n))
	if _, err := b.out.Write(order); err != nil {
		return tally{}, err
	}
	buf := make([]byte, 64<<10)
	for left := n * 64; left > 0; {
		got, err := b.in.Read(buf[:min(left, len(buf))])
		if err != nil {
			return tally{}, err
		}
		if _, err := b.to.out.Write(buf[:got]); err != nil {
			return tally{}, err
		}
		left -= got
	}
	return b.to.report()
}

func (b *bare) pid() int                      { return b.os.Pid }
func (b *bare) use(ctx context.Context) error { return b.call(ctx) }
func (b *bare) watch() func()                 { return func() { b.os.Wait() } }

func (b *bare) close() error {
	if b.to != nil {
		defer b.to.close()
	}
	b.os.Kill()
	b.os.Wait() // an error if it was waited for
	return errors.Join(b.out.Close(), b.in.Close())
}

// The frames: size, op, a number (the sequence, or how many), filling.
const (
	frameHead = 16

	opEcho   = 1
	opTell   = 2
	opReport = 3
	opFlood  = 4
)

func newFrame(op uint32, size int) []byte {
	f := make([]byte, size)
	binary.LittleEndian.PutUint32(f, uint32(size))
	binary.LittleEndian.PutUint32(f[4:], op)
	copy(f[frameHead:], pattern())
	return f
}

// bootBare turns the process into a bare one if it is to be one; then it does not return.
func bootBare() {
	if len(os.Args) != 2 || os.Args[1] != bareRole {
		return
	}
	in, out, err := bareFiles()
	if err == nil {
		err = serveBare(in, out)
	}
	if err != nil && err != io.EOF {
		fmt.Fprintln(os.Stderr, "bare process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveBare(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 64<<10)
	head, buf := make([]byte, frameHead), []byte(nil)
	var seen tally
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		size := int(binary.LittleEndian.Uint32(head))
		number := binary.LittleEndian.Uint64(head[8:])
		buf = append(slices.Grow(buf[:0], size), head...)[:size]
		if _, err := io.ReadFull(r, buf[frameHead:]); err != nil {
			return err
		}
		var err error
		switch binary.LittleEndian.Uint32(head[4:]) {
		case opEcho:
			_, err = out.Write(buf)
		case opTell:
			seen.next(number, bytes.Equal(buf[frameHead:], pattern()[:size-frameHead]))
		case opReport:
			err = binary.Write(out, binary.LittleEndian, [2]uint64{uint64(seen.Got), uint64(seen.Bad)})
			seen = tally{}
		case opFlood:
			f := newFrame(opTell, 64)
			for i := range number {
				binary.LittleEndian.PutUint64(f[8:], i)
				if _, err := out.Write(f); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
	}
}
