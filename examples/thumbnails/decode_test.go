package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestThumbnailImage has a worker answer what it should not.
func TestThumbnailImage(t *testing.T) {
	const most = maxSide
	for _, test := range []struct {
		width, height, bytes int
		ok                   bool
	}{
		{1, 1, 4, true}, {most - 1, 7, 4 * (most - 1) * 7, true}, {most, most, 4 * most * most, true},
		{most + 1, 1, 4 * (most + 1), false}, {1, most + 1, 4 * (most + 1), false},
		{0, 0, 0, false}, {0, 5, 0, false}, {-1, -1, 4, false}, {-2, 2, -16 + 32, false},
		{2, 2, 15, false}, {2, 2, 17, false}, {1 << 62, 1, 0, false}, {1 << 31, 1 << 31, 0, false},
	} {
		img, err := Thumbnail{Width: test.width, Height: test.height, Pix: make([]byte, test.bytes)}.image()
		if (err == nil) != test.ok || (img != nil) != test.ok {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, n := range []int64{0, 1, maxFile - 1, maxFile, maxFile + 1, 1 << 40} {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Truncate(n) // all of it is a hole
		f.Close()
		if err != nil {
			t.Skip(err)
		}
		var size bytesOf
		data, err := read(path, &size)
		if int64(size) != n || errors.Is(err, errTooLarge) != (n > maxFile) || n <= maxFile && (err != nil || int64(len(data)) != n) {
			t.Errorf("%d bytes: got %d of %d, %v", n, len(data), size, err)
		}
	}
	var size bytesOf
	if _, err := read(path+"x", &size); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}
