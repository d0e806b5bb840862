package main

import (
	"bytes"
	"fmt"

	"github.com/anthdm/hollywood/actor"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

type (
	// Packet is a message of about 64 bytes, within a process. Between two it has to be a protobuf, and is
	// mere bytes: less work than this struct would be.
	Packet struct {
		Seq  uint64
		At   int64
		Name string
		Data [26]byte
	}
	// Blob is one of any size.
	Blob struct {
		Seq  uint64
		Data []byte
	}
)

var packet = Packet{At: 1 << 60, Name: "sixteen letters!", Data: [26]byte{25: 255}}

type worker struct{ seen bench.Tally }

func newWorker() actor.Receiver { return &worker{} }

func (w *worker) Receive(c *actor.Context) {
	switch m := c.Message().(type) {
	case Packet:
		if c.Sender() != nil {
			c.Respond(m)
			return
		}
		want := packet
		want.Seq = m.Seq
		w.seen.Next(m.Seq, m == want)
	case Blob:
		w.seen.Next(m.Seq, bytes.Equal(m.Data, bench.Pattern()[:len(m.Data)]))
	case *wrapperspb.BytesValue:
		if bench.IsPing(m.Value) {
			c.Respond(m)
			return
		}
		w.seen.Frame(m.Value)
	case *emptypb.Empty:
		c.Respond(wrapperspb.String(fmt.Sprintf("%d %d", w.seen.Got, w.seen.Bad)))
		w.seen.Got, w.seen.Bad = 0, 0
		w.seen = bench.Tally{}
	}
}
