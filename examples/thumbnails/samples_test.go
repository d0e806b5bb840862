package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"strings"
	"testing"
)

// contents are those that were made already, by name: to paint takes its time.
var contents = make(map[string][]byte)

func content(t *testing.T, s sample) []byte {
	t.Helper()
	if _, ok := contents[s.name]; !ok {
		var b bytes.Buffer
		if err := s.write(&b); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		contents[s.name] = b.Bytes()
	}
	return contents[s.name]
}

func TestPictures(t *testing.T) {
	for _, s := range pictures() {
		data := content(t, s)
		header, err := new(Decoder).Look(nil, Look{data})
		if err != nil || header.Width < 16 || header.Height < 16 || header.Kind[:1] != s.name[strings.Index(s.name, ".")+1:][:1] {
			t.Errorf("%s: got %+v, %v", s.name, header, err)
		}
		small, err := new(Decoder).Shrink(nil, Shrink{data})
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		img, err := small.image()
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		colours := make(map[[4]byte]bool)
		for i := 0; i < len(img.Pix); i += 4 {
			colours[[4]byte(img.Pix[i:])] = true
		}
		if len(colours) < 4 {
			t.Errorf("%s: %d colours are no picture", s.name, len(colours))
		}
	}
}

// TestSpoilt decodes what does no harm.
func TestSpoilt(t *testing.T) {
	want := map[string]error{"cut": errTruncated, "no": errNotImage, "empty.jpg": errNotImage}
	for _, s := range spoilt() {
		begin, _, _ := strings.Cut(s.name, "-")
		if begin == "lies" || begin == "too" {
			continue // too much for this process, or for a message
		}
		_, err := new(Decoder).Shrink(nil, Shrink{content(t, s)})
		known := errors.Is(err, errTruncated) || errors.Is(err, errNotImage)
		if err == nil || want[begin] == nil && known || want[begin] != nil && !errors.Is(err, want[begin]) {
			t.Errorf("%s: got %v, want %v", s.name, err, want[begin])
		}
	}
}

// TestClaims reads the headers of what would be too much for this process.
func TestClaims(t *testing.T) {
	want := map[string]image.Point{
		"lies-about-size.gif": {lie, lie},
		"lies-about-size.jpg": {lie, lie},
		"lies-about-size.png": {lie, lie},
		"bomb-canvas.gif":     {lie, lie},
		"bomb-frames.gif":     {1, 1},
		"bomb-movie.gif":      {1600, 1600},
		"bomb-pixels.png":     {40_000, 40_000},
		"bomb-scans.jpg":      {4000, 4000},
	}
	for _, s := range append(spoilt(), bombs()...) {
		size, ok := want[s.name]
		if !ok {
			continue
		}
		delete(want, s.name)
		data := content(t, s)
		header, err := new(Decoder).Look(nil, Look{data})
		if err != nil || header.Width != size.X || header.Height != size.Y {
			t.Errorf("%s: got %+v, %v, want %v", s.name, header, err, size)
		}
		if len(data) > maxFile {
			t.Errorf("%s: %d bytes do not fit into a message", s.name, len(data))
		}
	}
	for name := range want {
		t.Errorf("there is no %s", name)
	}
}

// TestForgeries decodes what is made as bombs are, and is no bomb.
func TestForgeries(t *testing.T) {
	var pixels bytes.Buffer
	if err := forgePNG(&pixels, 80, 1, 80*(1+80/8)); err != nil {
		t.Fatal(err)
	}
	var scans bytes.Buffer
	if err := bombJPEG(&scans); err != nil {
		t.Fatal(err)
	}
	few := scans.Bytes()
	size := bytes.Index(few, []byte{0xff, 0xc2}) + 5
	binary.BigEndian.PutUint16(few[size:], 80)
	binary.BigEndian.PutUint16(few[size+2:], 80)
	for name, data := range map[string][]byte{
		"pixels": pixels.Bytes(),
		"frames": content(t, sample{"frames", repeated(80, 80, 100)}),
		"scans":  few,
	} {
		small, err := new(Decoder).Shrink(nil, Shrink{data})
		if err != nil || small.Width != 80 || small.Height != 80 {
			t.Errorf("%s: got %d×%d, %v", name, small.Width, small.Height, err)
		}
	}
}
