package scene

import (
	"context"
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// behind is how many messages stand behind the one that provokes the fault.
const behind = 10

// crash is for all faults that should end the victim.
func crash(ctx context.Context, sys System, id string) error {
	victim, bystander, g, err := setUp(ctx, sys, id)
	if err != nil {
		return err
	}
	for range behind {
		if err := victim.Tell(ctx, Message{}); err != nil {
			return err
		}
	}
	say(fault.Facts{Ready: true, Sent: behind})
	g.open()
	switch r, err := askUntil(ctx, victim); {
	case errors.Is(err, ErrGone):
		say(fault.Facts{Victim: fault.Gone})
	case err == nil && r.Marked:
		say(fault.Facts{Victim: fault.Same, Arrived: r.Seen})
	case err == nil:
		say(fault.Facts{Victim: fault.Replaced, Arrived: r.Seen})
	}
	_, err = ask(ctx, bystander)
	say(fault.Facts{Bystander: err == nil})
	return nil
}

// setUp returns when the victim is at the gate, about to provoke the fault.
func setUp(ctx context.Context, sys System, id string) (victim, bystander Actor, g *gate, err error) {
	if bystander, err = sys.Spawn(ctx, "bystander"); err != nil {
		return nil, nil, nil, err
	}
	if victim, err = sys.Spawn(ctx, "victim"); err != nil {
		return nil, nil, nil, err
	}
	for _, a := range []Actor{victim, bystander} {
		if err := a.Tell(ctx, Message{Do: mark}); err != nil {
			return nil, nil, nil, err
		}
		if r, err := ask(ctx, a); err != nil || !r.Marked {
			return nil, nil, nil, fmt.Errorf("before the fault the answer is %+v, %v", r, err)
		}
	}
	if g, err = newGate(); err != nil {
		return nil, nil, nil, err
	}
	if err = victim.Tell(ctx, Message{Do: id, Gate: g.address()}); err != nil {
		return nil, nil, nil, err
	}
	return victim, bystander, g, g.await(1)
}
