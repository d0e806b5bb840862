package child

import (
	"context"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// StartChild starts a child of a supervisor; nil means its template. When ctx ends,
// the start goes on.
func (c *Child) StartChild(ctx context.Context, under codec.ID, what *wire.Child) (codec.ID, error) {
	var id codec.ID
	err := c.request(ctx, wire.ServiceStartChild, wire.ChildRequest{Under: under, Child: what}, &id)
	return id, err
}

// TerminateChild stops a child of a supervisor, and waits for its end.
func (c *Child) TerminateChild(ctx context.Context, under, id codec.ID) error {
	return c.request(ctx, wire.ServiceTerminateChild, wire.ChildRequest{Under: under, ID: id}, nil)
}

// RestartChild starts a child of a supervisor that is stopped. When ctx ends, the
// start goes on.
func (c *Child) RestartChild(ctx context.Context, under, id codec.ID) error {
	return c.request(ctx, wire.ServiceRestartChild, wire.ChildRequest{Under: under, ID: id}, nil)
}

// DeleteChild makes a supervisor forget a child that is stopped.
func (c *Child) DeleteChild(ctx context.Context, under, id codec.ID) error {
	return c.request(ctx, wire.ServiceDeleteChild, wire.ChildRequest{Under: under, ID: id}, nil)
}

// Children returns what is known of the children of a supervisor or an actor.
func (c *Child) Children(ctx context.Context, under codec.ID) ([]wire.ChildInfo, error) {
	var infos []wire.ChildInfo
	err := c.request(ctx, wire.ServiceChildren, under, &infos)
	return infos, err
}
