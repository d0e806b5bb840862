// Package codec turns messages into frames and frames into messages: the bytes
// that actors and their node send each other, and nothing of how they are sent.
//
// A frame is a msgpack bin whose content is an [Envelope], a msgpack array that
// says what the frame is, for whom, and from whom; its eighth element is the
// payload, which is the message itself in msgpack. So any msgpack library, in any
// language, can read the stream, and a router can forward a frame without
// decoding its payload. A ninth is the routing key, by which one of several receivers is
// chosen; mostly there is none, and then the array ends with the payload.
//
//	c6 00 00 00 22           bin32, 34 bytes: the frame
//	   98                    array of 8: the envelope
//	      02                 kind
//	      c4 10 30 31 … 66   to, 16 bytes
//	      c0                 from: none
//	      cd 01 2c           corr 300
//	      ff                 deadline −1
//	      a1 54              type "T"
//	      c0                 trace: none
//	      c6 00 00 00 01     bin32, 1 byte: the payload
//	         c0              nil
//
// [AppendMessage] makes such a frame of an envelope and a value; [Split] finds
// it in a stream, [DecodeEnvelope] reads its envelope and [Decode] its payload.
// The example shows all four. Everything appends to or points into the caller's
// buffers; but for what a message itself holds, nothing is allocated once they are
// large enough.
//
// All functions are safe for concurrent use, as long as nobody changes what they
// were given. None blocks, and none starts a goroutine of its own.
//
// # Messages
//
// A message is what github.com/vmihailenco/msgpack/v5 makes of a Go value, with
// structs as arrays of their exported fields in the order of their declaration,
// without those tagged `msgpack:"-"`. So both sides must have the same type, as
// processes of the same executable do; a map with the fields' names as keys is
// understood as well. In an any, a number gets the type that it has on the wire (an
// int of 5 is an int8), a struct is a slice, and a map must have strings as keys.
//
// Structs of plain fields (numbers, bools, strings, bytes, slices and structs of those) are
// encoded and decoded without msgpack's reflection once they are seen often, in a fifth of the time
// and to the same bytes. Nobody need know, except that types of messages are best kept so.
//
// # Limits
//
//   - A frame's content is at most limit bytes, [DefaultFrameLimit] unless told
//     otherwise. It is a *[LimitError] at the sender before anything is sent, and
//     again at the receiver as soon as it has the frame's header.
//   - Arrays and maps nest at most [MaxDepth] deep, on both sides.
//   - msgpack's interned strings (`msgpack:",intern"`) are refused on both sides:
//     no other library can read them. So are extensions without a body.
//   - msgpack keeps a goroutine for ever for each struct type that it decodes through
//     an embedded pointer (struct{ *T }). Embed the struct, or name the field.
//
// # How it fails
//
// What comes off the wire is not trusted. Whatever its bytes, no function panics,
// and none allocates by a length that is only claimed. Bytes that are not
// what they must be are a *[MalformedError]. Where it or a [LimitError]
// comes from tells how far the damage goes: from Split, the stream has lost its
// place and must be given up; from DecodeEnvelope or Decode, one frame is bad and the
// next can be read.
//
// What comes from the caller can fail too: a value that cannot be encoded
// is an error that names its type, and so is a panic in a method that it
// encodes itself with. After an error of an append function its dst is as it was.
//
// Compatible change is one that adds elements at the end of the envelope (they are
// skipped), kinds (their receiver ignores those it does not know) or fields of
// messages.
package codec
