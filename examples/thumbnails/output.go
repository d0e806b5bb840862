package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
)

// An output is the folder with what the program makes.
type output struct {
	dir   string
	sheet *sheet
}

// newOutput makes the folder, a temporary one if dir is "".
func newOutput(dir string, files int) (*output, error) {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "thumbnails-")
		if err != nil {
			return nil, err
		}
		dir = temporary
	}
	thumbnails := filepath.Join(dir, "thumbnails")
	if err := os.MkdirAll(thumbnails, 0o777); err != nil {
		return nil, err
	}
	return &output{dir: dir, sheet: newSheet(files)}, nil
}

// add writes the thumbnail of e, if it has one, and puts it on the contact sheet.
func (o *output) add(e entry) error {
	o.sheet.put(e.index, e.thumb)
	if e.thumb == nil {
		return nil
	}
	return writePNG(filepath.Join(o.dir, "thumbnails", e.file.name+".png"), e.thumb)
}

// finish writes the contact sheet and returns its path.
func (o *output) finish() (string, error) {
	path := filepath.Join(o.dir, "contact-sheet.png")
	return path, writePNG(path, o.sheet.img)
}

func writePNG(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(f, img); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
