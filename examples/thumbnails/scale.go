package main

import (
	"image"
	"image/draw"
)

// maxSide is how wide and high a thumbnail may be, in pixels.
const maxSide = 160

// fit returns the largest size of the same shape with neither side over side. It never
// enlarges, and no side becomes zero.
func fit(width, height, side int) (int, int) {
	long := max(width, height)
	if long <= side {
		return width, height
	}
	return max(1, width*side/long), max(1, height*side/long)
}

// shrink fits img into a square by a box filter: each pixel of the result is the average
// of the area that it stands for.
//
// In units in which the whole height is height·h, a row of img is h high and one of the
// result height. As h <= height, a row of img is part of one row of the result, or of two.
// The same goes for columns.
func shrink(img image.Image, side int) *image.RGBA {
	from := img.Bounds()
	width, height := from.Dx(), from.Dy()
	w, h := fit(width, height, side)
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	columns := make([]share, width)
	for x := range columns {
		columns[x] = shareOf(x, width, w)
	}
	row := image.NewRGBA(image.Rect(0, 0, width, 1)) // all kinds of images are alike then
	line := make([]uint64, 4*w)                      // sums over a row of img
	area := make([]uint64, 4*w)                      // sums over a row of the result
	whole := uint64(width) * uint64(height)
	for y := range height {
		draw.Draw(row, row.Rect, img, image.Pt(from.Min.X, from.Min.Y+y), draw.Src)
		clear(line)
		for x, part := range columns {
			pixel := row.Pix[4*x : 4*x+4]
			for c, value := range pixel {
				line[4*part.at+c] += part.here * uint64(value)
			}
			if part.next > 0 {
				for c, value := range pixel {
					line[4*part.at+4+c] += part.next * uint64(value)
				}
			}
		}
		part := shareOf(y, height, h)
		for i, sum := range line {
			area[i] += part.here * sum
		}
		if (y+1)*h < (part.at+1)*height {
			continue // more rows belong to it
		}
		pix := small.Pix[part.at*small.Stride:]
		for i, sum := range area {
			pix[i] = uint8((sum + whole/2) / whole)
			area[i] = part.next * line[i]
		}
	}
	return small
}

// A share says where a row or column of an image goes: so much of it to the row or column
// at of the result, and the rest to the next.
type share struct {
	at         int
	here, next uint64
}

// shareOf returns the share of the i-th of many in few.
func shareOf(i, many, few int) share {
	begin := i * few
	at := begin / many
	here := min(few, (at+1)*many-begin)
	return share{at: at, here: uint64(here), next: uint64(few - here)}
}
