package wire

import (
	"strings"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

func TestNewID(t *testing.T) {
	seen := make(map[codec.ID]bool)
	for range 1000 {
		id := NewID()
		if seen[id] {
			t.Fatalf("%x twice", id)
		}
		seen[id] = true
		text := FormatID(id)
		if text[14] != '4' || !strings.Contains("89ab", text[19:20]) {
			t.Errorf("%s is not of version 4 and the variant of RFC 9562", text)
		}
		if got, err := ParseID(text); err != nil || got != id {
			t.Errorf("ParseID(%q) = %x, %v, want %x", text, got, err, id)
		}
	}
}

func TestIDNotation(t *testing.T) {
	const text = "00112233-4455-6677-8899-aabbccddeeff"
	id := codec.ID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	if got := FormatID(id); got != text {
		t.Errorf("FormatID = %q, want %q", got, text)
	}
	if got, err := ParseID(text); err != nil || got != id {
		t.Errorf("ParseID = %x, %v", got, err)
	}
	for _, bad := range []string{
		"", text[:35], text + "0", strings.ToUpper(text), strings.ReplaceAll(text, "-", ""), "{" + text + "}",
		"urn:uuid:" + text, strings.Replace(text, "-", "0", 1), strings.Replace(text, "00", "0g", 1), strings.Replace(text, "0", "-", 1),
	} {
		if got, err := ParseID(bad); err == nil {
			t.Errorf("ParseID(%q) = %x, want an error", bad, got)
		}
	}
}
