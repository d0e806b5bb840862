//go:build linux

package node

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// The layout of the page: see docs/protocol.md.
const (
	fuzzRing   = 256 << 10
	fuzzMemory = 4096 + 2*fuzzRing
	fuzzOutbox = 2048 + 192 // the words of the ring from the actor
	fuzzData   = 4096 + fuzzRing
)

// fuzzWords are all words of a page that anybody looks at.
var fuzzWords = []int{64, 128, 2048, 2048 + 8, 2048 + 16, 2048 + 64, 2048 + 128,
	fuzzOutbox, fuzzOutbox + 8, fuzzOutbox + 16, fuzzOutbox + 64, fuzzOutbox + 128, 256, 264}

// A puppet is an actor whose process is what a script says: the other end of its pipes, and its page.
type puppet struct {
	cell    *Cell
	in, out *os.File
	memory  []byte
	corr    uint64
}

// puppet makes one, with all that a real process has but the process.
func (s *stage) puppet(t testing.TB, id codec.ID) *puppet {
	t.Helper()
	u := new(puppet)
	s.build(t, id, wire.Spec{Messages: 8, Bytes: 1 << 16}, func(p *process, page, inbox, outbox *os.File) error {
		conn, err := page.SyscallConn()
		if err != nil {
			return err
		}
		controlErr := conn.Control(func(fd uintptr) {
			u.memory, err = unix.Mmap(int(fd), 0, fuzzMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		})
		if controlErr != nil || err != nil {
			return err
		}
		u.cell, u.in, u.out = p.cell, inbox, outbox
		p.link.in.UseRing(p.page.Outbox(), p.cell.mailbox)
		return nil
	})
	s.node.tasks.Go(u.cell.proc.link.run)
	return u
}

func (u *puppet) word(offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&u.memory[offset]))
}

// write does not wait for ever: who does not read is not the script's to wait for, and not at all
// once the node reads no more.
func (u *puppet) write(b []byte) {
	select {
	case <-u.cell.proc.link.done:
		return
	default:
	}
	u.out.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	_, _ = u.out.Write(b)
}

// publish puts b into the ring and rings the bell.
func (u *puppet) publish(b []byte) {
	tail := u.word(fuzzOutbox)
	at := tail.Load()
	for i, c := range b {
		u.memory[fuzzData+int((at+uint64(i))%fuzzRing)] = c
	}
	tail.Store(at + uint64(len(b)))
	u.write([]byte{0xc1})
}

// read takes what there is of what the node has written, from the pipe and from the ring.
func (u *puppet) read() {
	u.in.SetReadDeadline(time.Now())
	var b [64 << 10]byte
	_, _ = u.in.Read(b[:])
	u.word(2048 + 64).Store(u.word(2048).Load())
}

// A fuzzScript is what is left of the bytes that a run is made of.
type fuzzScript []byte

func (s *fuzzScript) byte() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

func (s *fuzzScript) bytes() []byte {
	n := min(int(s.byte()), len(*s))
	b := (*s)[:n]
	*s = (*s)[n:]
	return b
}

// number is often one that hurts: beside word, or at an end of the range.
func (s *fuzzScript) number(word uint64) uint64 {
	switch b := s.byte(); b % 12 {
	case 0:
		return uint64(b / 12)
	case 1:
		return math.MaxUint64
	case 2:
		return math.MaxUint64 &^ (fuzzRing - 1)
	case 3:
		return 1 << 63
	case 4:
		return word + fuzzRing
	case 5:
		return word - fuzzRing
	case 6:
		return word + 1
	case 7:
		return word - 1
	case 8:
		return (word + fuzzRing) &^ (fuzzRing - 1)
	case 9:
		return word + 2*fuzzRing
	case 10:
		return word
	}
	var b [8]byte
	copy(b[:], s.bytes())
	return binary.LittleEndian.Uint64(b[:])
}

// A fuzzRun is a script on a stage: two processes that it plays, and a program that asks them.
type fuzzRun struct {
	*stage
	puppets [2]*puppet
	script  fuzzScript

	ctx    context.Context
	cancel context.CancelFunc
	asks   sync.WaitGroup
	asked  atomic.Int64
	ended  atomic.Int64
}

var fuzzTargets = []codec.ID{{}, selfID, peerID, rejectID, inboxID, nobodyID}

