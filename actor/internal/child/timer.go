package child

import (
	"context"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// StartTimer starts a timer of this actor and returns its number. Of t the ID and
// the Payload are set here: the message is encoded at once. A zero To is the actor
// itself.
func (c *Child) StartTimer(ctx context.Context, t wire.TimerRequest, message any) (uint64, error) {
	var err error
	if t.Payload, err = codec.Append(nil, message); err != nil {
		return 0, err
	}
	if t.To == (codec.ID{}) {
		t.To = c.init.ID
	}
	t.ID = c.corr.Add(1)
	if err := c.request(ctx, wire.ServiceTimer, t, nil); err != nil {
		return 0, err
	}
	return t.ID, nil
}

// CancelTimer ends a timer, and reports whether there was one.
func (c *Child) CancelTimer(ctx context.Context, id uint64) (bool, error) {
	var was bool
	err := c.request(ctx, wire.ServiceTimer, wire.TimerRequest{ID: id, Cancel: true}, &was)
	return was, err
}
