//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// rig is an actor whose every step a test can hold.
type rig struct {
	arg  rigArg
	seen []int
	spun int
}

// rigArg is its argument.
type rigArg struct {
	Gate actor.Ref // the start function asks here before it returns
	Hang bool      // and then does not return
	Last actor.Ref // Stop tells Label here
	Pad  []byte
	Label
}

type (
	// Label is an actor's own name for itself.
	Label struct{ Text string }
	// Held is what an actor asks a gate, and waits until it is answered.
	Held struct{}
	// Hold makes it do so in the handler.
	Hold struct{ Gate actor.Ref }
	// Raise makes the process send itself a signal.
	Raise struct{ Signal syscall.Signal }
	// Write goes to the outgoing pipe as it is; then the handler returns, or the
	// process kills itself.
	Write struct {
		Bytes []byte
		Die   bool
		Stay  bool // the handler does not return
	}
	// Facts are those of the process.
	Facts struct {
		Pid, Procs int
		Dir, Env   string
	}
	// Pour tells To the numbers from 0 to N-1, as long as each is on its way
	// before Patience is over.
	Pour struct {
		To       actor.Ref
		N        int
		Patience time.Duration
	}
	// Poured is the answer: how many, and why no more.
	Poured struct {
		N   int
		Err string
	}
	// Deliver sends To a Blob of that size, and Ask waits for the reply.
	Deliver struct {
		To   actor.Ref
		Size int
		Ask  bool
	}
	// Shower tells To Blobs of that size for ever.
	Shower struct {
		To   actor.Ref
		Size int
	}
	// Big is answered with so many bytes.
	Big struct{ Size int }
	// Fetch asks From for so many bytes, and is answered with their number.
	Fetch struct {
		From actor.Ref
		Size int
	}
	// Breed spawns a rig with so large an argument, and kills it.
	Breed struct{ Size int }
	// Stopped is told to Last.
	Stopped struct{ Text string }
	// Sum comes back with each number one more.
	Sum struct{ Of map[actor.Ref]int }
	// Spin tells Gate and then uses up the processor.
	Spin struct{ Gate actor.Ref }
	// Poke does what an actor may not do to itself.
	Poke struct{ How string }
	// Unknown is a message that no actor handles.
	Unknown struct{}
)

var rigger = actor.Define("rig", newRig,
	actor.On((*rig).Echo), actor.On((*rig).Blob), actor.OnTell((*rig).Count), actor.On((*rig).Seen),
	actor.On((*rig).Hold), actor.OnTell((*rig).Raise), actor.On((*rig).Write), actor.On((*rig).Facts),
	actor.On((*rig).Pour), actor.On((*rig).Deliver), actor.On((*rig).Big), actor.On((*rig).Sum),
	actor.OnTell((*rig).Spin), actor.On((*rig).Poke), actor.On((*rig).Until), actor.On((*rig).Sender),
	actor.On((*rig).Say), actor.On((*rig).Record), actor.OnTell((*rig).Shower),
	actor.On((*rig).Fetch), actor.On((*rig).Relay))

// A type whose handlers spawn it could not be a variable: they are another's.
var breeder = actor.Define("breeder", actor.Zero[breed], actor.On((*breed).Breed))

type breed struct{}

func (*breed) Breed(c *actor.Context, m Breed) (int, error) {
	ref, err := c.Spawn(c, rigger.With(rigArg{Pad: make([]byte, m.Size)}))
	if err != nil {
		return 0, err
	}
	return m.Size, ref.Kill(c)
}

func newRig(c *actor.Context, arg rigArg) (*rig, error) {
	if !arg.Gate.IsZero() {
		if _, err := actor.Ask[string](c, arg.Gate, Held{}); err != nil {
			return nil, err
		}
	}
	if arg.Hang {
		select {}
	}
	return &rig{arg: arg}, nil
}

func (r *rig) Stop(c *actor.Context) {
	if !r.arg.Last.IsZero() {
		r.arg.Last.Tell(c, Stopped{r.arg.Text})
	}
}

func (r *rig) Echo(c *actor.Context, m Echo) (string, error) {
	if m.Text == "panic" {
		panic(strings.Repeat("long ", 1000))
	}
	return m.Text, nil
}

func (r *rig) Blob(c *actor.Context, m Blob) (int, error) { return len(m.Data), nil }

func (r *rig) Count(c *actor.Context, m Count) error {
	r.seen = append(r.seen, m.N)
	return nil
}

func (r *rig) Seen(*actor.Context, Seen) ([]int, error) { return r.seen, nil }

func (r *rig) Hold(c *actor.Context, m Hold) (string, error) {
	return actor.Ask[string](context.Background(), m.Gate, Held{})
}

func (r *rig) Raise(c *actor.Context, m Raise) error {
	if err := syscall.Kill(os.Getpid(), m.Signal); err != nil {
		return err
	}
	select {}
}

