package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// maxFile is the largest file that is decoded, in bytes: a message is at most 16 MiB, and
// has an envelope.
const maxFile = 16<<20 - 1<<10

var errTooLarge = fmt.Errorf("over %d bytes, too large for a message", maxFile)

// workers is a pool of n of them. One that dies of an image is replaced at once, as often
// as there are such images; the messages that wait for it are kept. One that cannot be
// started is not tried again, and the pool ends with the last.
func workers(n int) actor.Pool {
	worker := limited(decoder.With(actor.None{}))
	worker.Significant = true
	return actor.Pool{
		Supervisor: actor.Supervisor{
			Name:         "decoders",
			Intensity:    math.MaxInt32,
			Period:       time.Second,
			AutoShutdown: actor.AllSignificant,
		},
		Of:    worker,
		Size:  n,
		Route: actor.LeastLoaded,
	}
}

type file struct{ name, path string }

// An entry is what became of a file.
type entry struct {
	index  int // of the file
	file   file
	size   bytesOf
	header Header      // zero if it is not known
	thumb  *image.RGBA // nil if there is none
	width  int         // of the thumbnail
	height int
	took   time.Duration // the worker's time
	err    error         // why there is none
}

// decode has one file decoded. Whatever is wrong with it, or comes of it, is in the entry;
// an error means that this program cannot go on.
func decode(ctx context.Context, pool actor.Ref, f file) (entry, error) {
	e := entry{file: f}
	data, err := read(f.path, &e.size)
	if err != nil {
		e.err = fmt.Errorf("not read: %w", err)
		return e, nil
	}
	header, err := ask[Header](ctx, pool, Look{data})
	var small Thumbnail
	if err == nil {
		e.header = header
		small, err = ask[Thumbnail](ctx, pool, Shrink{data})
	}
	if err == nil {
		e.width, e.height, e.took = small.Width, small.Height, small.Took
		e.thumb, err = small.image()
	}
	if ctx.Err() != nil {
		return e, context.Cause(ctx)
	}
	if lost, ok := errors.AsType[*actor.DeliveryError](err); ok && lost.Fate == actor.NotSent {
		return e, fmt.Errorf("no worker is left: %w", lost.Err)
	}
	e.err = err
	return e, nil
}

// ask goes on to another worker if one has ended for good before it began with the
// message.
func ask[R any](ctx context.Context, pool actor.Ref, m any) (R, error) {
	for {
		reply, err := actor.Ask[R](ctx, pool, m)
		lost, ok := errors.AsType[*actor.DeliveryError](err)
		if !ok || lost.Fate != actor.NotBegun || ctx.Err() != nil {
			return reply, err
		}
	}
}

// read returns what is in a file, and its size also if that is too much.
func read(path string, size *bytesOf) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, bare(err)
	}
	*size = bytesOf(info.Size())
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, bare(err)
	case len(data) > maxFile:
		return nil, errTooLarge
	}
	return data, nil
}

// bare returns err without the operation and the path that package os puts before it.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// image checks what a worker says: after all, it has run whatever was in the image.
func (t Thumbnail) image() (*image.RGBA, error) {
	r := image.Rect(0, 0, t.Width, t.Height)
	if t.Width < 1 || t.Height < 1 || t.Width > maxSide || t.Height > maxSide || len(t.Pix) != 4*t.Width*t.Height {
		return nil, fmt.Errorf("its actor answered with %d bytes for %d×%d pixels", len(t.Pix), t.Width, t.Height)
	}
	return &image.RGBA{Pix: t.Pix, Stride: 4 * t.Width, Rect: r}, nil
}
