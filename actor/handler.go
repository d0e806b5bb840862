package actor

import (
	"fmt"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/codec"
)

// A Handler is one entry in the protocol of an actor with the state S. [On],
// [OnTell] and [OnAny] make them.
type Handler[S any] struct {
	messages []string // type names
	any      bool
	handle   handle[S]
}

// handle decodes a message, handles it, and names the type of the reply.
type handle[S any] func(s *S, c *Context, d *child.Delivery) (replyType []byte, reply any, err error)

// On makes a handler that replies to an Ask for messages of type M. To a Tell
// it does the same; the reply is dropped.
func On[S, M, R any](h func(*S, *Context, M) (R, error)) Handler[S] {
	message, static := typeFor[M](), typeFor[R]()
	// Messages come one at a time and h gets a copy, so one M serves them all.
	m := new(M)
	var decoder codec.Decoder
	return Handler[S]{
		messages: []string{message.Name},
		handle: func(s *S, c *Context, d *child.Delivery) ([]byte, any, error) {
			*m = *new(M)
			if err := decoder.Decode(d.Payload, m); err != nil {
				return nil, nil, fmt.Errorf("decode %s: %w", d.Type, err)
			}
			result, err := h(s, c, *m)
			if err != nil || !d.Asked() {
				return nil, nil, err
			}
			reply := result // on the heap, but only for those who ask
			if static.Name == "" {
				return typeOf(reply).Text, &reply, nil // R is an interface
			}
			return static.Text, &reply, nil
		},
	}
}

// OnTell makes a handler for messages of type M that has nothing to reply. An
// Ask is answered with [None] once it has returned.
func OnTell[S, M any](h func(*S, *Context, M) error) Handler[S] {
	return On(func(s *S, c *Context, m M) (None, error) {
		return None{}, h(s, c, m)
	})
}

// OnAny makes the handler for everything that no other one takes: for state
// machines that want one Receive. The types of the given examples are
// part of the protocol and arrive as such; what is of another type arrives as
// a [*Raw]. The reply's type is that of the value returned.
func OnAny[S any](h func(*S, *Context, any) (any, error), examples ...any) Handler[S] {
	types := newTypes(examples)
	return Handler[S]{
		messages: types.names(),
		any:      true,
		handle: func(s *S, c *Context, d *child.Delivery) ([]byte, any, error) {
			m, err := types.decode(string(d.Type), d.Payload)
			if err != nil {
				return nil, nil, err
			}
			if _, raw := m.(*Raw); raw {
				d.Keep()
			}
			reply, err := h(s, c, m)
			return typeOf(reply).Text, reply, err
		},
	}
}

// Raw is a message whose type the receiver did not list.
type Raw struct {
	Type    string // the name of its type, like "main.Hello"
	Payload []byte // msgpack
}

// Decode decodes the message into v, a pointer.
func (r *Raw) Decode(v any) error { return codec.Decode(r.Payload, v) }

// table finds the handler of a message.
type table[S any] struct {
	protocol
	handles  map[string]handle[S]
	catchAll handle[S]
}

// protocol is the message types that an actor type takes.
type protocol struct {
	messages map[string]struct{}
	any      bool
}

// Handles reports whether the actor takes messages of this type.
func (p protocol) Handles(messageType []byte) bool {
	if p.any {
		return true
	}
	_, ok := p.messages[string(messageType)]
	return ok
}

func newTable[S any](actor string, handlers []Handler[S]) table[S] {
	t := table[S]{
		protocol: protocol{messages: make(map[string]struct{})},
		handles:  make(map[string]handle[S]),
	}
	for _, h := range handlers {
		if h.any {
			if t.catchAll != nil {
				panic(fmt.Sprintf("actor.Define: %q has two OnAny", actor))
			}
			t.any, t.catchAll = true, h.handle
		}
		for _, m := range h.messages {
			if _, taken := t.handles[m]; taken {
				panic(fmt.Sprintf("actor.Define: %q has two handlers for %s", actor, m))
			}
			t.messages[m] = struct{}{}
			t.handles[m] = h.handle
		}
	}
	return t
}

// find returns nil if nothing handles the type.
func (t *table[S]) find(messageType []byte) handle[S] {
	if h, ok := t.handles[string(messageType)]; ok {
		return h
	}
	return t.catchAll
}
