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

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// The bare systems: this program again, with one processor like an actor's, and
// two pipes, in the poller on both sides. Frames have a head of 16 bytes and are not
// encoded; nobody waits for room, no death is explained.
var (
	barePipes = bench.System{
		Name:       "bare pipes",
		Echo:       func(context.Context) (bench.Echoer, error) { return startBare() },
		Sink:       func(context.Context) (bench.Sinker, error) { return startBare() },
		SinkCustom: func(context.Context) (bench.Sinker, error) { return startBare() },
		Relay: func(context.Context) (bench.Relayer, error) {
			to, err := startBare()
			if err != nil {
				return nil, err
			}
			b, err := startBare()
			if err != nil {
				return nil, errors.Join(err, to.Close())
			}
			b.to = to
			return b, nil
		},
	}

	// bareBuffered gathers 64 KiB before it writes: no message is on its way before
	// others have come. It is the ceiling, not a way to live.
	bareBuffered = bench.System{
		Name: "bare pipes, buffered",
		Sink: func(context.Context) (bench.Sinker, error) {
			b, err := startBare()
			if err != nil {
				return nil, err
			}
			b.buffered = true
			return b, nil
		},
	}

	bareReexec = bench.System{
		Name:      "bare re-exec",
		Start:     func(context.Context) (bench.Process, error) { return startBare() },
		Restart:   func(context.Context) (bench.Reviver, error) { return startBare() },
		StartMany: func(context.Context) (bench.Crowd, error) { return &bares{}, nil },
		Light:     true,
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
		return nil, errors.Join(fmt.Errorf("first byte: %w", err), b.Close())
	}
	return b, nil
}

func (b *bare) Call(context.Context) error {
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

func (b *bare) Pings(ctx context.Context, n int, pause, limit time.Duration) ([]time.Duration, error) {
	return bench.EachTimed(ctx, n, pause, limit, b.Call)
}

func (b *bare) Flood(_ context.Context, n, size int) (bench.Tally, error) {
	out := bufio.NewWriterSize(b.out, 64<<10)
	f := newFrame(opTell, size)
	for i := range n {
		binary.LittleEndian.PutUint64(f[8:], uint64(i))
		if _, err := out.Write(f); err != nil {
			return bench.Tally{}, err
		}
		if b.buffered {
			continue
		}
		if err := out.Flush(); err != nil {
			return bench.Tally{}, err
		}
	}
	if err := out.Flush(); err != nil {
		return bench.Tally{}, err
	}
	return b.report()
}

func (b *bare) report() (bench.Tally, error) {
	if _, err := b.out.Write(newFrame(opReport, frameHead)); err != nil {
		return bench.Tally{}, err
	}
	var t [2]uint64
	err := binary.Read(b.in, binary.LittleEndian, &t)
	return bench.Tally{Got: int(t[0]), Bad: int(t[1])}, err
}

// Relay copies what one process writes to the other, as it comes.
func (b *bare) Relay(_ context.Context, n int) (bench.Tally, error) {
	order := newFrame(opFlood, frameHead)
	binary.LittleEndian.PutUint64(order[8:], uint64(n))
	if _, err := b.out.Write(order); err != nil {
		return bench.Tally{}, err
	}
	buf := make([]byte, 64<<10)
	for left := n * 64; left > 0; {
		got, err := b.in.Read(buf[:min(left, len(buf))])
		if err != nil {
			return bench.Tally{}, err
		}
		if _, err := b.to.out.Write(buf[:got]); err != nil {
			return bench.Tally{}, err
		}
		left -= got
	}
	return b.to.report()
}

func (b *bare) Pid() int                      { return b.os.Pid }
func (b *bare) Use(ctx context.Context) error { return b.Call(ctx) }
func (b *bare) Watch() func()                 { return func() { b.os.Wait() } }

func (b *bare) Close() error {
	if b.to != nil {
		defer b.to.Close()
	}
	b.os.Kill()
	b.os.Wait() // an error if it was waited for
	return errors.Join(b.out.Close(), b.in.Close())
}

// Revive waits for the dead and starts anew, as one would by hand.
func (b *bare) Revive(ctx context.Context) error {
	b.os.Wait()
	next, err := startBare()
	if err != nil {
		return err
	}
	b.in.Close()
	b.out.Close()
	b.os, b.in, b.out = next.os, next.in, next.out
	return b.Call(ctx)
}

// bares is many of them.
type bares struct {
	mu  sync.Mutex
	all []*bare // mu protects it while they are added
}

func (c *bares) Add(context.Context) error {
	b, err := startBare()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, b)
	return nil
}

func (c *bares) Ask(ctx context.Context, i int) error { return c.all[i].Call(ctx) }

func (c *bares) Close() (err error) {
	for _, b := range c.all {
		err = errors.Join(err, b.Close())
	}
	return err
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
	copy(f[frameHead:], bench.Pattern())
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
	var seen bench.Tally
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
			seen.Next(number, bytes.Equal(buf[frameHead:], bench.Pattern()[:size-frameHead]))
		case opReport:
			err = binary.Write(out, binary.LittleEndian, [2]uint64{uint64(seen.Got), uint64(seen.Bad)})
			seen = bench.Tally{}
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
