//go:build unix

package actor_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// peer is the child process of the gipc tests: it receives, sends, waits and
// leaves as it is told.
type peer struct {
	arrivals []arrival
	torn     int // items that did not arrive whole
}

type (
	// parcel is answered with itself.
	parcel struct {
		Text    string
		List    []int
		Dict    map[string]string
		Raw     []byte
		Yes, No bool
		Nothing *int
		Ratio   float64
		When    time.Time
	}
	// item is one of a numbered series. Its body is all the same byte, so that
	// two of them mixed, or one that is cut, can be told.
	item struct {
		From, N int
		Body    []byte
	}
	// arrival is what remains of an item.
	arrival struct{ From, N int }
	// arrived answers with the arrivals so far.
	arrived struct{}
	// deliver sends items 0 to N-1 of Size bytes each to To, for each sender
	// on a goroutine of its own. It returns the first error and goes on living.
	deliver struct {
		To               actor.Ref
		Senders, N, Size int
	}
	// flood does the same without an end, and returns the error that ends it.
	flood struct{ To actor.Ref }
	// linger keeps the handler busy until somebody at Gate has answered a knock.
	linger struct{ Gate actor.Ref }
	knock  struct{}
	// leave ends the process, without a goodbye.
	leave struct{ Code int }
	// pass hands What to To.
	pass struct {
		To   actor.Ref
		What parcel
	}
)

// A peer spawns peers: see prober.
var peers actor.Type[peerArg]

// peerArg is a peer's argument.
type peerArg struct {
	Generations int       // how many are to descend from it
	Report      actor.Ref // whom the last of these tells its lineage
	Lineage     []int     // the pids of those it descends from
}

// lineage is the last descendant's report.
type lineage struct{ Pids []int }

func init() {
	peers = actor.Define("peer", newPeer,
		actor.On((*peer).parcel), actor.OnTell((*peer).item), actor.On((*peer).arrived), actor.On((*peer).deliver),
		actor.On((*peer).flood), actor.On((*peer).linger), actor.OnTell((*peer).leave), actor.On((*peer).pass),
		actor.On((*peer).pid), actor.On((*peer).confer), actor.OnTell((*peer).forward), actor.OnTell((*peer).quit))
}

func newPeer(c *actor.Context, arg peerArg) (*peer, error) {
	pids := append(arg.Lineage, os.Getpid())
	switch {
	case arg.Generations > 0:
		_, err := c.Spawn(c, peers.With(peerArg{Generations: arg.Generations - 1, Report: arg.Report, Lineage: pids}))
		return new(peer), err
	case !arg.Report.IsZero():
		return new(peer), arg.Report.Tell(c, lineage{pids})
	}
	return new(peer), nil
}

func newItem(from, n, size int) item {
	m := item{from, n, make([]byte, size)}
	for i := range m.Body {
		m.Body[i] = m.fill()
	}
	return m
}

func (m item) fill() byte { return byte(7*m.From + m.N) }

func (m item) isWhole(size int) bool {
	for _, b := range m.Body {
		if b != m.fill() {
			return false
		}
	}
	return len(m.Body) == size || size < 0
}

func (p *peer) parcel(_ *actor.Context, m parcel) (parcel, error) { return m, nil }

func (p *peer) item(_ *actor.Context, m item) error {
	if !m.isWhole(-1) {
		p.torn++
	}
	p.arrivals = append(p.arrivals, arrival{m.From, m.N})
	return nil
}

func (p *peer) arrived(*actor.Context, arrived) ([]arrival, error) {
	if p.torn > 0 {
		return nil, errors.New("torn items")
	}
	return p.arrivals, nil
}

func (p *peer) deliver(c *actor.Context, m deliver) (actor.None, error) {
	errs := make([]error, max(1, m.Senders))
	var senders sync.WaitGroup
	for from := range errs {
		senders.Go(func() { errs[from] = sendItems(c, m.To, from, m.N, m.Size) })
	}
	senders.Wait()
	return actor.None{}, errors.Join(errs...)
}

func sendItems(ctx context.Context, to actor.Ref, from, n, size int) error {
	for i := range n {
		if err := to.Tell(ctx, newItem(from, i, size)); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) flood(c *actor.Context, m flood) (string, error) {
	for n := 0; ; n++ {
		if err := m.To.Tell(c, newItem(0, n, 100)); err != nil {
			return err.Error(), nil
		}
	}
}

func (p *peer) linger(c *actor.Context, m linger) (string, error) {
	return actor.Ask[string](c, m.Gate, knock{})
}

func (p *peer) leave(_ *actor.Context, m leave) error {
	os.Exit(m.Code)
	return nil
}

func (p *peer) pass(c *actor.Context, m pass) (parcel, error) {
	return actor.Ask[parcel](c, m.To, m.What)
}

// getpid is answered with the process's id.
type getpid struct{}

func (p *peer) pid(*actor.Context, getpid) (int, error) { return os.Getpid(), nil }

// retire stops the peer from inside.
type retire struct{}

func (p *peer) quit(c *actor.Context, _ retire) error {
	c.Stop()
	return nil
}

// spawnPeer starts a peer. In gipc nothing is restarted.
func spawnPeer(t testing.TB, sys *actor.System) actor.Ref {
	t.Helper()
	ref, err := sys.Spawn(t.Context(), temporary(peers.With(peerArg{})))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// receiveItems takes the items that senders send, n each, and checks that they
// are whole and in each sender's order.
func receiveItems(t testing.TB, b *actor.Inbox, senders, n, size int) {
	t.Helper()
	next := make([]int, senders)
	for range senders * n {
		_, m := receive[item](t, b)
		if !m.isWhole(size) || m.N != next[m.From] {
			t.Fatalf("sender %d: got item %d of %d bytes, whole: %t; want %d of %d",
				m.From, m.N, len(m.Body), m.isWhole(size), next[m.From], size)
		}
		next[m.From]++
	}
}

// askLater asks on a goroutine of its own.
func askLater[R any](t testing.TB, ref actor.Ref, m any) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := actor.Ask[R](t.Context(), ref, m)
		done <- err
	}()
	return done
}

// confer is answered after the peer has talked to a child and a goroutine of
// its own.
type confer struct{}

func (p *peer) confer(c *actor.Context, _ confer) (bool, error) {
	list := slices.Repeat([]int{1 << 40}, 1<<15)
	inner := make(chan []int)
	go func() { inner <- list }()
	ref, err := c.Spawn(c, peers)
	if err != nil {
		return false, err
	}
	back, err := actor.Ask[parcel](c, ref, parcel{List: <-inner})
	if err != nil {
		return false, err
	}
	return slices.Equal(back.List, list), ref.Stop(c)
}

// forward goes on to the first of Route, which gets the rest.
type forward struct {
	N     int
	Route []actor.Ref
}

func (p *peer) forward(c *actor.Context, m forward) error {
	return m.Route[0].Tell(c, forward{m.N, m.Route[1:]})
}
