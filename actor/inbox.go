package actor

import (
	"context"
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/node"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/mailbox"
)

// An Inbox is an address at which the program itself receives. It has the
// bounds of a default [Mailbox]; while it is full, senders wait.
type Inbox struct {
	inbox *node.Inbox
	types types
}

// NewInbox makes an Inbox. Messages of the examples' types arrive as such, others
// as [*Raw]. It panics if an example is nil.
func (s *System) NewInbox(examples ...any) (*Inbox, error) {
	inbox, err := s.node.NewInbox(mailbox.Capacity{Messages: mailbox.DefaultMessages, Bytes: mailbox.DefaultBytes})
	if err != nil {
		if f, ok := errors.AsType[*wire.Failure](err); ok {
			err = public(f)
		}
		return nil, fmt.Errorf("new inbox: %w", err)
	}
	return &Inbox{inbox: inbox, types: newTypes(examples)}, nil
}

// Ref returns the address.
func (b *Inbox) Ref() Ref { return Ref{b.inbox.ID()} }

// A Message is what an Inbox receives.
type Message struct {
	From  Ref // zero if the program itself sent it
	Value any // of one of the Inbox's types, or a *Raw

	inbox  *Inbox
	letter node.Letter
}

// Receive waits for the next message, until ctx is done or the Inbox is closed
// (os.ErrClosed). Several goroutines may receive: each message goes to one.
// A message that cannot be decoded is an error that names its type.
func (b *Inbox) Receive(ctx context.Context) (*Message, error) {
	l, err := b.inbox.Receive(ctx)
	if err != nil {
		return nil, err
	}
	v, err := b.types.decode(l.Type, l.Payload)
	if err != nil {
		b.inbox.Reply(&l, "", nil, failureOf(err))
		return nil, err
	}
	return &Message{From: Ref{l.From}, Value: v, inbox: b, letter: l}, nil
}

// Asked reports whether the sender waits for a reply.
func (m *Message) Asked() bool { return m.letter.Asked() }

// Reply answers an Ask with a value, or with err if that is not nil. It fails if
// the message was told, and if the asker waits no longer.
func (m *Message) Reply(value any, err error) error {
	if !m.Asked() {
		return errors.New("actor: reply to a message that was told")
	}
	var f *wire.Failure
	if err != nil {
		f = failureOf(err)
	}
	ok, err := m.inbox.inbox.Reply(&m.letter, typeOf(value).Name, value, f)
	if err == nil && !ok {
		err = errors.New("actor: reply: nobody waits for it any more")
	}
	return err
}

// Close gives the address up. Messages in it are dead letters, and those who
// asked are told.
func (b *Inbox) Close() { b.inbox.Close() }
