package actor

import (
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/node"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A Down tells that an actor's process has ended, why, and what it did last.
// It is a message for actors that watch ([Context.Monitor]): handle it with
// OnTell. For the program it comes through a [Monitor].
type Down struct {
	Monitor     MonitorID // which monitor it answers
	Ref         Ref
	Type        string
	Name        string // "" if it had none
	Incarnation uint64 // which process of the actor, from 1
	Pid         int    // 0 if there was nothing to monitor
	Started     time.Time
	Uptime      time.Duration // from its start to its end
	UserTime    time.Duration // processor time in user mode
	SystemTime  time.Duration // processor time in the kernel
	MaxRSS      int64         // its largest resident memory, in bytes; on Linux not less than the program's at the start
	Reason      Reason

	InProgress *Note    // the message it died on; nil if it was on none
	Recent     []Note   // the last ones it had finished, oldest first
	NotBegun   int      // how many messages it had accepted and not begun
	Truncated  int      // bytes of a message that it did not finish writing
	Log        []string // the last lines it printed or logged
}

// A Note is what is remembered of one message.
type Note struct {
	Seq  uint64 // 1 for the first message of the process
	Type string
	From Ref // zero if it came from the program itself
}

// String names the actor and the reason.
func (d Down) String() string {
	who := d.Type
	switch {
	case d.Type == "":
		return fmt.Sprintf("%v: %v", d.Ref, d.Reason)
	case d.Name != "":
		who = fmt.Sprintf("%s %q", d.Type, d.Name)
	}
	return fmt.Sprintf("%s (pid %d) is down: %v", who, d.Pid, d.Reason)
}

// MarshalBinary makes a Down fit to travel in messages.
func (d Down) MarshalBinary() ([]byte, error) {
	w := wire.Down{
		Monitor:     uint64(d.Monitor),
		ID:          d.Ref.id,
		Type:        d.Type,
		Name:        d.Name,
		Incarnation: d.Incarnation,
		Pid:         d.Pid,
		Started:     d.Started,
		Uptime:      d.Uptime,
		UserTime:    d.UserTime,
		SystemTime:  d.SystemTime,
		MaxRSS:      d.MaxRSS,
		NotBegun:    d.NotBegun,
		Truncated:   d.Truncated,
		Log:         d.Log,
	}
	if d.Reason != nil {
		w.Reason = d.Reason.wire()
	}
	if d.InProgress != nil {
		w.InProgress = &wire.Note{Seq: d.InProgress.Seq, Type: d.InProgress.Type, From: d.InProgress.From.id}
	}
	for _, n := range d.Recent {
		w.Recent = append(w.Recent, wire.Note{Seq: n.Seq, Type: n.Type, From: n.From.id})
	}
	return codec.Append(nil, &w)
}

// UnmarshalBinary reads what MarshalBinary writes.
func (d *Down) UnmarshalBinary(b []byte) error {
	var w wire.Down
	if err := codec.Decode(b, &w); err != nil {
		return err
	}
	*d = newDown(&w)
	return nil
}

func newDown(w *wire.Down) Down {
	d := Down{
		Monitor:     MonitorID(w.Monitor),
		Ref:         Ref{w.ID},
		Type:        w.Type,
		Name:        w.Name,
		Incarnation: w.Incarnation,
		Pid:         w.Pid,
		Started:     w.Started,
		Uptime:      w.Uptime,
		UserTime:    w.UserTime,
		SystemTime:  w.SystemTime,
		MaxRSS:      w.MaxRSS,
		Reason:      newReason(w.Reason),
		NotBegun:    w.NotBegun,
		Truncated:   w.Truncated,
		Log:         w.Log,
	}
	if w.InProgress != nil {
		n := newNote(*w.InProgress)
		d.InProgress = &n
	}
	for _, n := range w.Recent {
		d.Recent = append(d.Recent, newNote(n))
	}
	return d
}

func newNote(n wire.Note) Note { return Note{Seq: n.Seq, Type: n.Type, From: Ref{n.From}} }

// A MonitorID names one monitor of one watcher.
type MonitorID uint64

// A Monitor is the program's watch over one actor.
type Monitor struct {
	// C gets exactly one Down, after everything the actor had written was
	// delivered; at once if the actor is no more. It has room for it, so nobody
	// has to be receiving. It is never closed.
	C <-chan Down

	cancel func() bool
}

// Monitor watches an actor's process. Every call makes a monitor of its own.
func (s *System) Monitor(r Ref) *Monitor {
	c := make(chan Down, 1)
	m := &Monitor{C: c}
	m.cancel = node.Monitor(r.id, func(w *wire.Down) { c <- newDown(w) })
	return m
}

// Stop ends the monitor. It reports whether that prevented the Down; if not,
// the Down is in C, or was received.
func (m *Monitor) Stop() bool { return m.cancel() }
