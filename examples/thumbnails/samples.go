package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A sample is a file of the set that the program makes.
type sample struct {
	name  string
	write func(io.Writer) error
}

// samples is the set. What they are is in their names.
func samples() []sample {
	set := append(pictures(), spoilt()...)
	if limitsInForce {
		set = append(set, bombs()...)
	}
	return set
}

// pictures are all right.
func pictures() []sample {
	return []sample{
		{"badge.png", asPNG(picture(512, 512, badge))},
		{"ghost.gif", asGIF(still(16, 16, ghostColors, ghostAt))},
		{"mandelbrot.png", asPNG(picture(960, 640, mandelbrot))},
		{"mountains.png", asPNG(picture(960, 640, mountains))},
		{"page.png", asPNG(picture(680, 960, page))},
		{"plasma.jpg", asJPEG(picture(640, 480, plasma))},
		{"poster.gif", asGIF(still(600, 800, posterColors, poster))},
		{"ribbon.png", asPNG(picture(200, 1400, ribbon))},
		{"ripples.gif", asGIF(animation)},
		{"skyline.jpg", asJPEG(picture(2000, 400, skyline))},
		{"sunset.jpg", asJPEG(picture(1280, 960, sunset))},
		{"tiles.png", asPNG(picture(800, 800, tiles))},
		{"weave.jpg", asJPEG(func() image.Image { return grey(paint(700, 500, weave)) })},
	}
}

// spoilt are files that cannot have a thumbnail, and do no harm.
func spoilt() []sample {
	mountains := asPNG(picture(600, 400, mountains))
	sunset := asJPEG(picture(800, 600, sunset))
	poster := asGIF(still(600, 800, posterColors, poster))
	return []sample{
		{"cut-at-60%.gif", cut(asGIF(animation), 60)},
		{"cut-at-60%.jpg", cut(sunset, 60)},
		{"cut-at-60%.png", cut(mountains, 60)},
		{"cut-in-header.png", cut(mountains, 0)},
		{"damaged.png", changed(mountains, func(data []byte) { data[len(data)/2] ^= 0x10 })},
		{"empty.jpg", text("")},
		{"lies-about-size.gif", changed(poster, enlargeGIF)},
		{"lies-about-size.jpg", changed(sunset, enlargeJPEG)},
		{"lies-about-size.png", lyingPNG},
		{"no-image.gif", text("<html><title>404 Not Found</title></html>\n")},
		{"no-image.jpg", noise64K},
		{"no-image.txt", text("This is no image at all.\n")},
		{"too-large.png", tooLarge},
	}
}

// bombs are the end of their actor: of its memory, or of its time.
func bombs() []sample {
	return []sample{
		{"bomb-canvas.gif", canvasGIF},
		{"bomb-frames.gif", repeated(1, 1, 1_000_000)},
		{"bomb-movie.gif", repeated(1600, 1600, 800)},
		{"bomb-pixels.png", bombPNG},
		{"bomb-scans.jpg", bombJPEG},
	}
}

// writeSamples writes a set to a folder.
func writeSamples(ctx context.Context, folder string, set []sample) error {
	for _, s := range set {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f, err := os.Create(filepath.Join(folder, s.name))
		if err != nil {
			return err
		}
		err = s.write(f)
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func picture(width, height int, at func(x, y float64) color.NRGBA) func() image.Image {
	return func() image.Image { return paint(width, height, at) }
}

func asPNG(img func() image.Image) func(io.Writer) error {
	return func(w io.Writer) error { return png.Encode(w, img()) }
}

func asJPEG(img func() image.Image) func(io.Writer) error {
	return func(w io.Writer) error { return jpeg.Encode(w, img(), &jpeg.Options{Quality: 88}) }
}

func asGIF(frames func() []*image.Paletted) func(io.Writer) error {
	return func(w io.Writer) error {
		g := gif.GIF{Image: frames()}
		g.Delay = make([]int, len(g.Image))
		return gif.EncodeAll(w, &g)
	}
}

func still(width, height int, palette color.Palette, at func(x, y float64) int) func() []*image.Paletted {
	return func() []*image.Paletted {
		return []*image.Paletted{paintIndexed(width, height, palette, at)}
	}
}

// animation is a GIF's.
func animation() (frames []*image.Paletted) {
	const n = 8
	water := ramp(64, hex(0x04143a), hex(0x0d5c9c), hex(0x39b8c8), hex(0xf2fbe8))
	for i := range n {
		frames = append(frames, paintIndexed(320, 240, water, ripples(i, n)))
	}
	return frames
}

func grey(img *image.NRGBA) *image.Gray {
	g := image.NewGray(img.Rect)
	for i := range g.Pix {
		g.Pix[i] = img.Pix[4*i]
	}
	return g
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, strings.NewReader(s))
		return err
	}
}

// noise64K begins like no image, and goes on at random.
func noise64K(w io.Writer) error {
	data := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{1}).Read(data)
	_, err := w.Write(data)
	return err
}

// tooLarge writes what looks like an image and is just too large for a message.
func tooLarge(w io.Writer) error {
	data := make([]byte, maxFile+1)
	copy(data, pngSignature)
	_, err := w.Write(data)
	return err
}

// cut keeps so much of a file, and at least 20 bytes.
func cut(write func(io.Writer) error, percent int) func(io.Writer) error {
	return func(w io.Writer) error {
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			return err
		}
		_, err := w.Write(whole.Bytes()[:max(20, whole.Len()*percent/100)])
		return err
	}
}

// changed changes something in a file.
func changed(write func(io.Writer) error, change func([]byte)) func(io.Writer) error {
	return func(w io.Writer) error {
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			return err
		}
		change(whole.Bytes())
		_, err := w.Write(whole.Bytes())
		return err
	}
}
