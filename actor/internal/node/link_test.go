//go:build unix

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/mailbox"
	"github.com/progeny-go/progeny/spawn"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// Who is there, under addresses that scripts can name.
var (
	selfID   = codec.ID{1} // the process under test
	peerID   = codec.ID{2} // an actor that handles nothing: its mailbox is full
	rejectID = codec.ID{3} // the same, and refuses when full
	inboxID  = codec.ID{4} // an Inbox that nobody reads
	nobodyID = codec.ID{5}
)

// stageLimit is the frame limit.
const stageLimit = 8 << 10

// everything is a Protocol.
type everything struct{}

func (everything) Handles([]byte) bool     { return true }
func (everything) Fatal(*wire.Reason) bool { return false }

// A stage is a node whose actors are there but for their processes: a test
// writes what one of them would.
type stage struct {
	node  *Node
	self  *Cell
	cells []*Cell
	files []*os.File
	calls map[uint64]*call // Asks of the program to self
	in    *os.File         // the other end of self's mailbox
	out   *os.File         // and of its link
}

// newEmptyStage has those that have no part of their own: one that refuses, and an Inbox.
func newEmptyStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{calls: make(map[uint64]*call)}
	s.node = New(Config{
		Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
		FrameLimit: stageLimit,
		CloseLimit: time.Minute,
		Protocol:   func(string) (Protocol, bool) { return nil, false },
	})
	s.cell(t, rejectID, wire.Spec{Messages: 1, Bytes: 1, Reject: true})
	inbox, err := s.node.NewInbox(mailbox.Capacity{Messages: 2, Bytes: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	routes.Delete(inbox.id)
	inbox.id = inboxID
	routes.Store(inboxID, inbox)
	return s
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := newEmptyStage(t)
	s.self = s.cell(t, selfID, wire.Spec{Messages: 16, Bytes: 1 << 20})
	peer := s.cell(t, peerID, wire.Spec{Messages: 1, Bytes: 1})

	// What self was sent, and not more: two messages, and Asks of the program
	// and of the peer.
	for range 2 {
		frame, err := codec.AppendFrame(nil, &codec.Envelope{Kind: wire.KindTell, To: selfID, Type: []byte("T"), Payload: []byte{0xc0}}, stageLimit)
		if err == nil {
			err = s.self.mailbox.Force(frame)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for corr := uint64(1); corr <= 2; corr++ {
		s.calls[corr] = newCall()
		s.self.await(corr, pending{call: s.calls[corr]})
	}
	peer.proc.link.expect(9, route{cell: s.self, corr: 3})
	s.self.await(3, pending{link: peer.proc.link, corr: 9})
	return s
}

// cell makes an actor without a process.
func (s *stage) cell(t testing.TB, id codec.ID, spec wire.Spec) *Cell {
	t.Helper()
	return s.build(t, id, spec, nil)
}

// build makes an actor whose process is given its files by connect, which may be nil: then it has no rings.
func (s *stage) build(t testing.TB, id codec.ID, spec wire.Spec, connect func(p *process, page, inbox, outbox *os.File) error) *Cell {
	t.Helper()
	spec.Type = "fake"
	v := s.node.tree
	po := &post{actor: &spec, proto: everything{}, address: id, shutdown: time.Hour}
	child := &tree.Child{Name: "fake", Data: po, Restart: tree.Temporary, Shutdown: time.Hour}
	var place tree.ID
	v.mu.Lock() // another actor's link may be at it
	defer v.mu.Unlock()
	for _, f := range v.tree.Step(0, tree.StartChild{Child: child}) {
		switch f := f.(type) {
		case tree.Added:
			place = f.ID
			v.added(f)
		case tree.Boot: // there is nothing to boot
		}
	}
	m := v.members[place]
	c := newCell(m)
	m.cell = c
	v.cells++
	page, file, err := mailbox.NewPage()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	inbox, inboxEnd := s.pipe(t)
	outboxEnd, outbox := s.pipe(t)
	s.files = append(s.files, inbox, outbox) // the other two have owners
	p := &process{
		node:     s.node,
		cell:     c,
		inc:      1,
		os:       &spawn.Process{Pid: 1},
		page:     page,
		attached: make(chan struct{}),
		ready:    make(chan struct{}),
		exited:   make(chan struct{}),
		buried:   make(chan struct{}),
		doomed:   make(chan struct{}),
		reaped:   true, // there is nothing to kill
	}
	p.logs = &capture{proc: p}
	p.link = newLink(c, p, mailbox.NewReader(outboxEnd, stageLimit))
	p.link.attachment = 1
	c.proc = p
	c.link.Store(p.link)
	var ring *mailbox.Ring
	if connect != nil {
		if err := connect(p, file, inbox, outbox); err != nil {
			t.Fatal(err)
		}
		ring = page.Inbox()
	}
	if _, err := c.mailbox.Attach(inboxEnd, nil, nil, ring); err != nil {
		t.Fatal(err)
	}
	close(p.attached)
	routes.Store(id, c)
	s.cells = append(s.cells, c)
	if id == selfID {
		s.in, s.out = inbox, outbox
	}
	return c
}

func (s *stage) pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// play has the process write script and end, and returns why its link did.
func (s *stage) play(script []byte) error {
	l := s.self.proc.link
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.out.Write(script)
		s.out.Close()
	}()
	var err error
	for err == nil {
		var f mailbox.Frame
		if f, err = l.in.Next(); err == nil {
			err = l.handle(f.Bytes)
		}
		if err == nil {
			err = l.between() // as after each read
		}
	}
	l.err = err
	l.in.Close() // whoever writes still, gets EPIPE
	<-written
	if !ended(err) {
		l.proc.linkEnded(err)
	}
	return err
}

// ended reports whether a link just came to its end.
func ended(err error) bool {
	_, truncated := errors.AsType[*mailbox.TruncatedError](err)
	return truncated || err == io.EOF
}

// strike ends the actors and takes the stage down.
func (s *stage) strike() {
	for _, c := range s.cells {
		p := c.proc
		leaves(p)
		c.bereave(p.page.Progress())
		p.down = p.flight()
		p.link.close()
		p.link.in.Close()
		p.page.Close()
		close(p.buried)
		p.report()
		<-c.ended
	}
	s.node.closeInboxes()
	s.node.tasks.Wait()
	s.node.logs.close()
	for _, f := range s.files {
		f.Close()
	}
}

// leaves has the process of p end, once.
func leaves(p *process) {
	select {
	case <-p.exited:
	default:
		close(p.exited)
	}
	p.cell.link.Store(nil)
}

// frame makes one that a process sends.
func frame(env codec.Envelope, body any) []byte {
	b, err := codec.AppendMessage(nil, &env, body, 1<<30)
	if err != nil {
		panic(err)
	}
	return b
}

// longer returns the frame with so many more elements in its envelope.
func longer(f []byte, extra ...byte) []byte {
	content := append(bytes.Clone(f[5:]), extra...)
	content[0] += byte(len(extra))
	return append([]byte{0xc6, 0, 0, byte(len(content) >> 8), byte(len(content))}, content...)
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// messages makes n Tells.
func messages(to codec.ID, n, size int) []byte {
	var out []byte
	for range n {
		out = append(out, frame(codec.Envelope{Kind: wire.KindTell, To: to, Type: []byte("T")}, make([]byte, size))...)
	}
	return out
}

func service(name string, corr uint64, body any) []byte {
	return frame(codec.Envelope{Kind: wire.KindAsk, Corr: corr, Type: []byte(name)}, body)
}

// scripts are what processes may write. breach is a part of what the node says
// of it; "" means that it is fine.
var scripts = []struct {
	name   string
	script []byte
	breach string
}{
	{"nothing", nil, ""},
	{"every kind", join(
		frame(codec.Envelope{Kind: wire.KindReady}, nil),
		frame(codec.Envelope{Kind: wire.KindTell, To: inboxID, Type: []byte("T")}, "x"),
		frame(codec.Envelope{Kind: wire.KindTell, To: inboxID, Corr: 1, Type: []byte("T")}, "x"),
		frame(codec.Envelope{Kind: wire.KindAsk, To: inboxID, Corr: 2, Type: []byte("T")}, "x"),
		frame(codec.Envelope{Kind: wire.KindAsk, To: peerID, Corr: 3, Deadline: 1 << 60, Type: []byte("T")}, "x"),
		frame(codec.Envelope{Kind: wire.KindCancel, Corr: 3}, nil),
		frame(codec.Envelope{Kind: wire.KindReply, Corr: 1, Type: []byte("string")}, "x"),
		frame(codec.Envelope{Kind: wire.KindFail, Corr: 2}, &wire.Failure{Code: wire.Dead, Text: "x"}),
		frame(codec.Envelope{Kind: wire.KindFail, Type: []byte("T")}, &wire.Failure{Text: "x"}),
		frame(codec.Envelope{Kind: wire.KindAck}, uint64(1)),
		frame(codec.Envelope{Kind: wire.KindLog}, &wire.Record{Message: "x", Attrs: []wire.Attr{{Key: "k", Value: 1}, {Key: "g", Group: []wire.Attr{{Key: "k"}}}}}),
		frame(codec.Envelope{Kind: wire.KindGoodbye}, wire.Goodbye{Reason: wire.Reason{Cause: wire.Shutdown}})), ""},
	{"kinds that are the node's", join(
		frame(codec.Envelope{Kind: wire.KindInit}, nil), frame(codec.Envelope{Kind: wire.KindStop}, nil),
		frame(codec.Envelope{Kind: wire.KindCredit, To: peerID}, wire.Credit{Messages: -1 << 40, Gone: true})), ""},
	{"grease", join(frame(codec.Envelope{Kind: 0}, nil), frame(codec.Envelope{Kind: 200, To: nobodyID, Corr: 9}, "x"),
		longer(messages(inboxID, 1, 1), 0xc0, 0xc3)), ""},
	{"services", join(
		service(wire.ServiceSpawn, 1, wire.Child{Actor: &wire.Spec{Type: "none", Messages: -1, Bytes: math.MinInt, BootTimeout: -1, Procs: -1}}),
		service(wire.ServiceLookup, 2, "x"), service(wire.ServiceLookup, 3, ""),
		service(wire.ServiceMonitor, 4, wire.MonitorRequest{ID: 1, Target: peerID}),
		service(wire.ServiceMonitor, 5, wire.MonitorRequest{ID: 2, Target: nobodyID}),
		service(wire.ServiceMonitor, 6, wire.MonitorRequest{ID: 3, Target: selfID}),
		service(wire.ServiceDemonitor, 7, wire.MonitorRequest{ID: 1}), service(wire.ServiceDemonitor, 8, wire.MonitorRequest{ID: 99}),
		service(wire.ServiceStop, 9, nobodyID), service(wire.ServiceStop, 10, inboxID), service(wire.ServiceStop, 11, selfID),
		service(wire.ServiceKill, 12, peerID), service("node.format", 13, nil)), ""},
	{"signals and timers", join(
		service(wire.ServiceLink, 1, peerID), service(wire.ServiceLink, 2, peerID), service(wire.ServiceLink, 3, selfID),
		service(wire.ServiceLink, 4, inboxID), service(wire.ServiceLink, 5, nobodyID), service(wire.ServiceUnlink, 6, peerID), service(wire.ServiceUnlink, 7, nobodyID),
		service(wire.ServiceExit, 8, wire.ExitRequest{Target: peerID, Reason: wire.Reason{Cause: wire.Failed, Init: &wire.Failure{}, Because: &wire.Reason{}}}),
		service(wire.ServiceExit, 9, wire.ExitRequest{Target: inboxID, Reason: wire.Reason{Cause: wire.Normal}}),
		service(wire.ServiceExit, 10, wire.ExitRequest{Target: peerID, Reason: wire.Reason{Cause: "none"}}),
		service(wire.ServiceTimer, 11, wire.TimerRequest{ID: 1, To: peerID, After: math.MaxInt64, Key: "k", Durable: true, Type: "T"}),
		service(wire.ServiceTimer, 12, wire.TimerRequest{ID: 2, To: nobodyID, After: -1, Every: -1}),
		service(wire.ServiceTimer, 13, wire.TimerRequest{ID: 1, Cancel: true}), service(wire.ServiceTimer, 14, wire.TimerRequest{Cancel: true})), ""},
	{"management", join(
		service(wire.ServiceSpawn, 1, wire.Child{}), service(wire.ServiceSpawn, 2, wire.Child{Actor: &wire.Spec{}, Supervisor: &wire.Supervisor{}}),
		service(wire.ServiceSpawn, 3, wire.Child{Supervisor: &wire.Supervisor{Name: "s", Strategy: 99, Route: 99, Children: make([]wire.Child, 3)}}),
		service(wire.ServiceStartChild, 5, wire.ChildRequest{Under: selfID}), service(wire.ServiceStartChild, 6, wire.ChildRequest{Under: nobodyID, Child: &wire.Child{}}),
		service(wire.ServiceTerminateChild, 7, wire.ChildRequest{Under: peerID, ID: selfID}), service(wire.ServiceRestartChild, 8, wire.ChildRequest{Under: selfID, ID: peerID}),
		service(wire.ServiceDeleteChild, 9, wire.ChildRequest{}), service(wire.ServiceChildren, 10, selfID), service(wire.ServiceChildren, 11, inboxID)), ""},
	{"a goodbye for a reason of others", frame(codec.Envelope{Kind: wire.KindGoodbye}, wire.Goodbye{Reason: wire.Reason{Cause: wire.Killed}}), "a goodbye because of"},
	{"a choice after Ready", join(frame(codec.Envelope{Kind: wire.KindReady}, nil),
		frame(codec.Envelope{Kind: wire.KindGoodbye}, wire.Goodbye{Reason: wire.Reason{Cause: wire.Ignored}})), "chooses not to run"},
	{"a reply to what was not sent", frame(codec.Envelope{Kind: wire.KindReply, Corr: 1, Deadline: 99}, nil), "finished"},
	{"a monitor without a number", service(wire.ServiceMonitor, 4, wire.MonitorRequest{Target: peerID}), "without a number"},
	{"messages to nobody", messages(nobodyID, 3, 1), ""},
	{"messages to itself", messages(selfID, 3, 1), ""},
	{"a full window", messages(peerID, wire.WindowMessages, 1), ""},
	{"more than the window", messages(peerID, wire.WindowMessages+1, 1), "on the way to one actor"},
	{"more than the window to an inbox", messages(inboxID, wire.WindowMessages+3, 1), "on the way to one actor"},
	{"more bytes than the window", messages(peerID, wire.WindowBytes/8000+2, 8000), "on the way to one actor"},
	{"what is refused is no debt", messages(rejectID, 3*wire.WindowMessages, 1), ""},
	{"what has nobody to go to is no debt", messages(nobodyID, 3*wire.WindowMessages, 1), ""},
	{"answers that nobody waits for", join(
		frame(codec.Envelope{Kind: wire.KindReply, Corr: 77}, nil), frame(codec.Envelope{Kind: wire.KindReply}, nil),
		frame(codec.Envelope{Kind: wire.KindReply, Corr: 1}, nil), frame(codec.Envelope{Kind: wire.KindReply, Corr: 1}, nil),
		frame(codec.Envelope{Kind: wire.KindFail, Corr: 1 << 60}, &wire.Failure{}), frame(codec.Envelope{Kind: wire.KindCancel, Corr: 5}, nil)), ""},
	{"frames after a goodbye", join(frame(codec.Envelope{Kind: wire.KindGoodbye}, wire.Goodbye{Reason: wire.Reason{Cause: wire.Normal}}), messages(inboxID, 1, 1),
		frame(codec.Envelope{Kind: wire.KindGoodbye}, "x")), ""},

	{"Ready twice", join(frame(codec.Envelope{Kind: wire.KindReady}, nil), frame(codec.Envelope{Kind: wire.KindReady}, nil)), "Ready twice"},
	{"a correlation twice", join(frame(codec.Envelope{Kind: wire.KindAsk, To: inboxID, Corr: 1}, nil),
		frame(codec.Envelope{Kind: wire.KindAsk, To: inboxID, Corr: 1}, nil)), "correlation 1 twice"},
	{"an Ask without a correlation", frame(codec.Envelope{Kind: wire.KindAsk, To: inboxID}, nil), "without a correlation"},
	{"a Tell to the node", frame(codec.Envelope{Kind: wire.KindTell}, nil), "Tell to the node"},
	{"an Ack of what was not sent", frame(codec.Envelope{Kind: wire.KindAck}, uint64(3)), "finished"},
	{"an Ack of very much", frame(codec.Envelope{Kind: wire.KindAck}, uint64(math.MaxUint64)), "finished"},
	{"Acks that go back", join(frame(codec.Envelope{Kind: wire.KindAck}, uint64(2)), frame(codec.Envelope{Kind: wire.KindAck}, uint64(0))), ""},
	{"an Ack that is text", frame(codec.Envelope{Kind: wire.KindAck}, "x"), "malformed payload"},
	{"a monitor twice", join(service(wire.ServiceMonitor, 4, wire.MonitorRequest{ID: 1, Target: peerID}),
		service(wire.ServiceMonitor, 5, wire.MonitorRequest{ID: 1, Target: peerID})), "monitor 1 twice"},
	{"a service with another body", service(wire.ServiceMonitor, 4, "x"), "malformed payload"},
	{"a record that is text", frame(codec.Envelope{Kind: wire.KindLog}, "x"), "malformed payload"},
	{"a failure that is text", frame(codec.Envelope{Kind: wire.KindFail, Corr: 1}, "x"), "malformed payload"},
	{"a goodbye that is text", frame(codec.Envelope{Kind: wire.KindGoodbye}, "x"), "malformed payload"},
	{"a payload that ends early", longerPayload(), "malformed payload"},

	{"text", []byte("hello world\n"), "no bin"},
	{"an empty frame", []byte{0xc4, 0}, "envelope"},
	{"a short envelope", []byte{0xc4, 2, 0x91, 3}, "envelope"},
	{"a frame at the limit", frame(codec.Envelope{Kind: 99}, make([]byte, stageLimit-32)), ""},
	{"a frame over the limit", frame(codec.Envelope{Kind: 99}, make([]byte, stageLimit)), "over the limit"},
	{"a length that lies", []byte{0xc6, 0xff, 0xff, 0xff, 0xff, 0}, "over the limit"},
	{"half a header", []byte{0xc6, 0}, ""},
	{"half a frame", messages(inboxID, 1, 100)[:60], ""},
}

// longerPayload is an Ack whose payload claims more than is there.
func longerPayload() []byte {
	f, err := codec.AppendFrame(nil, &codec.Envelope{Kind: wire.KindAck, Payload: []byte{0xcf, 1, 2}}, 0)
	if err != nil {
		panic(err)
	}
	return f
}

// The node bears what a process may write, and calls a breach what it may not.
func TestScripts(t *testing.T) {
	for _, test := range scripts {
		t.Run(test.name, func(t *testing.T) {
			spawntest.Check(t)
			s := newStage(t)
			err := s.play(test.script)
			verdict := s.self.proc.verdict
			s.strike()
			if test.breach == "" {
				if !ended(err) {
					t.Errorf("got %v, want the end", err)
				}
				return
			}
			if verdict.Cause != wire.Protocol {
				t.Errorf("got the reason %q for %v, want Protocol", verdict.Cause, err)
			}
			if !strings.Contains(fmt.Sprint(err), test.breach) {
				t.Errorf("got %v, want it to say %q", err, test.breach)
			}
		})
	}
}

// Each Ask is answered once, however often the process answers, and by the
// process's own word only.
func TestForgedAnswers(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	down := &wire.Down{ID: peerID, Reason: wire.Reason{Cause: wire.Panic}}
	s.play(join(
		frame(codec.Envelope{Kind: wire.KindReply, Corr: 1, Type: []byte("string")}, "first"),
		frame(codec.Envelope{Kind: wire.KindReply, Corr: 1, Type: []byte("string")}, "second"),
		frame(codec.Envelope{Kind: wire.KindFail, Corr: 2}, &wire.Failure{Code: wire.Dead, Text: "x", Fate: wire.FateNotSent, Down: down})))
	<-s.calls[1].done
	if got := string(s.calls[1].payload); got != "\xa5first" {
		t.Errorf("got the answer %q", got)
	}
	<-s.calls[2].done
	if f := s.calls[2].failure; f == nil || f.Code != wire.Remote || f.Down != nil || f.Fate != wire.FateUnknown {
		t.Errorf("got the failure %+v, want the handler's and nothing else", f)
	}
	if n := s.node.lateReplies.Load(); n != 1 {
		t.Errorf("%d late replies, want 1", n)
	}
}

// A monitor of nobody answers at once, which must not make the node keep ever
// more for a process that does not read.
func TestMonitorsOfNobodyAreBounded(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	var script []byte
	for i := range uint64(2 * wire.MaxMonitors) {
		script = append(script, service(wire.ServiceMonitor, i+1, wire.MonitorRequest{ID: i + 1, Target: nobodyID})...)
	}
	if err := s.play(script); ended(err) {
		messages, bytes := s.self.mailbox.Depth()
		t.Errorf("its mailbox holds %d messages of %d bytes", messages, bytes)
	}
}

// What a process logs is kept within the bounds of the queue, whatever part of
// the record it is in.
func TestRecordsAreBounded(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	release := make(chan struct{})
	defer close(release)
	s.node.logs.handler = blocked{s.node.logs.handler, release}
	record := frame(codec.Envelope{Kind: wire.KindLog}, &wire.Record{Attrs: []wire.Attr{{Key: "k", Value: strings.Repeat("x", 7000)}}})
	if err := s.play(bytes.Repeat(record, logRecords)); !ended(err) {
		t.Fatal(err)
	}
	if got := len(s.node.logs.queue) * 7000; got > logBytes {
		t.Errorf("%d bytes are queued, the bound is %d", got, logBytes)
	}
	if s.node.logs.dropped.Load() == 0 {
		t.Error("nothing was dropped")
	}
}

// blocked is a logger that waits.
type blocked struct {
	slog.Handler
	release chan struct{}
}

func (b blocked) Handle(ctx context.Context, r slog.Record) error {
	<-b.release
	return nil
}

// Nor do the Downs of actors that were there.
func TestUnreadDownsAreBounded(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	l := s.self.proc.link
	var err error
	for id := uint64(1); err == nil && id < 3*wire.MaxMonitors; id++ {
		l.expect(id, route{})
		if err = l.monitor(id, wire.MonitorRequest{ID: id, Target: peerID}); err == nil {
			find(peerID).remove(monitor{watcher: l, id: id})
			l.down(id, &wire.Down{ID: peerID}) // as if the peer had ended
		}
	}
	if err == nil {
		messages, _ := s.self.mailbox.Depth()
		t.Errorf("its mailbox holds %d messages", messages)
	}
}

// What is remembered of the dead is short, however much they said.
func TestEpitaphsAreShort(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	epitaphs.add(&wire.Down{ID: codec.ID{99}, Reason: wire.Reason{Detail: long, Stack: long,
		Init: &wire.Failure{Text: long, Codes: []string{long}}}})
	r := epitaphs.find(codec.ID{99}).Reason
	if n := len(r.Detail) + len(r.Stack) + len(r.Init.Text) + len(strings.Join(r.Init.Codes, "")); n > 4*epitaphText {
		t.Errorf("%d bytes are kept", n)
	}
}
