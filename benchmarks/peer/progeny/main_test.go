package main

import (
	"os"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

func TestMain(m *testing.M) {
	boot()
	os.Exit(m.Run())
}

// TestPacketIs64Bytes holds the benches to the size that they claim.
func TestPacketIs64Bytes(t *testing.T) {
	for _, m := range []any{packet, CustomPacket(packet)} {
		encoded, err := codec.Append(nil, m)
		if err != nil || len(encoded) != 64 {
			t.Errorf("%T: got %d bytes and error %v, want 64", m, len(encoded), err)
		}
	}
}
