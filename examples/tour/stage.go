package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// patience is how long something expected may take. It is for slow machines.
const patience = 30 * time.Second

// A stage is where scenes are played: a System with the tree, and its events.
type stage struct {
	sys    *actor.System
	events *actor.Subscription[actor.Event]
	inbox  *actor.Inbox // of the witness
	out    io.Writer
	began  time.Time             // the scene
	names  map[actor.Ref]string  // as they were last seen
	drawn  map[actor.Ref]picture // the last drawing
}

// A scene does something to the tree, and expects what comes of it.
type scene struct {
	name  string
	about string
	play  func(context.Context, *stage) error
}

// open starts the tree.
func open(ctx context.Context, sys *actor.System, out io.Writer) (*stage, error) {
	inbox, err := sys.NewInbox(Hanging{})
	if err != nil {
		return nil, err
	}
	if _, err := sys.Spawn(ctx, tree()); err != nil {
		inbox.Close()
		return nil, err
	}
	return &stage{
		sys: sys, events: sys.Events(), inbox: inbox, out: out,
		names: make(map[actor.Ref]string), drawn: make(map[actor.Ref]picture),
	}, nil
}

func (s *stage) close() {
	s.events.Stop()
	s.inbox.Close()
}

// play plays scenes, and draws the tree before and after.
func (s *stage) play(ctx context.Context, plan []scene) error {
	fmt.Fprint(s.out, "The tree:\n\n")
	if err := s.draw(ctx, true); err != nil {
		return err
	}
	for _, sc := range plan {
		fmt.Fprintf(s.out, "\n── %s %s\n%s\n\n", sc.name, strings.Repeat("─", 70-len(sc.name)), sc.about)
		ctx, cancel := context.WithTimeout(ctx, patience)
		s.began = time.Now()
		err := sc.play(ctx, s)
		if err == nil {
			fmt.Fprintln(s.out)
			err = s.draw(ctx, false)
		}
		cancel()
		if err != nil {
			return fmt.Errorf("scene %q: %w", sc.name, err)
		}
	}
	fmt.Fprint(s.out, "\nThe tree afterwards:\n\n")
	if err := s.draw(ctx, true); err != nil {
		return err
	}
	if n := s.events.Dropped(); n > 0 {
		return fmt.Errorf("%d events were dropped", n)
	}
	return nil
}

// expect shows the events that come until each of these has. Their order is not
// looked at: in many scenes several things happen at a time. One that ends in …
// is a beginning.
func (s *stage) expect(ctx context.Context, want ...string) error {
	for len(want) > 0 {
		select {
		case e := <-s.events.C:
			got := s.show(ctx, e)
			if i := slices.IndexFunc(want, func(w string) bool { return matches(w, got) }); i >= 0 {
				want = slices.Delete(slices.Clone(want), i, i+1)
			}
		case <-ctx.Done():
			return fmt.Errorf("%w; expected, and did not happen: %s", context.Cause(ctx), strings.Join(want, "; "))
		}
	}
	return nil
}

func matches(want, got string) bool {
	if start, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(got, start)
	}
	return want == got
}

// show prints an event, and returns what of it can be expected, like
//
//	exited ann: panic: on purpose
func (s *stage) show(ctx context.Context, e actor.Event) string {
	who := s.label(ctx, e)
	var kind, process, detail string
	switch e.Kind {
	case actor.EventStarted:
		kind = "started"
	case actor.EventReady:
		kind = "ready"
	case actor.EventExited:
		kind, detail = "exited", e.Reason.Error()
	case actor.EventRestarting:
		kind = "restarting"
		if e.In > 0 {
			detail = "in " + e.In.String()
		}
	case actor.EventGaveUp:
		kind, detail = "gave up", e.Reason.Error()
	case actor.EventDeadLetter:
		kind, detail = "dead letter", letter(e.Letter)
	default:
		kind = e.Kind.String()
	}
	if e.Pid != 0 {
		process = fmt.Sprintf("#%d pid %d", e.Incarnation, e.Pid)
	}
	line := fmt.Sprintf("%8.1f ms  %-11s  %-8s  %-14s  %s",
		float64(e.Time.Sub(s.began))/float64(time.Millisecond), kind, who, process, detail)
	fmt.Fprintln(s.out, strings.TrimRight(line, " "))
	if detail == "" {
		return kind + " " + who
	}
	return kind + " " + who + ": " + detail
}

// letter returns the type of the message, without its package, and whether it was
// begun.
func letter(l *actor.DeadLetter) string {
	text := l.Message.Type[strings.LastIndex(l.Message.Type, ".")+1:]
	switch {
	case l.Suspect && l.Attempts > 1:
		text += fmt.Sprintf(", which ended %d processes", l.Attempts)
	case l.Suspect:
		text += ", which was in progress"
	}
	return text
}

// note prints something that is no event.
func (s *stage) note(format string, args ...any) {
	fmt.Fprintf(s.out, "             "+format+"\n", args...)
}

// label returns what an actor or supervisor is called: its name, or its place.
func (s *stage) label(ctx context.Context, e actor.Event) string {
	if e.Name != "" {
		s.names[e.Ref] = e.Name
	}
	if s.names[e.Ref] == "" {
		s.tree(ctx) // learns the names
	}
	if name := s.names[e.Ref]; name != "" {
		return name
	}
	return e.Type
}

// ref returns the address of one that is registered under a name; if there is
// none, that of nobody, and whoever uses it is told so.
func (s *stage) ref(name string) actor.Ref {
	ref, _ := s.sys.Lookup(name)
	return ref
}

// die has an actor die of a message. If it does not die of it at once, the
// message is answered, and that is fine.
func (s *stage) die(ctx context.Context, name, how string) error {
	_, err := actor.Ask[actor.None](ctx, s.ref(name), Die{How: how})
	if _, died := errors.AsType[*actor.DownError](err); died {
		return nil
	}
	return err
}

// hang lets an actor hang in its handler, and returns when it does.
func (s *stage) hang(ctx context.Context, name, how string) error {
	if err := s.ref(name).Tell(ctx, Die{How: how, Witness: s.inbox.Ref()}); err != nil {
		return err
	}
	_, err := s.inbox.Receive(ctx)
	return err
}

// signal sends a signal to an actor's process, as a stranger would.
func (s *stage) signal(ctx context.Context, name string, sig os.Signal) error {
	info, err := s.find(ctx, name)
	if err != nil {
		return err
	}
	p, err := os.FindProcess(info.Pid)
	if err != nil {
		return err
	}
	defer p.Release()
	return p.Signal(sig)
}