// outboxFd is where an actor's process writes its frames.
const outboxFd = 4

func (r *rig) Write(c *actor.Context, m Write) (string, error) {
	for rest := m.Bytes; len(rest) > 0; {
		n, err := syscall.Write(outboxFd, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
			runtime.Gosched()
		default:
			return "", err
		}
	}
	if m.Die {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	if m.Stay {
		select {}
	}
	return "written", nil
}

func (r *rig) Facts(c *actor.Context, m Facts) (Facts, error) {
	dir, err := os.Getwd()
	return Facts{Pid: os.Getpid(), Procs: runtime.GOMAXPROCS(0), Dir: dir, Env: os.Getenv("ACTOR_TEST_ENV")}, err
}

func (r *rig) Pour(c *actor.Context, m Pour) (Poured, error) {
	ctx, cancel := context.Context(c), context.CancelFunc(func() {})
	if m.Patience > 0 {
		ctx, cancel = context.WithTimeout(c, m.Patience)
	}
	defer cancel()
	for i := range m.N {
		if err := m.To.Tell(ctx, Count{i}); err != nil {
			return Poured{i, err.Error()}, nil
		}
	}
	return Poured{m.N, ""}, nil
}

func (r *rig) Deliver(c *actor.Context, m Deliver) (int, error) {
	if m.Ask {
		return actor.Ask[int](c, m.To, Blob{make([]byte, m.Size)})
	}
	return m.Size, m.To.Tell(c, Blob{make([]byte, m.Size)})
}

func (r *rig) Shower(c *actor.Context, m Shower) error {
	for {
		if err := m.To.Tell(c, Blob{make([]byte, m.Size)}); err != nil {
			return err
		}
	}
}

func (r *rig) Fetch(c *actor.Context, m Fetch) (int, error) {
	b, err := actor.Ask[Blob](c, m.From, Big{m.Size})
	return len(b.Data), err
}

func (r *rig) Relay(c *actor.Context, m Relay) (int, error) {
	v, err := actor.Ask[any](c, m.To, Echo{m.Text})
	s, _ := v.(string)
	return len(s), err
}

func (r *rig) Big(c *actor.Context, m Big) (Blob, error) { return Blob{make([]byte, m.Size)}, nil }

func (r *rig) Sum(c *actor.Context, m Sum) (Sum, error) {
	for ref := range m.Of {
		m.Of[ref]++
	}
	return m, nil
}

func (r *rig) Spin(c *actor.Context, m Spin) error {
	if !m.Gate.IsZero() {
		if err := m.Gate.Tell(c, Held{}); err != nil {
			return err
		}
	}
	for i := 0; ; i++ {
		r.spun = i
	}
}

func (r *rig) Poke(c *actor.Context, m Poke) (string, error) {
	switch m.How {
	case "ask":
		return actor.Ask[string](c, c.Self(), Echo{"me"})
	case "stop":
		return "", c.Self().Stop(c)
	case "kill":
		return "", c.Self().Kill(c)
	case "tell":
		return "told", c.Self().Tell(c, Count{1})
	case "monitor":
		_, err := c.Monitor(c, c.Self())
		return "", err
	case "system":
		_, err := actor.NewSystem(actor.Options{})
		return "", err
	case "multiple":
		return "", fmt.Errorf("both: %w", errors.Join(os.ErrNotExist, errProbe))
	}
	return "", errors.New("unregistered")
}

func (r *rig) Sender(c *actor.Context, m Introduce) (actor.Ref, error) { return c.Sender(), nil }

// longName is as long as the name of a type may be.
var longName = "long " + strings.Repeat("é", 61) + "n"

var longest = actor.Define(longName, actor.Zero[sink], actor.On((*sink).Seen))

// unencodable is a type whose argument cannot travel.
var unencodable = actor.Define("unencodable", newUnencodable)

type unencodableArg struct{ F func() }

func newUnencodable(*actor.Context, unencodableArg) (*rig, error) { return new(rig), nil }

// patience is after how long a test gives up; nothing waits for it to pass.
const patience = 30 * time.Second

func spawnRig(t testing.TB, sys *actor.System, arg rigArg) actor.Ref {
	t.Helper()
	ref, err := sys.Spawn(t.Context(), rigger.With(arg))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// temporary is spec for an actor that its first crash ends: not restarted.
func temporary(spec actor.Spec) actor.Spec {
	spec.Restart = actor.Temporary
	return spec
}

// openInbox makes one that knows the types of the examples.
func openInbox(t testing.TB, sys *actor.System, examples ...any) *actor.Inbox {
	t.Helper()
	inbox, err := sys.NewInbox(examples...)
	if err != nil {
		t.Fatal(err)
	}
	return inbox
}

// newInbox makes one that knows the messages of a rig.
func newInbox(t testing.TB, sys *actor.System) *actor.Inbox {
	t.Helper()
	return openInbox(t, sys, Held{}, Count{}, Blob{}, Stopped{}, Echo{})
}

// receive takes the next message, which has to be a T.
func receive[T any](t testing.TB, inbox *actor.Inbox) (*actor.Message, T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := inbox.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v, ok := m.Value.(T)
	if !ok {
		t.Fatalf("received %#v, want a %T", m.Value, v)
	}
	return m, v
}

// within receives from a channel.
func within[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	return finally(t, "a value", c)
}

// finally is within that says what did not come.
func finally[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: not within %v", what, patience)
		panic("unreachable")
	}
}

// eventually is for what nobody can be waited for.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// hold makes ref wait in a handler, and returns when it does. release answers.
func hold(t testing.TB, inbox *actor.Inbox, ref actor.Ref) (release func()) {
	t.Helper()
	tell(t, ref, Hold{inbox.Ref()})
	m, _ := receive[Held](t, inbox)
	return func() {
		t.Helper()
		if err := m.Reply("go on", nil); err != nil {
			t.Error(err)
		}
	}
}

// panics returns what f panics with.
func panics(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// Define refuses what could not work, while the program starts.
func TestDefineMisuse(t *testing.T) {
	start := actor.Zero[rig]
	for _, test := range []struct {
		name   string
		define func()
		want   string
	}{
		{"no name", func() { actor.Define("", start) }, "no name for a type"},
		{"long name", func() { actor.Define(strings.Repeat("x", 129), start) }, "no name for a type"},
		{"control character", func() { actor.Define("a\tb", start) }, "no name for a type"},
		{"name taken", func() { actor.Define("rig", start) }, "defined already"},
		{"two handlers", func() { actor.Define("double", start, actor.On((*rig).Echo), actor.On((*rig).Echo)) }, "two handlers"},
		{"listed twice", func() {
			actor.Define("listed", start, actor.On((*rig).Echo), actor.OnAny(anything, Echo{}))
		}, "two handlers"},
		{"two catch-alls", func() { actor.Define("all", start, actor.OnAny(anything), actor.OnAny(anything)) }, "two OnAny"},
		{"nil example", func() { actor.Define("nil", start, actor.OnAny(anything, nil)) }, "nil is no example"},
		{"error code taken", func() { actor.RegisterError("probe.refused", os.ErrInvalid) }, "is taken"},
		{"error code empty", func() { actor.RegisterError("", os.ErrInvalid) }, "empty"},
		{"error nil", func() { actor.RegisterError("x", nil) }, "empty"},
	} {
		if got := fmt.Sprint(panics(test.define)); !strings.Contains(got, test.want) {
			t.Errorf("%s: panicked with %q, want %q", test.name, got, test.want)
		}
	}
}

func anything(*rig, *actor.Context, any) (any, error) { return nil, nil }

// The longest name of a type works everywhere.
func TestLongestTypeName(t *testing.T) {
	if len(longName) != 128 {
		t.Fatalf("the name has %d bytes", len(longName))
	}
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), longest)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask[int](t, ref, Seen{}); got != 0 {
		t.Errorf("got %d", got)
	}
	m := sys.Monitor(ref)
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := ended(t, m); d.Type != longName {
		t.Errorf("got type %q", d.Type)
	}
}

