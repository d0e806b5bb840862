package node

import (
	"errors"
	"syscall"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/mailbox"
)

// flight writes down what is known of a process after its end. Its mailbox is detached.
func (p *process) flight() *wire.Down {
	c := p.cell
	c.mu.Lock()
	suspect := c.suspect
	c.mu.Unlock()
	notBegun, _ := c.mailbox.Depth()
	d := &wire.Down{
		ID:          c.id,
		Type:        c.spec.Type,
		Name:        c.spec.Name,
		Incarnation: p.inc,
		Pid:         p.os.Pid,
		Started:     p.os.Started,
		Uptime:      p.exit.Time.Sub(p.os.Started),
		UserTime:    p.exit.User,
		SystemTime:  p.exit.System,
		MaxRSS:      p.exit.MaxRSS,
		Reason:      p.reason(),
		NotBegun:    notBegun,
		Log:         p.logs.tail(),
	}
	p.mu.Lock()
	if d.Reason.Cause == p.verdict.Cause {
		d.Via = p.via
	}
	p.mu.Unlock()
	if p.link != nil {
		d.Truncated = truncated(p.link.err)
	}
	for _, n := range p.page.Notes() {
		note := readNote(n)
		if suspect != nil && note.Seq == suspect.Seq {
			d.InProgress = &note
			continue
		}
		d.Recent = append(d.Recent, note)
	}
	return d
}

// reason weighs what the process said, what the node decided and what the
// kernel reports. A clean goodbye is believed only with exit status 0.
func (p *process) reason() wire.Reason {
	p.mu.Lock()
	verdict := p.verdict
	p.mu.Unlock()
	switch verdict.Cause {
	case wire.Protocol, wire.InitFailed:
		return verdict
	}
	e := p.exit
	if g := p.goodbye.Load(); g != nil && (e.Code == 0 || !e.Known) && e.Signal == 0 {
		if g.Reason.Cause == wire.Ignored {
			return wire.Reason{Cause: wire.Normal, Detail: "its start function chose not to run"}
		}
		if g.Reason.Cause == wire.Recycled && p.ordered.Load() {
			return wire.Reason{Cause: wire.Shutdown} // it was told to stop besides
		}
		return g.Reason
	}
	crashed, isCrash := wire.Reason{}, false
	if e.Known && e.Code == crashStatus {
		crashed, isCrash = crash(p.os.CrashText(), p.logs.header())
	}
	switch {
	case verdict.Cause == wire.Hung && (!isCrash || crashed.Signal == int(syscall.SIGQUIT)):
		if text := p.os.CrashText(); len(text) > 0 { // else those of the one whose end it shares, if so
			verdict.Stack = string(text)
		}
		return verdict
	case isCrash:
		return crashed
	case p.overran != nil && (verdict.Cause == "" || verdict.Cause == wire.BootFailed):
		return *p.overran
	case verdict.Cause == wire.BootFailed && e.Known && (e.Signal != syscall.SIGKILL || p.alone):
		verdict.Detail += " (" + e.String() + ")" // it ended by itself
		return verdict
	case verdict.Cause != "":
		return verdict
	case !e.Known:
		return wire.Reason{Cause: wire.ExitCode, Code: -1, Detail: "its status was taken by another wait"}
	case e.Signal != 0:
		return wire.Reason{Cause: wire.Signal, Signal: int(e.Signal), Core: e.Core, Detail: e.Signal.String()}
	}
	return wire.Reason{Cause: wire.ExitCode, Code: e.Code}
}

// truncated is how much of a frame came before the end.
func truncated(err error) int {
	if t, ok := errors.AsType[*mailbox.TruncatedError](err); ok {
		return t.Bytes
	}
	return 0
}

func readNote(n mailbox.Note) wire.Note {
	note := wire.Note{Seq: n.Seq}
	if len(n.Text) >= len(note.From) {
		copy(note.From[:], n.Text)
		note.Type = string(n.Text[len(note.From):])
	}
	return note
}
