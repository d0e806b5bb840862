package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/progeny-go/progeny/actor"
)

// A Mortal is an actor that dies as it is told.
type Mortal struct{}

// Life is the argument of a Mortal.
type Life struct {
	Stillborn []uint64 // the incarnations whose start fails
	Children  []string // the names of actors that it starts itself
}

// Die tells a Mortal how. If it is not to die but to hang, it first tells Witness.
type Die struct {
	How     string
	Witness actor.Ref
}

// Hanging is what a witness is told.
type Hanging struct{}

// Link links a Mortal to another.
type Link struct{ To actor.Ref }

// Who asks for the number of the process.
type Who struct{}

var (
	mortal actor.Type[Life]
	// guest is a Mortal that leaves for good if its licence has expired.
	guest actor.Type[Life]
)

// A Mortal starts Mortals; for Go that is a cycle, unless the type is defined in
// an init function.
func init() {
	handlers := []actor.Handler[Mortal]{
		actor.OnTell((*Mortal).Die), actor.OnTell((*Mortal).Link), actor.On((*Mortal).Who),
	}
	mortal = actor.Define("mortal", born, handlers...)
	guest = actor.Define("guest", born, handlers...).Fatal(actor.ExitCode{Code: exitLicence})
}

const exitLicence = 64

func born(c *actor.Context, life Life) (*Mortal, error) {
	if slices.Contains(life.Stillborn, c.Incarnation()) {
		return nil, errors.New("the database is down")
	}
	for _, name := range life.Children {
		if _, err := c.Spawn(c, mortal.With(Life{}).Named(name)); err != nil {
			return nil, err
		}
	}
	return new(Mortal), nil
}

// Die does it. Not all ways are at once.
func (*Mortal) Die(c *actor.Context, m Die) error {
	switch m.How {
	case "panic":
		panic("on purpose")
	case "goroutine":
		go panic("in a goroutine")
		select {}
	case "nilmap":
		visit(nil)
	case "overflow":
		debug.SetMaxStack(1 << 20) // to be there sooner
		return fmt.Errorf("%d", down(1))
	case "exit":
		os.Exit(3)
	case "exit0":
		os.Exit(0)
	case "licence":
		os.Exit(exitLicence)
	case "goexit":
		runtime.Goexit()
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		fallthrough
	case "hang":
		if err := m.Witness.Tell(c, Hanging{}); err != nil {
			return err
		}
		select {}
	case "stop":
		c.Stop()
	case "shutdown":
		c.Exit(actor.Shutdown{Detail: "closing time"})
	case "error":
		c.Exit(errors.New("disk full"))
	}
	return nil
}

func visit(visits map[string]int) { visits["here"]++ }

//go:noinline
func down(n int) int {
	if n == 0 { // it never is
		return 0
	}
	return down(n+1) + n
}

func (*Mortal) Link(c *actor.Context, m Link) error { return c.Link(c, m.To) }

func (*Mortal) Who(c *actor.Context, _ Who) (uint64, error) { return c.Incarnation(), nil }
