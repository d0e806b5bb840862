package actor

import (
	"fmt"
	"time"

	"github.com/progeny-go/progeny/actor/internal/node"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// A Down tells that an actor's process has ended, why, and what it did last.
// It is a message for actors that watch ([Context.Monitor], [Context.Watch]):
// handle it with OnTell. For the program it comes through a [Monitor]. A supervisor
// has no process: its Down has only the first fields and the Reason.
type Down struct {
	Monitor     MonitorID // which monitor it answers
	Ref         Ref
	Type        string // "supervisor" for one, and for a pool
	Name        string // "" if it had none
	Incarnation uint64 // which process of the actor, from 1
	Pid         int    // 0 if there was nothing to monitor
	Started     time.Time
	Uptime      time.Duration // from its start to its end
	UserTime    time.Duration // processor time in user mode
	SystemTime  time.Duration // processor time in the kernel
	MaxRSS      int64         // its largest resident memory, in bytes; on Linux not less than the program's at the start
	Reason      Reason
	Restarting  bool // there will be another process of it, as things stand
	Via         Ref  // by whose end it died, if by a link; zero if not

	InProgress *Note    // the message it died on; nil if it was on none
	Recent     []Note   // the last ones it had finished, oldest first
	NotBegun   int      // how many messages it had accepted and not begun; the next process gets them
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
	if d.Type == "" {
		return fmt.Sprintf("%v: %v", d.Ref, d.Reason)
	}
	text := who(d.Ref, d.Type, d.Name)
	if d.Pid != 0 {
		text += fmt.Sprintf(" (pid %d)", d.Pid)
	}
	if text += " is down"; d.Restarting {
		text += ", to be restarted"
	}
	if !d.Via.IsZero() {
		text += fmt.Sprintf(", by its link to %v", d.Via)
	}
	return fmt.Sprintf("%s: %v", text, d.Reason)
}

// who is how people are told of an actor or supervisor.
func who(r Ref, actorType, name string) string {
	switch {
	case actorType == "":
		return r.String()
	case name == "":
		return actorType
	}
	return fmt.Sprintf("%s %q", actorType, name)
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
		Restarting:  d.Restarting,
		Via:         d.Via.id,
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
		Restarting:  w.Restarting,
		Via:         Ref{w.Via},
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

// A Monitor is the program's watch over one actor or supervisor, made by
// [System.Monitor] or [System.Watch].
type Monitor struct {
	// C gets exactly one Down, after everything the actor had written was
	// delivered; at once, with [NoSuchActor], if the actor is no more. It has room
	// for it, so nobody has to be receiving. It is never closed.
	C <-chan Down

	cancel func() bool
}

// Monitor waits for the next end of a process of the actor (OTP: monitor/2).
// Down.Restarting says whether there will be another one; for its end it takes
// another Monitor. Every call makes a monitor of its own. While the actor is
// between two processes it waits for the end of the next.
func (s *System) Monitor(r Ref) *Monitor { return newMonitor(r, node.Monitor) }

// Watch waits for the actor's end for good, after which it is not restarted
// (Akka: DeathWatch). Otherwise it is like Monitor.
func (s *System) Watch(r Ref) *Monitor { return newMonitor(r, node.Watch) }

func newMonitor(r Ref, watch func(codec.ID, func(*wire.Down)) (cancel func() bool)) *Monitor {
	c := make(chan Down, 1)
	return &Monitor{C: c, cancel: watch(r.id, func(w *wire.Down) { c <- newDown(w) })}
}

// Stop ends the monitor. It reports whether that prevented the Down; if not,
// the Down is in C, or was received.
func (m *Monitor) Stop() bool { return m.cancel() }
