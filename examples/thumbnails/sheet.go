package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// sheetCells is how many files a contact sheet shows at most: it takes 16 MB for every
// hundred, and this program has no limits but those it keeps.
const sheetCells = 400

// Measures of a contact sheet, in pixels.
const (
	cardPad  = 8                   // around a thumbnail
	cardSide = maxSide + 2*cardPad // of the square around it
	cardGap  = 14                  // between cards, and around all of them
	caption  = 18                  // below a card, for its number
	corner   = 10                  // radius
	check    = 8                   // side of a square below what is transparent
)

var (
	paper     = color.RGBA{0x17, 0x1a, 0x21, 0xff}
	cardColor = color.RGBA{0x26, 0x2b, 0x35, 0xff}
	badCard   = color.RGBA{0x33, 0x20, 0x26, 0xff}
	red       = color.RGBA{0xe2, 0x3d, 0x4a, 0xff}
	numbers   = color.RGBA{0x8b, 0x95, 0xa7, 0xff}
	checkers  = [2]color.RGBA{{0x4a, 0x51, 0x5f, 0xff}, {0x5a, 0x62, 0x71, 0xff}}
)

var (
	cardMask  = mask(cardSide, roundedSquare)
	crossMask = mask(cardSide, cross)
)

// A sheet is a contact sheet: cards in rows, with a number below each.
type sheet struct {
	img     *image.RGBA
	columns int
	cards   int
}

// newSheet makes one for n files. It is about as wide as it is high.
func newSheet(n int) *sheet {
	n = min(n, sheetCells)
	columns := int(math.Ceil(math.Sqrt(float64(n))))
	rows := (n + columns - 1) / columns
	s := &sheet{columns: columns, cards: n, img: image.NewRGBA(image.Rect(0, 0,
		columns*(cardSide+cardGap)+cardGap,
		rows*(cardSide+caption+cardGap)+cardGap))}
	draw.Draw(s.img, s.img.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	return s
}

// card is where the i-th goes.
func (s *sheet) card(i int) image.Rectangle {
	x := cardGap + i%s.columns*(cardSide+cardGap)
	y := cardGap + i/s.columns*(cardSide+caption+cardGap)
	return image.Rect(x, y, x+cardSide, y+cardSide)
}

// put draws the i-th card: the thumbnail or, if it is nil, a cross. There is none of those
// for which the sheet has no room.
func (s *sheet) put(i int, thumb *image.RGBA) {
	if i >= s.cards {
		return
	}
	card := s.card(i)
	s.number(i+1, card.Min.X+card.Dx()/2, card.Max.Y+6)
	if thumb == nil {
		s.paint(card, badCard, cardMask)
		s.paint(card, red, crossMask)
		return
	}
	s.paint(card, cardColor, cardMask)
	size := thumb.Rect.Size()
	at := thumb.Rect.Add(card.Min.Add(image.Pt((cardSide-size.X)/2, (cardSide-size.Y)/2)))
	if !thumb.Opaque() {
		s.checker(at)
	}
	draw.Draw(s.img, at, thumb, thumb.Rect.Min, draw.Over)
}

func (s *sheet) paint(r image.Rectangle, c color.Color, shape *image.Alpha) {
	draw.DrawMask(s.img, r, image.NewUniform(c), image.Point{}, shape, image.Point{}, draw.Over)
}

// checker draws what one expects to see through a picture.
func (s *sheet) checker(r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			s.img.SetRGBA(x, y, checkers[((x-r.Min.X)/check+(y-r.Min.Y)/check)%2])
		}
	}
}

// mask makes a square shape from the distance, in pixels, of a point to the shape's
// edge: negative inside. The edge is smooth.
func mask(side int, distance func(x, y, side float64) float64) *image.Alpha {
	m := image.NewAlpha(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			d := distance(float64(x)+0.5, float64(y)+0.5, float64(side))
			m.SetAlpha(x, y, color.Alpha{uint8(255 * min(max(0.5-d, 0), 1))})
		}
	}
	return m
}

func roundedSquare(x, y, side float64) float64 {
	dx := math.Abs(x-side/2) - side/2 + corner
	dy := math.Abs(y-side/2) - side/2 + corner
	return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - corner
}

// cross has two strokes with round ends.
func cross(x, y, side float64) float64 {
	const thick = 5
	x, y = x-side/2, y-side/2
	along, across := math.Abs(x+y)/math.Sqrt2, math.Abs(x-y)/math.Sqrt2
	long, short := max(along, across), min(along, across)
	return math.Hypot(max(long-side/4, 0), short) - thick
}

// digits are three pixels wide and five high, row by row.
var digits = [10]string{
	"###" + "# #" + "# #" + "# #" + "###",
	" # " + "## " + " # " + " # " + "###",
	"###" + "  #" + "###" + "#  " + "###",
	"###" + "  #" + " ##" + "  #" + "###",
	"# #" + "# #" + "###" + "  #" + "  #",
	"###" + "#  " + "###" + "  #" + "###",
	"###" + "#  " + "###" + "# #" + "###",
	"###" + "  #" + " # " + " # " + " # ",
	"###" + "# #" + "###" + "# #" + "###",
	"###" + "# #" + "###" + "  #" + "###",
}

// number writes n with its middle at x and its top at y.
func (s *sheet) number(n, x, y int) {
	const dot, width = 2, 3*2 + 3 // of a pixel and of a digit with the space after it
	var text []int
	for ; n > 0; n /= 10 {
		text = append([]int{n % 10}, text...)
	}
	x -= (len(text)*width - (width - 3*dot)) / 2
	for _, digit := range text {
		for i, pixel := range digits[digit] {
			if pixel == '#' {
				at := image.Rect(0, 0, dot, dot).Add(image.Pt(x+i%3*dot, y+i/3*dot))
				draw.Draw(s.img, at, image.NewUniform(numbers), image.Point{}, draw.Src)
			}
		}
		x += width
	}
}
