package actor

import (
	"errors"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/codec"
)

type greeted struct{ by []Ref }

type greeting struct{ N int }

func (g *greeted) greet(c *Context, _ greeting) error {
	g.by = append(g.by, c.Sender())
	return nil
}

// TestBehaviourSame gives an actor's code messages of which some are the Same as the one before, with one among them that has
// no handler.
func TestBehaviourSame(t *testing.T) {
	handler := OnTell((*greeted).greet)
	state := new(greeted)
	b := &behaviour[greeted, None]{table: newTable("greeted", []Handler[greeted]{handler}), state: state}
	payload, err := codec.Append(nil, greeting{1})
	if err != nil {
		t.Fatal(err)
	}
	from := func(id byte) child.Origin { return child.Origin{From: codec.ID{id}} }
	known, unknown := typeFor[greeting]().Text, []byte("main.Unknown")
	for i, d := range []child.Delivery{
		{Type: known, Origin: from(1)},
		{Type: known, Origin: from(1), Same: true},
		{Type: known, Origin: from(2)},
		{Type: unknown, Origin: from(2)},
		{Type: unknown, Origin: from(2), Same: true},
		{Type: known, Origin: from(2)},
		{Type: known, Origin: from(2), Same: true},
		{Type: unknown, Origin: from(3)},
		{Type: known, Origin: from(3)},
	} {
		d.Payload = payload
		state.by = nil
		_, _, err := b.Handle(&d)
		if string(d.Type) == string(unknown) {
			if !errors.Is(err, ErrUnhandled) || len(state.by) > 0 {
				t.Errorf("message %d: %v, and handled %d times; want ErrUnhandled", i, err, len(state.by))
			}
			continue
		}
		if err != nil || len(state.by) != 1 || state.by[0] != (Ref{d.From}) {
			t.Errorf("message %d: %v, handled as from %v", i, err, state.by)
		}
	}
}
