package codec_test

import (
	"fmt"

	"github.com/progeny-go/progeny/codec"
)

type Hello struct{ Name string }

// A message's whole way: into a frame, through a stream that delivers it in two
// pieces, and out again.
func Example() {
	const tell codec.Kind = 1

	stream, err := codec.AppendMessage(nil, &codec.Envelope{Kind: tell, Type: []byte("Hello")}, &Hello{Name: "gopher"}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}

	_, n, need, err := codec.Split(stream[:20], 0)
	fmt.Println("after 20 bytes:", n, err, "- need", need)

	frame, n, _, err := codec.Split(stream, 0)
	fmt.Println("after all:", n, err)

	var e codec.Envelope
	if err := codec.DecodeEnvelope(frame, &e); err != nil {
		fmt.Println(err)
		return
	}
	var m Hello
	if err := codec.Decode(e.Payload, &m); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("kind %d, %s: %+v\n", e.Kind, e.Type, m)

	// Output:
	// after 20 bytes: 0 <nil> - need 31
	// after all: 31 <nil>
	// kind 1, Hello: {Name:gopher}
}
