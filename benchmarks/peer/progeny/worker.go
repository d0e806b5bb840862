package main

import (
	"bytes"
	"errors"
	"os"

	"github.com/progeny-go/progeny/actor"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

// workActor is the actor that all benches use.
type workActor struct{ seen bench.Tally }

type (
	// Packet is a message whose encoding has 64 bytes. It is echoed.
	Packet struct {
		Seq  uint64
		At   int64
		Name string
		Data [26]byte
	}
	// CustomPacket is the same, encoded by hand. It is answered with nothing.
	CustomPacket Packet
	// Blob is one of any size. It is answered with nothing.
	Blob struct {
		Seq  uint64
		Data []byte
	}
	// Report is answered with the tally since the last one.
	Report struct{}
	// Flood has so many Packets told to To.
	Flood struct {
		To actor.Ref
		N  int
	}
	// Pid is answered with the process's.
	Pid struct{}
)

var packet = Packet{At: 1 << 60, Name: "sixteen letters!", Data: [26]byte{25: 255}}

func (a *workActor) Packet(_ *actor.Context, m Packet) (Packet, error) {
	want := packet
	want.Seq = m.Seq
	a.seen.Next(m.Seq, m == want)
	return m, nil
}

func (a *workActor) CustomPacket(_ *actor.Context, m CustomPacket) error {
	want := packet
	want.Seq = m.Seq
	a.seen.Next(m.Seq, Packet(m) == want)
	return nil
}

func (a *workActor) Blob(_ *actor.Context, m Blob) error {
	a.seen.Next(m.Seq, bytes.Equal(m.Data, bench.Pattern()[:len(m.Data)]))
	return nil
}

func (a *workActor) Report(*actor.Context, Report) (bench.Tally, error) {
	seen := a.seen
	a.seen = bench.Tally{}
	return seen, nil
}

func (a *workActor) Flood(c *actor.Context, m Flood) (actor.None, error) {
	p := packet
	for i := range m.N {
		p.Seq = uint64(i)
		if err := m.To.Tell(c, &p); err != nil {
			return actor.None{}, err
		}
	}
	return actor.None{}, nil
}

func (a *workActor) Pid(*actor.Context, Pid) (int, error) { return os.Getpid(), nil }

var workers = actor.Define("worker", actor.Zero[workActor],
	actor.On((*workActor).Packet), actor.OnTell((*workActor).CustomPacket), actor.OnTell((*workActor).Blob), actor.On((*workActor).Report),
	actor.On((*workActor).Flood), actor.On((*workActor).Pid))

// EncodeMsgpack writes what reflection would write, without it.
func (p CustomPacket) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeArrayLen(4); err != nil {
		return err
	}
	if err := e.EncodeUint64(p.Seq); err != nil {
		return err
	}
	if err := e.EncodeInt64(p.At); err != nil {
		return err
	}
	if err := e.EncodeString(p.Name); err != nil {
		return err
	}
	return e.EncodeBytes(p.Data[:])
}

// DecodeMsgpack reads it.
func (p *CustomPacket) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	if n, err := d.DecodeArrayLen(); err != nil || n != 4 {
		return errors.Join(err, errNotPacket)
	}
	if p.Seq, err = d.DecodeUint64(); err != nil {
		return err
	}
	if p.At, err = d.DecodeInt64(); err != nil {
		return err
	}
	if p.Name, err = d.DecodeString(); err != nil {
		return err
	}
	n, err := d.DecodeBytesLen()
	if err != nil || n != len(p.Data) {
		return errors.Join(err, errNotPacket)
	}
	return d.ReadFull(p.Data[:])
}

var errNotPacket = errors.New("not a packet")
