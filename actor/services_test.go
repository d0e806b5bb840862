//go:build unix

package actor_test

import (
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// A claimant uses every service.
type claimant struct{}

type (
	claim struct {
		Service string
		Target  actor.Ref
	}
	guesses  struct{ Tells, Asks, Monitors, Stops int }
	loudness struct{}
)

var claimants = actor.Define("claimant", actor.Zero[claimant],
	actor.On((*claimant).Claim), actor.On((*claimant).Guess), actor.OnTell((*claimant).Down), actor.OnTell((*claimant).Loud))

var claimantSpec actor.Spec

func init() { claimantSpec = claimants.With(actor.None{}) }

func (*claimant) Down(*actor.Context, actor.Down) error { return nil }

func (*claimant) Loud(*actor.Context, loudness) error { return nil }

// services are with the bits that deny them.
var services = map[string]struct {
	bits actor.Services
	use  func(c *actor.Context, to actor.Ref) error
}{
	"spawn": {actor.Spawning, func(c *actor.Context, to actor.Ref) error {
		ref, err := c.Spawn(c, claimantSpec)
		if err != nil {
			return err
		}
		// What it has may not do more.
		_, err = actor.Ask[string](c, ref, claim{Service: "lookup"})
		return err
	}},
	"lookup": {actor.Lookups, func(c *actor.Context, to actor.Ref) error {
		_, err := c.Lookup(c, "known")
		return err
	}},
	"children": {actor.Lookups, func(c *actor.Context, to actor.Ref) error {
		_, err := to.Children(c)
		return err
	}},
	"count": {actor.Lookups, func(c *actor.Context, to actor.Ref) error {
		_, err := to.Count(c)
		return err
	}},
	"monitor": {actor.Monitoring, func(c *actor.Context, to actor.Ref) error {
		_, err := c.Monitor(c, to)
		return err
	}},
	"watch": {actor.Monitoring, func(c *actor.Context, to actor.Ref) error {
		_, err := c.Watch(c, to)
		return err
	}},
	"link": {actor.Monitoring | actor.Managing, func(c *actor.Context, to actor.Ref) error { return c.Link(c, to) }},
	"stop": {actor.Managing, func(c *actor.Context, to actor.Ref) error { return to.Stop(c) }},
	"kill": {actor.Managing, func(c *actor.Context, to actor.Ref) error { return to.Kill(c) }},
	"exit": {actor.Managing, func(c *actor.Context, to actor.Ref) error { return to.Exit(c, errors.New("go")) }},
	"start a child": {actor.Managing | actor.Spawning, func(c *actor.Context, to actor.Ref) error {
		_, err := to.StartChild(c, claimantSpec)
		return err
	}},
	"restart a child":   {actor.Managing | actor.Spawning, func(c *actor.Context, to actor.Ref) error { return to.RestartChild(c, c.Self()) }},
	"terminate a child": {actor.Managing, func(c *actor.Context, to actor.Ref) error { return to.TerminateChild(c, c.Self()) }},
	"delete a child":    {actor.Managing, func(c *actor.Context, to actor.Ref) error { return to.DeleteChild(c, c.Self()) }},
	"timer": {actor.Timers, func(c *actor.Context, to actor.Ref) error {
		_, err := c.SendAfter(c, time.Hour, loudness{})
		return err
	}},
}

func (*claimant) Claim(c *actor.Context, m claim) (string, error) {
	err := services[m.Service].use(c, m.Target)
	if errors.Is(err, actor.ErrDenied) {
		return "denied", nil
	}
	if remote, ok := errors.AsType[*actor.RemoteError](err); ok {
		return remote.Text, nil
	}
	return "", nil // another error is none of this test's business
}

// Guess makes up addresses.
func (*claimant) Guess(c *actor.Context, m guesses) (refused int, err error) {
	count := func(err error) {
		if errors.Is(err, actor.ErrNoActor) {
			refused++
		}
	}
	for range m.Tells {
		count(guess().Tell(c, loudness{}))
	}
	for range m.Asks {
		_, err := actor.Ask[int](c, guess(), claim{})
		count(err)
	}
	for range m.Monitors {
		if _, err := c.Monitor(c, guess()); err == nil {
			refused++ // it gets a Down, for NoSuchActor
		}
	}
	for range m.Stops {
		if guess().Stop(c) == nil {
			refused++ // who is not there has ended
		}
	}
	return refused, nil
}

// guess is a Ref that nobody has: 122 random bits.
func guess() (r actor.Ref) {
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	if err := r.UnmarshalBinary(id[:]); err != nil {
		panic(err)
	}
	return r
}

// Each bit of Deny refuses its services, counts them, and refuses no others.
func TestDeny(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	known := claimants.With(actor.None{}).Named("known")
	if _, err := sys.Spawn(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	for bit := range 6 { // the last denies nothing
		deny := actor.Services(1<<bit) & actor.AllServices
		spec := claimants.With(actor.None{})
		spec.Deny = deny
		ref, err := sys.Spawn(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		for name, service := range services {
			target, err := sys.Spawn(t.Context(), known.Named(""))
			if err != nil {
				t.Fatal(err)
			}
			before := sys.Stats().Denied
			got := ask[string](t, ref, claim{name, target})
			want := ""
			if deny&service.bits != 0 {
				want = "denied"
			}
			if got != want {
				t.Errorf("denying %v, %s: got %q, want %q", deny, name, got, want)
			}
			counted := sys.Stats().Denied - before
			// The lookup of what spawn has spawned is denied there, too.
			if inherited := name == "spawn" && deny == actor.Lookups; counted != 0 != (want != "" || inherited) {
				t.Errorf("denying %v, %s: %d counted", deny, name, counted)
			}
		}
	}
}

// A Spec that denies what there is not is wrong.
func TestDenyUnknown(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	spec := claimants.With(actor.None{})
	spec.Deny = actor.AllServices
	if _, err := sys.Spawn(t.Context(), spec); err != nil {
		t.Error(err)
	}
	spec.Deny = actor.AllServices + 1
	if _, err := sys.Spawn(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "0x20") {
		t.Errorf("got %v", err)
	}
}

// Addresses that an actor makes up are refused and counted, and cost the program nothing.
func TestGuesses(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), claimants)
	if err != nil {
		t.Fatal(err)
	}
	m := guesses{Tells: 4_000, Asks: 4_000, Monitors: 1_000, Stops: 1_000}
	if testing.Short() {
		m = guesses{Tells: 400, Asks: 400, Monitors: 100, Stops: 100}
	}
	ask[int](t, ref, guesses{10, 10, 10, 10}) // what the first ones cost is not counted
	before, goroutines := sys.Stats().UnknownRefs, runtime.NumGoroutine()
	heap := liveHeap()
	all := m.Tells + m.Asks + m.Monitors + m.Stops
	if got := ask[int](t, ref, m); got != all {
		t.Errorf("%d of %d guesses are refused", got, all)
	}
	if got := sys.Stats().UnknownRefs - before; got != uint64(all) {
		t.Errorf("%d of %d guesses are counted", got, all)
	}
	if grown := liveHeap() - heap; grown > 4<<20 {
		t.Errorf("the program has grown by %d bytes", grown)
	}
	if got := runtime.NumGoroutine(); got > goroutines+10 {
		t.Errorf("%d goroutines, before there were %d", got, goroutines)
	}
	if ask[int](t, ref, guesses{}) != 0 {
		t.Error("it does not work any more")
	}
}

// An address that somebody has, or had, is not counted.
func TestKnownRefs(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), claimants)
	if err != nil {
		t.Fatal(err)
	}
	dead := claimants.With(actor.None{})
	target, err := sys.Spawn(t.Context(), dead)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name := range services {
		if name == "link" {
			continue // it would be the end of ref
		}
		ask[string](t, ref, claim{name, target})
	}
	if got := sys.Stats().UnknownRefs; got != 0 {
		t.Errorf("%d are", got)
	}
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
