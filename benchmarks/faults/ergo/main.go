// Command ergo provokes the faults in ergo.services/ergo.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"ergo.services/ergo"
	"ergo.services/ergo/act"
	"ergo.services/ergo/gen"
	"ergo.services/ergo/net/edf"

	"github.com/progeny-go/progeny/benchmarks/bench"
	"github.com/progeny-go/progeny/benchmarks/faults/internal/scene"
)

const (
	secondRole = "second"
	cookie     = "faults"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ergo:", err)
		os.Exit(1)
	}
}

func run() error {
	for _, v := range []any{scene.Message{}, ask{}, scene.Report{}} {
		if err := edf.RegisterTypeOf(v); err != nil {
			return err
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	sys, err := start(port)
	if err != nil {
		return err
	}
	if len(os.Args) == 2 && os.Args[1] == secondRole {
		if _, err := sys.spawn(context.Background(), secondRole); err != nil {
			return err
		}
		bench.BeSecond(fmt.Sprint(port, " ", string(sys.node.Name())))
		return nil
	}
	scene.Main(scene.System{Spawn: sys.spawn, Second: sys.second})
	return nil
}

// system is a node with an actor that sends: only actors keep the order of what they send to another node.
type system struct {
	node   gen.Node
	driver gen.PID
}

func start(port uint16) (system, error) {
	o := gen.NodeOptions{}
	o.Log.DefaultLogger.Disable = true
	o.Network.Cookie = cookie
	o.Network.Acceptors = []gen.AcceptorOptions{{Host: "localhost", Port: port}}
	node, err := ergo.StartNode(gen.Atom(fmt.Sprintf("node%d@localhost", port)), o)
	if err != nil {
		return system{}, err
	}
	pid, err := node.Spawn(func() gen.ProcessBehavior { return &driver{} }, gen.ProcessOptions{})
	return system{node, pid}, err
}

func freePort() (uint16, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port), nil
}

// spawn starts an actor that its supervisor restarts under the same name.
func (s system) spawn(_ context.Context, name string) (scene.Actor, error) {
	_, err := s.node.Spawn(func() gen.ProcessBehavior { return &supervisor{child: gen.Atom(name)} }, gen.ProcessOptions{})
	return one{s, gen.Atom(name)}, err
}

func (s system) second(ctx context.Context) (scene.Actor, error) {
	says, err := scene.StartSecond(ctx, secondRole)
	if err != nil {
		return nil, err
	}
	var port uint16
	var name string
	if _, err := fmt.Sscan(says, &port, &name); err != nil {
		return nil, err
	}
	route := gen.NetworkRoute{Route: gen.Route{Host: "localhost", Port: port}, Cookie: cookie}
	if err := s.node.Network().AddRoute(name, route, 1); err != nil {
		return nil, err
	}
	return one{s, gen.ProcessID{Name: secondRole, Node: gen.Atom(name)}}, nil
}

// drive runs something in the driver.
func (s system) drive(do func(gen.Process) error) error {
	done := make(chan error, 1)
	if err := s.node.Send(s.driver, func(self gen.Process) { done <- do(self) }); err != nil {
		return err
	}
	return <-done
}

type driver struct{ act.Actor }

func (d *driver) HandleMessage(_ gen.PID, message any) error {
	if do, ok := message.(func(gen.Process)); ok {
		do(d)
	}
	return nil
}

type supervisor struct {
	act.Supervisor
	child gen.Atom
}

// Init has the defaults: one for one, transient, up to five restarts in five seconds.
func (s *supervisor) Init(...any) (act.SupervisorSpec, error) {
	return act.SupervisorSpec{Children: []act.SupervisorChildSpec{{Name: s.child, Factory: newWorker}}}, nil
}

type worker struct {
	act.Actor
	state scene.Worker
}

func newWorker() gen.ProcessBehavior { return &worker{} }

// ask is answered with a report.
type ask struct{ Nothing bool }

func (w *worker) HandleMessage(_ gen.PID, message any) error {
	if m, ok := message.(scene.Message); ok {
		w.state.Handle(m)
	}
	return nil
}

func (w *worker) HandleCall(gen.PID, gen.Ref, any) (any, error) { return w.state.Report(), nil }

// one is an actor, seen from here.
type one struct {
	system
	name any // of the actor, and its node if that is another
}

func (o one) Tell(_ context.Context, m scene.Message) error {
	return o.drive(func(self gen.Process) error { return self.Send(o.name, m) })
}

func (o one) Ask(ctx context.Context) (r scene.Report, err error) {
	err = o.drive(func(self gen.Process) error {
		got, err := self.CallWithTimeout(o.name, ask{}, max(1, int(scene.Left(ctx).Seconds())))
		if err != nil {
			return err
		}
		var ok bool
		if r, ok = got.(scene.Report); !ok {
			return fmt.Errorf("the reply is %v", got)
		}
		return nil
	})
	return r, err
}

// Stop kills it, which is stronger than an exit signal.
func (o one) Stop(context.Context) error {
	pid, err := o.node.ProcessPID(o.name.(gen.Atom))
	if err != nil {
		return err
	}
	return o.node.Kill(pid)
}
