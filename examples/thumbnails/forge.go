package main

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
)

// lie is the side, in pixels, that images claim to have which are much smaller.
const lie = 30_000

const pngSignature = "\x89PNG\r\n\x1a\n"

// forgePNG writes a PNG in shades of grey whose header says one thing, and whose
// data are something else: so many zero bytes. It needs little memory for any amount.
func forgePNG(w io.Writer, side uint32, depth byte, zeros int64) error {
	header := binary.BigEndian.AppendUint32(nil, side)
	header = binary.BigEndian.AppendUint32(header, side)
	header = append(header, depth, 0, 0, 0, 0) // grey, and not interlaced
	if _, err := io.WriteString(w, pngSignature); err != nil {
		return err
	}
	if err := writeChunk(w, "IHDR", header); err != nil {
		return err
	}
	chunks := bufio.NewWriterSize(idat{w}, 64<<10)
	packed, err := zlib.NewWriterLevel(chunks, zlib.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(packed, zeroes{}, zeros); err != nil {
		return err
	}
	if err := packed.Close(); err != nil {
		return err
	}
	if err := chunks.Flush(); err != nil {
		return err
	}
	return writeChunk(w, "IEND", nil)
}

// bombPNG is 250 KB that unfold to 1.6 GB: every byte of the data is eight pixels, and eight
// hundred bytes are one in the file.
func bombPNG(w io.Writer) error {
	const side = 40_000
	return forgePNG(w, side, 1, side*(1+side/8)) // each row begins with its filter's number
}

// lyingPNG has the data of ten rows.
func lyingPNG(w io.Writer) error { return forgePNG(w, lie, 8, 10*(1+lie)) }

// idat writes each piece as a chunk of image data.
type idat struct{ w io.Writer }

func (c idat) Write(b []byte) (int, error) { return len(b), writeChunk(c.w, "IDAT", b) }

func writeChunk(w io.Writer, kind string, data []byte) error {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(append(chunk, kind...), data...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	_, err := w.Write(chunk)
	return err
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// bombJPEG takes minutes, and not much memory: 4000×4000 pixels in shades of grey, refined
// 5000 times by nothing. Each refinement walks over all of them, and takes forty bytes.
func bombJPEG(w io.Writer) error {
	const side, scans = 4000, 5000
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 2 + 65, 0} // start of image; quantization table 0:
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, 11, 8) // progressive frame, 8 bits:
	b = binary.BigEndian.AppendUint16(b, side)
	b = binary.BigEndian.AppendUint16(b, side)
	b = append(b, 1, 1, 0x11, 0) // one component, not subsampled, table 0
	// Huffman table 0 of AC coefficients: the bit 0 is for 0xe0, "nothing in the next 2^14
	// blocks, and as many more as the next 14 bits say".
	b = append(b, 0xff, 0xc4, 0, 2+18, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0)
	const runs = (side/8*side/8 + 1<<14 - 1) >> 14
	scan := []byte{0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0x10} // coefficients 1 to 63, from bit 1 to bit 0
	scan = append(scan, make([]byte, (15*runs+7)/8)...)
	b = append(b, bytes.Repeat(scan, scans)...)
	_, err := w.Write(append(b, 0xff, 0xd9))
	return err
}

// enlargeJPEG changes the size in the frame's header.
func enlargeJPEG(data []byte) {
	at := bytes.Index(data, []byte{0xff, 0xc0}) // SOF0, two bytes of length, one of depth
	binary.BigEndian.PutUint16(data[at+5:], lie)
	binary.BigEndian.PutUint16(data[at+7:], lie)
}

// enlargeGIF changes the sizes of the canvas and of the only frame.
func enlargeGIF(data []byte) {
	head, frames := splitGIF(data)
	for _, size := range [][]byte{head[6:], frames[5:]} {
		binary.LittleEndian.PutUint16(size, lie)
		binary.LittleEndian.PutUint16(size[2:], lie)
	}
}

// splitGIF returns what is before the frames, and the frames. A GIF of one picture that
// is not transparent has nothing before that one's descriptor.
func splitGIF(data []byte) (head, frames []byte) {
	n := 13
	if flags := data[10]; flags&0x80 != 0 {
		n += 3 << (flags&7 + 1) // the palette
	}
	return data[:n], data[n : len(data)-1]
}

// repeated is a GIF that has the same frame n times, without any delay.
func repeated(width, height, n int) func(io.Writer) error {
	return func(w io.Writer) error {
		head, frame, err := plainGIF(width, height)
		if err != nil {
			return err
		}
		buffered := bufio.NewWriter(w)
		buffered.Write(head)
		for range n {
			buffered.Write(frame)
		}
		buffered.WriteByte(';')
		return buffered.Flush()
	}
}

// canvasGIF has one pixel, on a canvas of gigabytes. It is no lie, and no decoder of the
// one would notice: it is what is made of it.
func canvasGIF(w io.Writer) error {
	head, frame, err := plainGIF(1, 1)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint16(head[6:], lie)
	binary.LittleEndian.PutUint16(head[8:], lie)
	_, err = w.Write(append(append(head, frame...), ';'))
	return err
}

// plainGIF returns the beginning of a GIF of one colour, and its only frame.
func plainGIF(width, height int) (head, frame []byte, err error) {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{hex(0x336699).opaque(), hex(0xffffff).opaque()})
	var b bytes.Buffer
	if err := gif.Encode(&b, img, nil); err != nil {
		return nil, nil, err
	}
	head, frame = splitGIF(b.Bytes())
	return bytes.Clone(head), frame, nil
}
