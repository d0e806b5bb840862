package scene

import (
	"net"
	"sync/atomic"
)

// A Message is what actors are told. The zero one is merely counted.
type Message struct {
	Do   string // the ID of a fault, mark or hold
	Gate string // where the handler waits before it does so; see gate
	Data []byte
}

// What there is to do beside the faults.
const (
	mark = "mark" // change the state
	hold = "hold" // wait at the gate, and no more
	note = "note" // tell the tally at Gate of every message that is counted
)

// A Report is the answer of an actor that is asked.
type Report struct {
	Marked bool
	Seen   int // how many messages it has counted
}

// A Worker is the state of every actor here, whatever the system. It bears concurrent calls, as one of the
// systems makes them.
type Worker struct {
	marked atomic.Bool
	seen   atomic.Int64
	tally  atomic.Pointer[net.TCPConn]
}

// Handle does what the message says.
func (w *Worker) Handle(m Message) {
	if m.Gate != "" && m.Do != note {
		pass(m.Gate)
	}
	switch m.Do {
	case "":
		w.seen.Add(1)
		if t := w.tally.Load(); t != nil {
			t.Write([]byte{1})
		}
	case note:
		if c, err := net.Dial("tcp", m.Gate); err == nil {
			w.tally.Store(c.(*net.TCPConn))
		}
	case mark:
		w.marked.Store(true)
	case hold:
	default:
		provoke(m.Do)
	}
}

// Report reports.
func (w *Worker) Report() Report { return Report{w.marked.Load(), int(w.seen.Load())} }
