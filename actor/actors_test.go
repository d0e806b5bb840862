//go:build unix

package actor_test

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// probe is an actor that does what it is told. Most tests use it.
type probe struct {
	seen  []int
	downs []actor.Down
	kin   actor.Ref
	spun  int
}

// probeArg is its argument.
type probeArg struct {
	Fail  string    // the start function fails with this
	Hang  bool      // the start function does not return
	Die   string    // the start function does this Fault
	Kin   actor.Ref // somebody it knows
	Greet actor.Ref // tells its own Ref to this one when it has started
}

var errProbe = errors.New("probe refused")

func init() { actor.RegisterError("probe.refused", errProbe) }

type (
	// Echo is answered with its text.
	Echo struct{ Text string }
	// Blob is answered with its length.
	Blob struct{ Data []byte }
	// Count is remembered; Seen answers with all.
	Count struct{ N int }
	Seen  struct{}
	// Fault makes the probe do something foolish.
	Fault struct{ Kind string }
	// Wait blocks the handler until its context is done or the file appears.
	Wait struct{ Until string }
	// Relay passes a message on: "tell" or "ask" Text to To.
	Relay struct {
		To   actor.Ref
		How  string
		Text string
	}
	// Flood tells To the numbers 0 to N-1.
	Flood struct {
		To actor.Ref
		N  int
	}
	// Hatch spawns a child under that name.
	Hatch struct{ Name string }
	// Find looks a name up.
	Find struct{ Name string }
	// WatchIt monitors To; Downs answers with the reasons so far.
	WatchIt struct{ To actor.Ref }
	Downs   struct{}
	// Print writes to stdout and stderr and logs.
	Print struct{ Out, Err, Log string }
	// Env answers with facts about the process.
	Env struct{ What string }
	// Introduce hands over a Ref.
	Introduce struct{ Who actor.Ref }
	Kin       struct{}
	// Quit stops the probe from inside.
	Quit struct{}
)

// A probe spawns probes: Go calls that an initialisation cycle unless the type
// is defined in an init function.
var prober actor.Type[probeArg]

func init() {
	prober = actor.Define("probe", newProbe,
		actor.On((*probe).Echo), actor.On((*probe).Blob), actor.OnTell((*probe).Count), actor.On((*probe).Seen),
		actor.On((*probe).Fault), actor.On((*probe).Wait), actor.On((*probe).Relay), actor.OnTell((*probe).Flood),
		actor.On((*probe).Hatch), actor.On((*probe).Find), actor.On((*probe).WatchIt), actor.On((*probe).Downs),
		actor.OnTell((*probe).Down), actor.OnTell((*probe).Print), actor.On((*probe).Env),
		actor.OnTell((*probe).Introduce), actor.On((*probe).Kin), actor.OnTell((*probe).Quit))
}

func newProbe(c *actor.Context, arg probeArg) (*probe, error) {
	if arg.Fail != "" {
		return nil, fmt.Errorf("%s: %w", arg.Fail, errProbe)
	}
	if arg.Hang {
		select {}
	}
	p := &probe{kin: arg.Kin}
	if arg.Die != "" {
		p.Fault(c, Fault{arg.Die})
	}
	if !arg.Greet.IsZero() {
		if err := arg.Greet.Tell(c, Introduce{c.Self()}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *probe) Echo(c *actor.Context, m Echo) (string, error) {
	if rest, ok := strings.CutPrefix(m.Text, "fail:"); ok {
		return "", fmt.Errorf("%s: %w", rest, errProbe)
	}
	return m.Text, nil
}

func (p *probe) Blob(c *actor.Context, m Blob) (int, error) { return len(m.Data), nil }

func (p *probe) Count(c *actor.Context, m Count) error {
	p.seen = append(p.seen, m.N)
	if m.N < 0 {
		return fmt.Errorf("negative: %d", m.N)
	}
	return nil
}

func (p *probe) Seen(*actor.Context, Seen) ([]int, error) { return p.seen, nil }

func (p *probe) Fault(c *actor.Context, m Fault) (string, error) {
	switch m.Kind {
	case "panic":
		panic("on purpose")
	case "goroutine":
		write := func(m map[string]int) { m["x"] = 1 }
		go write(nil)
		select {}
	case "mapwrite":
		m := map[int]int{}
		for range 8 {
			go func() {
				for i := 0; ; i++ {
					m[i%7] = i
				}
			}()
		}
		select {}
	case "stack":
		debug.SetMaxStack(1 << 20)
		return fmt.Sprint(overflow(1)), nil
	case "exit0":
		os.Exit(0)
	case "exit3":
		os.Exit(3)
	case "exit2":
		fmt.Fprintln(os.Stderr, "panic: not really")
		os.Exit(2)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "term":
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	case "abort":
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	case "stopped":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "spin":
		for i := 0; ; i++ {
			p.spun = i
		}
	case "hang":
		select {}
	}
	return "survived " + m.Kind, nil
}

//go:noinline
func overflow(n int) int {
	if n == 0 { // it never is
		return 0
	}
	return overflow(n+1) + n
}

func (p *probe) Wait(c *actor.Context, m Wait) (string, error) {
	for {
		select {
		case <-c.Done():
			return c.Err().Error(), nil
		case <-time.After(time.Millisecond):
			if _, err := os.Stat(m.Until); err == nil {
				return "found", nil
			}
		}
	}
}

func (p *probe) Relay(c *actor.Context, m Relay) (string, error) {
	if m.How == "tell" {
		return "", m.To.Tell(c, Echo{m.Text})
	}
	return actor.Ask[string](c, m.To, Echo{m.Text})
}

func (p *probe) Flood(c *actor.Context, m Flood) error {
	for i := range m.N {
		if err := m.To.Tell(c, Count{i}); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) Hatch(c *actor.Context, m Hatch) (actor.Ref, error) {
	return c.Spawn(c, prober.With(probeArg{Kin: c.Self()}).Named(m.Name))
}

func (p *probe) Find(c *actor.Context, m Find) (actor.Ref, error) { return c.Lookup(c, m.Name) }

func (p *probe) WatchIt(c *actor.Context, m WatchIt) (actor.MonitorID, error) {
	return c.Monitor(c, m.To)
}

func (p *probe) Down(c *actor.Context, d actor.Down) error {
	p.downs = append(p.downs, d)
	return nil
}

func (p *probe) Downs(*actor.Context, Downs) ([]actor.Down, error) { return p.downs, nil }

func (p *probe) Print(c *actor.Context, m Print) error {
	fmt.Print(m.Out)
	fmt.Fprint(os.Stderr, m.Err)
	if m.Log != "" {
		c.Logger().With("k", 1).WithGroup("g").Warn(m.Log, "n", 42, "err", errProbe)
	}
	return nil
}

func (p *probe) Env(c *actor.Context, m Env) (string, error) {
	switch m.What {
	case "pid":
		return fmt.Sprint(os.Getpid()), nil
	case "sender":
		return c.Sender().String(), nil
	}
	return os.Getenv(m.What), nil
}

func (p *probe) Introduce(c *actor.Context, m Introduce) error {
	p.kin = m.Who
	return nil
}

func (p *probe) Kin(*actor.Context, Kin) (actor.Ref, error) { return p.kin, nil }

func (p *probe) Quit(c *actor.Context, m Quit) error {
	c.Stop()
	return nil
}
