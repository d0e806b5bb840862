package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// senders is how many goroutines of the program send.
const senders = 8

// programTimeout is of the program's Tells and Asks. None may take much longer.
const (
	programTimeout = 10 * time.Second
	tardy          = programTimeout + 5*time.Second
)

// load sends until ctx is done, each sender its share of the rate.
func (r *runner) load(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range uint32(senders) {
		wg.Go(func() { r.send(ctx, programs+i, rand.New(rand.NewPCG(r.seed, uint64(i)))) })
	}
	wg.Wait()
}

func (r *runner) send(ctx context.Context, me uint32, dice *rand.Rand) {
	tick := time.NewTicker(max(time.Duration(senders/r.rate*float64(time.Second)), 1))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r.gate.RLock()
		if ctx.Err() == nil {
			r.sendOne(me, dice, nothing)
		}
		r.gate.RUnlock()
	}
}

// sendOne sends one message to a target chosen at random. It reports whether it was
// taken.
func (r *runner) sendOne(me uint32, dice *rand.Rand, d deed) bool {
	to := dice.Uint32N(uint32(len(r.forest.targets)))
	ref, err := r.sys.Lookup(name(to))
	if err != nil { // one that comes and goes, or whose parent restarts
		return false
	}
	ask := d == nothing && dice.IntN(4) == 0
	m := r.ledger.sends(me, to, ask)
	work := Work{From: me, To: to, Seq: m.seq, Hops: uint8(dice.IntN(3)), Dice: dice.Uint64(), Deed: d, Pad: pad(dice)}
	// Not the run's context: at its end messages under way are still accounted for.
	ctx, cancel := context.WithTimeout(context.Background(), programTimeout)
	defer cancel()
	start := time.Now()
	if ask {
		var answer uint64
		if answer, err = actor.Ask[uint64](ctx, ref, work); err == nil && answer != m.seq {
			r.fault("%v was answered with %d", m, answer)
		}
	} else {
		err = ref.Tell(ctx, work)
	}
	if took := time.Since(start); took > tardy {
		r.fault("%v: the call took %v: %v", m, took, err)
	}
	r.ledger.settles(m, ask, err)
	return err == nil
}