// machine is an actor with one Receive.
type machine struct{ got []string }

func (m *machine) Receive(c *actor.Context, v any) (any, error) {
	switch v := v.(type) {
	case Echo:
		m.got = append(m.got, v.Text)
		return v.Text, nil
	case *Blob:
		return len(v.Data), nil
	case Seen:
		return m.got, nil
	case *actor.Raw:
		var u Label
		if err := v.Decode(&u); err != nil {
			return nil, err
		}
		return v.Type + " " + u.Text, nil
	}
	return nil, fmt.Errorf("got a %T", v)
}

var machiner = actor.Define("machine", actor.Zero[machine], actor.OnAny((*machine).Receive, Echo{}, new(Blob), Seen{}))

// OnAny gets listed types as such, a pointer where a pointer was listed, and
// everything else raw.
func TestOnAny(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := sys.Spawn(t.Context(), machiner)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask[string](t, ref, Echo{"a"}); got != "a" {
		t.Errorf("got %q", got)
	}
	if got := ask[int](t, ref, Blob{make([]byte, 3)}); got != 3 {
		t.Errorf("got %d", got)
	}
	tell(t, ref, &Echo{"b"})
	if got := ask[[]string](t, ref, Seen{}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v", got)
	}
	if got, want := ask[string](t, ref, Label{"raw"}), "github.com/progeny-go/progeny/actor_test.Label raw"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := actor.Ask[string](t.Context(), ref, 5); err == nil {
		t.Error("an int was decoded as a Label")
	}
}
