package codec

import "github.com/vmihailenco/msgpack/v5"

// libraryEncode writes e with msgpack's own Encoder, as another program would.
func libraryEncode(enc *msgpack.Encoder, e *Envelope) error {
	orNil := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		return b
	}
	id := func(id *ID) []byte {
		if *id == (ID{}) {
			return nil
		}
		return id[:]
	}
	payload := e.Payload
	if payload == nil {
		payload = []byte{}
	}
	count := elements
	if e.Key != 0 {
		count++
	}
	if err := enc.EncodeArrayLen(count); err != nil {
		return err
	}
	if err := enc.EncodeUint(uint64(e.Kind)); err != nil {
		return err
	}
	if err := enc.EncodeBytes(id(&e.To)); err != nil {
		return err
	}
	if err := enc.EncodeBytes(id(&e.From)); err != nil {
		return err
	}
	if err := enc.EncodeUint(e.Corr); err != nil {
		return err
	}
	if err := enc.EncodeInt(e.Deadline); err != nil {
		return err
	}
	if err := enc.EncodeString(string(e.Type)); err != nil {
		return err
	}
	if err := enc.EncodeBytes(orNil(e.Trace)); err != nil {
		return err
	}
	if err := enc.EncodeBytes(payload); err != nil || e.Key == 0 {
		return err
	}
	return enc.EncodeUint(e.Key)
}

// libraryDecode reads e with msgpack's own Decoder, as another program would.
func libraryDecode(dec *msgpack.Decoder, e *Envelope) error {
	n, err := dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	kind, err := dec.DecodeUint8()
	if err != nil {
		return err
	}
	e.Kind = Kind(kind)
	for _, id := range []*ID{&e.To, &e.From} {
		b, err := dec.DecodeBytes()
		if err != nil {
			return err
		}
		*id = ID{}
		copy(id[:], b)
	}
	if e.Corr, err = dec.DecodeUint64(); err != nil {
		return err
	}
	if e.Deadline, err = dec.DecodeInt64(); err != nil {
		return err
	}
	if e.Type, err = dec.DecodeBytes(); err != nil {
		return err
	}
	if e.Trace, err = dec.DecodeBytes(); err != nil {
		return err
	}
	if e.Payload, err = dec.DecodeBytes(); err != nil || n == elements {
		e.Key = 0
		return err
	}
	e.Key, err = dec.DecodeUint64()
	return err
}
