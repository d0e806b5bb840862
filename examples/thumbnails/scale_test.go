package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"
)

func TestFit(t *testing.T) {
	for _, test := range [][4]int{
		{1, 1, 1, 1}, {159, 20, 159, 20}, {160, 160, 160, 160}, {161, 161, 160, 160}, {161, 1, 160, 1},
		{1600, 1200, 160, 120}, {1200, 1600, 120, 160}, {30000, 1, 160, 1}, {2, 30000, 1, 160}, {65535, 65535, 160, 160},
	} {
		if w, h := fit(test[0], test[1], 160); w != test[2] || h != test[3] {
			t.Errorf("%d×%d: got %d×%d, want %d×%d", test[0], test[1], w, h, test[2], test[3])
		}
	}
}

// random is an image that does not begin at 0, and is transparent in parts.
func random(width, height int) *image.RGBA {
	r := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	img := image.NewRGBA(image.Rect(-7, 5, width-7, height+5))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.IntN(256))
	}
	for i := 0; i < len(img.Pix); i += 4 { // no colour is over its alpha
		for c := range 3 {
			img.Pix[i+c] = min(img.Pix[i+c], img.Pix[i+3])
		}
	}
	return img
}

// averages is shrink, said as plainly as can be.
func averages(img *image.RGBA, w, h int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	sx, sy := float64(img.Rect.Dx())/float64(w), float64(img.Rect.Dy())/float64(h)
	overlap := func(i int, from, to float64) float64 {
		return max(0, min(float64(i+1), to)-max(float64(i), from))
	}
	for i := range out.Pix {
		x, y, c := float64(i/4%w), float64(i/4/w), i%4
		var sum float64
		for j := int(y * sy); j < img.Rect.Dy(); j++ {
			for k := int(x * sx); k < img.Rect.Dx(); k++ {
				area := overlap(k, x*sx, (x+1)*sx) * overlap(j, y*sy, (y+1)*sy)
				sum += area * float64(img.Pix[j*img.Stride+4*k+c])
			}
		}
		out.Pix[i] = uint8(math.Round(sum / (sx * sy)))
	}
	return out
}

func TestShrink(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {10, 10}, {11, 10}, {13, 9}, {20, 20}, {30, 17}, {101, 3}, {1, 99}, {64, 48}} {
		img := random(size[0], size[1])
		got := shrink(img, 10)
		w, h := fit(size[0], size[1], 10)
		if got.Rect != image.Rect(0, 0, w, h) {
			t.Errorf("%v: got %v, want %d×%d", size, got.Rect, w, h)
			continue
		}
		for i, want := range averages(img, w, h).Pix {
			if d := int(got.Pix[i]) - int(want); d < -1 || d > 1 { // sums of floats may round the other way
				t.Errorf("%v: byte %d: got %d, want %d", size, i, got.Pix[i], want)
				break
			}
		}
	}
}

// TestShrinkKinds has all kinds of images that the decoders make come out alike.
func TestShrinkKinds(t *testing.T) {
	r := image.Rect(0, 0, 333, 222)
	grey := color.Gray{0x80}
	for _, img := range []draw.Image{
		image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewNRGBA(r), image.NewRGBA64(r), image.NewNRGBA64(r),
		image.NewCMYK(r), image.NewPaletted(r, color.Palette{grey}),
	} {
		draw.Draw(img, r, image.NewUniform(grey), image.Point{}, draw.Src)
		small := shrink(img, maxSide)
		for i, value := range small.Pix {
			if want := [4]uint8{0x80, 0x80, 0x80, 0xff}[i%4]; value != want {
				t.Errorf("%T: byte %d: got %#x, want %#x", img, i, value, want)
				break
			}
		}
	}
}
