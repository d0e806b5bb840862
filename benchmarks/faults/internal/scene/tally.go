package scene

import (
	"net"
	"time"
)

// A tally is told of every message that arrives in another process, past the system: one that loses messages may lose
// a question for their number as well.
type tally struct{ listener *net.TCPListener }

func newTally() (*tally, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return &tally{l}, err
}

func (t *tally) address() string { return t.listener.Addr().String() }

// count returns how many messages have arrived: when n have, or no more come for long.
func (t *tally) count(n int) int {
	t.listener.SetDeadline(time.Now().Add(patience))
	c, err := t.listener.Accept()
	if err != nil {
		return 0
	}
	defer c.Close()
	got, buf := 0, make([]byte, 1024)
	for got < n {
		c.SetReadDeadline(time.Now().Add(patience / 2))
		more, err := c.Read(buf)
		got += more
		if err != nil {
			break
		}
	}
	return got
}
