package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	_ "image/jpeg" // for image.Decode
	_ "image/png"
	"io"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// A Decoder is a worker: an actor that decodes images. It is naive: there is no check
// of any size, and no guard against what takes long. It needs none, as it has nothing
// to lose, and its limits are kept from outside.
type Decoder struct{}

// Look asks for what the header of an image says. It comes first, so that this is known
// of images that are the end of their actor.
type Look struct{ Data []byte }

// A Header is what an image says of itself. It need not be true.
type Header struct {
	Kind          string
	Width, Height int
}

// Shrink asks for the thumbnail of an image.
type Shrink struct{ Data []byte }

// A Thumbnail has its pixels as image.RGBA has them: whoever gets it has nothing to
// decode, which would be a risk again.
type Thumbnail struct {
	Width, Height int
	Pix           []byte
	Took          time.Duration
}

// Both are registered, so that errors.Is knows them in the program too.
var (
	errNotImage  = errors.New("not an image")
	errTruncated = errors.New("truncated")
)

func init() {
	actor.RegisterError("thumbnails.NotImage", errNotImage)
	actor.RegisterError("thumbnails.Truncated", errTruncated)
}

// To try again does not help where no process can be had.
var decoder = actor.Define("image decoder", actor.Zero[Decoder],
	actor.On((*Decoder).Look),
	actor.On((*Decoder).Shrink),
).Fatal(actor.BootFailed{}, actor.InitFailed{})

// Look reads the header only.
func (*Decoder) Look(_ *actor.Context, m Look) (Header, error) {
	r := &source{Reader: bytes.NewReader(m.Data)}
	config, kind, err := image.DecodeConfig(r)
	return Header{Kind: kind, Width: config.Width, Height: config.Height}, r.explain(err)
}

// Shrink decodes all of it.
func (*Decoder) Shrink(_ *actor.Context, m Shrink) (Thumbnail, error) {
	began := time.Now()
	r := &source{Reader: bytes.NewReader(m.Data)}
	var img image.Image
	var err error
	if bytes.HasPrefix(m.Data, []byte("GIF8")) {
		img, err = middleFrame(r)
	} else {
		img, _, err = image.Decode(r)
	}
	if err != nil {
		return Thumbnail{}, r.explain(err)
	}
	if img.Bounds().Empty() {
		return Thumbnail{}, errors.New("it has no pixels")
	}
	small := shrink(img, maxSide)
	return Thumbnail{
		Width: small.Rect.Dx(), Height: small.Rect.Dy(),
		Pix: small.Pix, Took: time.Since(began),
	}, nil
}

// middleFrame returns what an animation shows halfway: the first frame is often blank.
func middleFrame(r io.Reader) (image.Image, error) {
	all, err := gif.DecodeAll(r)
	if err != nil {
		return nil, err
	}
	canvas := image.NewRGBA(image.Rect(0, 0, all.Config.Width, all.Config.Height))
	for _, frame := range all.Image[:len(all.Image)/2+1] {
		draw.Draw(canvas, frame.Rect, frame, frame.Rect.Min, draw.Over)
	}
	return canvas, nil
}

// A source notes whether its reader wanted more than there is.
type source struct {
	io.Reader
	ended bool
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.ended = s.ended || err == io.EOF
	return n, err
}

// explain tells the kinds of failures apart. The decoders have different errors for the
// end of the data.
func (s *source) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, image.ErrFormat):
		return errNotImage
	case s.ended:
		return fmt.Errorf("%w: %v", errTruncated, err)
	}
	return err
}
