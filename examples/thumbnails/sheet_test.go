package main

import (
	"image"
	"image/color"
	"testing"
)

func TestSheetCards(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 26, sheetCells - 1, sheetCells, sheetCells + 1} {
		s := newSheet(n)
		if want := min(n, sheetCells); s.cards != want {
			t.Errorf("%d files: got %d cards, want %d", n, s.cards, want)
		}
		for i := range s.cards {
			card := s.card(i)
			if !card.In(s.img.Rect) {
				t.Errorf("%d files: card %d is not on the sheet", n, i)
			}
			for j := range i {
				if card.Overlaps(s.card(j)) {
					t.Errorf("%d files: cards %d and %d overlap", n, j, i)
				}
			}
		}
		s.put(n-1, nil) // must not panic for one that is too many
	}
}

func middle(r image.Rectangle) image.Point {
	return r.Min.Add(r.Max).Div(2)
}

func TestSheetPut(t *testing.T) {
	s := newSheet(5)
	blue := color.RGBA{0, 0, 0xff, 0xff}
	for i, want := range []color.RGBA{blue, red} {
		var thumb *image.RGBA
		if i == 0 {
			thumb = image.NewRGBA(image.Rect(0, 0, 160, 3))
			for j := range 160 * 3 {
				thumb.SetRGBA(j%160, j/160, blue)
			}
		}
		card := s.card(i)
		before := image.NewRGBA(s.img.Rect)
		copy(before.Pix, s.img.Pix)
		s.put(i, thumb)
		at := middle(card)
		if got := s.img.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("card %d: got %v in the middle, want %v", i, got, want)
		}
		number := 0 // pixels
		for y := range s.img.Rect.Max.Y {
			for x := range s.img.Rect.Max.X {
				if s.img.RGBAAt(x, y) == before.RGBAAt(x, y) || image.Pt(x, y).In(card) {
					continue
				}
				below := image.Rect(card.Min.X, card.Max.Y, card.Max.X, card.Max.Y+caption)
				if !image.Pt(x, y).In(below) {
					t.Fatalf("card %d: painted at %d, %d", i, x, y)
				}
				number++
			}
		}
		if number == 0 {
			t.Errorf("card %d has no number", i)
		}
	}
	transparent := image.NewRGBA(image.Rect(0, 0, 160, 160))
	s.put(2, transparent)
	at := middle(s.card(2))
	if got := s.img.RGBAAt(at.X, at.Y); got != checkers[0] && got != checkers[1] {
		t.Errorf("behind a transparent thumbnail there is %v", got)
	}
}
