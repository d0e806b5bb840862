package scene

import (
	"fmt"
	"io"
	"net"
	"time"
)

// A gate holds up handlers, in this process or another, until it is opened: so what is sent meanwhile is surely
// behind the message that they handle.
type gate struct {
	listener *net.TCPListener
	waiting  []net.Conn
}

func newGate() (*gate, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return &gate{listener: l}, err
}

func (g *gate) address() string { return g.listener.Addr().String() }

// await returns when n more handlers stand at the gate.
func (g *gate) await(n int) error {
	if err := g.listener.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for range n {
		c, err := g.listener.Accept()
		if err != nil {
			return fmt.Errorf("the handler does not begin: %w", err)
		}
		g.waiting = append(g.waiting, c)
	}
	return nil
}

// open lets them all pass, and those that come later.
func (g *gate) open() {
	g.listener.Close()
	for _, c := range g.waiting {
		c.Close()
	}
}

// pass is the handler's side: it waits until the gate is open.
func pass(address string) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	io.Copy(io.Discard, c)
}