// step does one thing.
func (r *fuzzRun) step() {
	op := r.script.byte()
	u := r.puppets[op&1]
	switch op >> 1 % 16 {
	case 0:
		u.write(r.script.bytes())
	case 1:
		u.write(r.frame(u))
	case 2, 3:
		u.publish(r.frame(u))
	case 4:
		u.publish(r.script.bytes())
	case 5:
		w := u.word(fuzzWords[int(r.script.byte())%len(fuzzWords)])
		w.Store(r.script.number(w.Load()))
	case 6:
		u.memory[fuzzData+int(r.script.byte())<<4] ^= r.script.byte()
	case 7:
		u.write(slices.Repeat([]byte{0xc1, 0xc0}, int(r.script.byte())))
	case 8, 9:
		r.ask(u, r.script.byte())
	case 10:
		u.read()
	case 11:
		u.cell.proc.link.in.Poll(func() bool { return false })
	case 12:
		r.cancel()
		r.ctx, r.cancel = context.WithCancel(context.Background())
	case 13:
		n := u.word(128).Load() + 1 // as an honest one: begun, answered, finished
		u.word(64).Store(n)
		u.write(frame(codec.Envelope{Kind: wire.KindReply, Corr: u.cell.corr.Load(), Deadline: int64(n), Type: []byte("string")}, "x"))
		u.word(128).Store(n)
	case 14:
		if r.script.byte() == 0 {
			u.out.Close()
		} else {
			u.in.Close()
		}
	case 15:
		time.Sleep(time.Duration(r.script.byte()) * time.Microsecond)
	}
}

// frame is one with an envelope that is right, and often a body that is.
func (r *fuzzRun) frame(u *puppet) []byte {
	env := codec.Envelope{Kind: codec.Kind(r.script.byte() % 16), To: fuzzTargets[int(r.script.byte())%len(fuzzTargets)], Type: []byte("T")}
	switch b := r.script.byte(); {
	case b < 100:
		u.corr++
		env.Corr = u.corr
	default:
		env.Corr = uint64(b % 5)
	}
	to := fuzzTargets[int(r.script.byte())%len(fuzzTargets)]
	n := r.script.number(u.corr)
	var body any = "x"
	switch env.Kind {
	case wire.KindAck:
		body = n
	case wire.KindFail:
		body = &wire.Failure{Code: wire.Dead, Text: "x", Down: &wire.Down{ID: to}}
	case wire.KindLog:
		body = &wire.Record{Message: "x", Attrs: []wire.Attr{{Key: "k", Value: n}}}
	case wire.KindGoodbye:
		causes := []wire.Cause{wire.Normal, wire.Shutdown, wire.Failed, wire.Ignored, wire.Recycled, wire.Killed}
		body = wire.Goodbye{Reason: wire.Reason{Cause: causes[n%uint64(len(causes))]}}
	case wire.KindReply:
		env.Deadline = int64(n)
	case wire.KindAsk:
		if env.To == (codec.ID{}) {
			env.Type, body = r.service(to, n)
		}
	}
	return frame(env, body)
}

func (r *fuzzRun) service(to codec.ID, n uint64) ([]byte, any) {
	supervisor := wire.Child{Supervisor: &wire.Supervisor{Name: "s"}, Shutdown: time.Second}
	reason := wire.Reason{Cause: wire.Failed, Detail: "x"}
	services := []struct {
		name string
		body any
	}{
		{wire.ServiceSpawn, supervisor}, {wire.ServiceSpawn, wire.Child{Actor: &wire.Spec{Type: "none"}}},
		{wire.ServiceLookup, "s"}, {wire.ServiceMonitor, wire.MonitorRequest{ID: n, Target: to}}, {wire.ServiceDemonitor, wire.MonitorRequest{ID: n}},
		{wire.ServiceLink, to}, {wire.ServiceUnlink, to}, {wire.ServiceExit, wire.ExitRequest{Target: to, Reason: reason}},
		{wire.ServiceTimer, wire.TimerRequest{ID: n, To: to, After: time.Duration(n % 1000), Every: time.Duration(n % 3 * 1e6), Key: "k", Type: "T", Payload: []byte{0xc0}}},
		{wire.ServiceTimer, wire.TimerRequest{ID: n, Cancel: true}}, {wire.ServiceChildren, to},
		{wire.ServiceStartChild, wire.ChildRequest{Under: to, Child: &supervisor}}, {wire.ServiceTerminateChild, wire.ChildRequest{Under: to, ID: to}},
		{wire.ServiceRestartChild, wire.ChildRequest{Under: to, ID: to}}, {wire.ServiceDeleteChild, wire.ChildRequest{Under: to, ID: to}},
		{wire.ServiceStop, to}, {wire.ServiceKill, to},
	}
	s := services[int(r.script.byte())%len(services)]
	return []byte(s.name), s.body
}

// ask has the program ask u, or tell it something.
func (r *fuzzRun) ask(u *puppet, how byte) {
	if r.asked.Load() > 64 {
		return
	}
	r.asked.Add(1)
	ctx := r.ctx
	r.asks.Go(func() {
		defer r.ended.Add(1)
		t := &wire.MessageType{Name: "T", Text: []byte("T")}
		if how%4 == 0 {
			_ = Local{}.Tell(ctx, u.cell.id, t, make([]byte, how))
			return
		}
		_ = Local{}.Ask(ctx, u.cell.id, t, make([]byte, how), wire.AnswerFunc(func(_, _ []byte) error { return nil }))
	})
}
