//go:build unix

package node

import (
	"io"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
)

// benchStage is a stage of which self's inbox is read: what comes there is thrown away.
func benchStage(b *testing.B) *stage {
	b.Helper()
	s := newStage(b)
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(io.Discard, s.in)
	}()
	b.Cleanup(func() {
		s.strike()
		<-read
	})
	return s
}

// split returns a frame's content, as the link gets it.
func split(b *testing.B, f []byte) []byte {
	b.Helper()
	content, _, _, err := codec.Split(f, stageLimit)
	if err != nil {
		b.Fatal(err)
	}
	return content
}

// finish has self finish what it was sent, up to number n.
func (s *stage) finish(b *testing.B, n uint64) {
	if err := s.self.mailbox.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := s.self.mailbox.Release(n); err != nil {
		b.Fatal(err)
	}
}

const benchBatch = 8 // less than self's mailbox holds

// BenchmarkTell is what the node does with a Tell of the program: it encodes it and puts it
// into the mailbox, which writes it.
func BenchmarkTell(b *testing.B) {
	s := benchStage(b)
	sent := uint64(2) // by newStage
	t := &wire.MessageType{Name: "T", Text: []byte("T")}
	var message any = "sixty-four bytes are about as long as this text, with an envelope"
	s.finish(b, sent)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.self.tell(b.Context(), selfID, t, message); err != nil {
			b.Fatal(err)
		}
		if sent++; sent%benchBatch == 0 {
			s.finish(b, sent)
		}
	}
}

// BenchmarkForward is what the node does with a Tell of one actor to another: it charges the
// window, puts the message into the mailbox, and gives credit.
func BenchmarkForward(b *testing.B) {
	s := benchStage(b)
	sent := uint64(2) // by newStage
	s.finish(b, sent)
	sender := find(peerID).proc.link
	content := split(b, messages(selfID, 1, 64))
	b.ReportAllocs()
	for b.Loop() {
		if err := sender.handle(content); err != nil {
			b.Fatal(err)
		}
		if sent++; sent%benchBatch == 0 {
			s.finish(b, sent)
		}
	}
}

// BenchmarkAnswer is what the node does with the reply to an Ask of the program.
func BenchmarkAnswer(b *testing.B) {
	s := benchStage(b)
	const corr = 1 << 20
	content := split(b, frame(codec.Envelope{Kind: wire.KindReply, Corr: corr, Type: []byte("string")}, make([]byte, 64)))
	got := 0
	reply := wire.AnswerFunc(func(_, payload []byte) error { got += len(payload); return nil })
	b.ReportAllocs()
	for b.Loop() {
		call := newCall()
		if !s.self.await(corr, pending{call: call}) {
			b.Fatal("it has ended")
		}
		if err := s.self.proc.link.handle(content); err != nil {
			b.Fatal(err)
		}
		<-call.done
		if err := call.finish(reply); err != nil {
			b.Fatal(err)
		}
	}
	if got == 0 {
		b.Error("no payload")
	}
}

// BenchmarkInbox is a Tell of an actor to an Inbox of the program, up to Receive.
func BenchmarkInbox(b *testing.B) {
	s := benchStage(b)
	inbox, err := s.node.NewInbox(mailbox.Capacity{Messages: 1024, Bytes: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	content := split(b, messages(inbox.id, 1, 64))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.self.proc.link.handle(content); err != nil {
			b.Fatal(err)
		}
		if _, err := inbox.Receive(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
