package actor_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// What an enemy says at the wrong time, and what it says wrong.

func (e *enemy) earlyFrames() {
	e.raw(hostileFrame(codec.Envelope{Kind: wire.KindReady}, nil))
	e.raw(hostileFrame(codec.Envelope{Kind: wire.KindGoodbye}, wire.Goodbye{Reason: wire.Reason{Cause: wire.Normal}}))
}

func (e *enemy) nothing() {}

func (e *enemy) helloTwice() {
	e.rise()
	need(e.birth.Hello())
}

// earlyAsks asks the node and others for all there is, without having been ready.
func (e *enemy) earlyAsks() {
	e.begin()
	e.ignore()
	for range 100 {
		e.lookup()
		e.spawnNothing()
		e.linkAndUnlink()
		e.timerToVictim()
		e.askOnce(e.arg.Victim)
		e.put(codec.Envelope{Kind: wire.KindTell, To: e.arg.Victim, Type: typeOf("hostilePad")}, hostilePad{})
		e.send(oldAck(e))
		e.send(logFrame(e))
		e.send(cancelFrame(e))
		e.send(strayReply(e))
	}
}

// longFailure is a start function's error as long as a frame can be.
func (e *enemy) longFailure() {
	e.begin()
	e.put(codec.Envelope{Kind: wire.KindFail}, &wire.Failure{Code: wire.Remote, Text: strings.Repeat("x", 15<<20)})
}

func (e *enemy) earlyGoodbye() {
	e.begin()
	e.put(goodbyeEnvelope, wire.Goodbye{Reason: wire.Reason{Cause: wire.Normal}})
}

func (e *enemy) randomFrames() {
	e.rise()
	for {
		content := e.noise(8 + 8*e.random.IntN(512))
		e.raw(append([]byte{0xc5, byte(len(content) >> 8), byte(len(content))}, content...))
	}
}

// randomBodies are frames whose envelopes are right, of all kinds, with bodies that are not.
func (e *enemy) randomBodies() {
	e.rise()
	e.ignore()
	services := []string{wire.ServiceSpawn, wire.ServiceLookup, wire.ServiceMonitor, wire.ServiceDemonitor, wire.ServiceLink, wire.ServiceUnlink,
		wire.ServiceExit, wire.ServiceStop, wire.ServiceKill, wire.ServiceTimer, wire.ServiceStartChild, wire.ServiceTerminateChild,
		wire.ServiceRestartChild, wire.ServiceDeleteChild, wire.ServiceChildren}
	for {
		env := codec.Envelope{Kind: codec.Kind(e.random.UintN(20)), Corr: e.random.Uint64N(4), Payload: e.noise(8 * e.random.IntN(8)),
			Type: []byte(services[e.random.IntN(len(services))])}
		if e.random.IntN(2) == 0 {
			env.Corr = e.next()
		}
		if e.random.IntN(2) == 0 {
			env.To = e.arg.Victim
		}
		e.send(hostileFrame(env, nil))
	}
}

// endless announces 16 MiB, sends half of it and no more.
func (e *enemy) endless() {
	e.rise()
	e.raw([]byte{0xc6, 0, 0xff, 0xff, 0xff})
	e.raw(make([]byte, 8<<20))
}

// array is msgpack of n times the same element.
func array(n int, element ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0xdd}, uint32(n)), bytes.Repeat(element, n)...)
}

// bombs are log records of 15 MiB that become many times as large.
func (e *enemy) attributeBomb() {
	e.logBomb(array(15<<20/4, 0x93, 0xa0, 0xc0, 0xc0))
}

func (e *enemy) valueBomb() {
	e.logBomb(append([]byte{0x91, 0x93, 0xa0}, append(array(15<<20, 0xc0), 0xc0)...))
}

func (e *enemy) logBomb(attrs []byte) {
	e.rise()
	payload, err := codec.Append(nil, &wire.Record{Time: time.Now(), Level: 8}) // its last byte is a nil for the attributes
	need(err)
	payload = append(payload[:len(payload)-1], attrs...)
	for f := hostileFrame(codec.Envelope{Kind: wire.KindLog, Payload: payload}, nil); ; {
		e.send(bytes.Clone(f))
	}
}

// spawnBomb is a supervisor with many children that are none.
func (e *enemy) spawnBomb() {
	e.rise()
	e.ignore()
	for range 5 {
		e.service(wire.ServiceSpawn, wire.Child{Supervisor: &wire.Supervisor{Children: make([]wire.Child, 200_000)}})
	}
	e.send(ackFrame(1 << 40)) // it is to end
}

// childBomb is the same with children of one byte each.
func (e *enemy) childBomb() {
	e.rise()
	e.ignore()
	none, err := codec.Append(nil, wire.Child{})
	need(err)
	body := bomb(wire.Child{Supervisor: &wire.Supervisor{Children: make([]wire.Child, 1)}}, append([]byte{0x91}, none...), array(15<<20, 0xc0))
	for {
		e.send(hostileFrame(codec.Envelope{Kind: wire.KindAsk, Corr: e.next(), Type: []byte(wire.ServiceSpawn), Payload: body}, nil))
	}
}

// manyCodes is a failure with so many codes, and what that is part of.
func manyCodes(whole any, n int) []byte { return bomb(whole, []byte("\x91\xa4code"), array(n, 0xa0)) }

var oneCode = &wire.Failure{Code: wire.Remote, Codes: []string{"code"}}

// bomb is v with new in place of old.
func bomb(v any, old, new []byte) []byte {
	b, err := codec.Append(nil, v)
	need(err)
	return bytes.Replace(b, old, new, 1)
}

func (e *enemy) codeBomb() {
	e.begin()
	e.send(hostileFrame(codec.Envelope{Kind: wire.KindFail, Payload: manyCodes(oneCode, 1000<<10)}, nil))
}

func (e *enemy) signalBomb() {
	e.rise()
	r := wire.ExitRequest{Target: e.arg.Deaf, Reason: wire.Reason{Cause: wire.Failed, Init: oneCode}}
	e.send(hostileFrame(codec.Envelope{Kind: wire.KindAsk, Corr: e.next(), Type: []byte(wire.ServiceExit), Payload: manyCodes(r, 15<<20)}, nil))
}

func (e *enemy) goodbyeBomb() {
	e.rise()
	g := wire.Goodbye{Reason: wire.Reason{Cause: wire.Failed, Init: oneCode}}
	e.send(hostileFrame(codec.Envelope{Kind: wire.KindGoodbye, Payload: manyCodes(g, 15<<20)}, nil))
}

func (e *enemy) nodeKinds() {
	e.rise()
	e.ignore()
	for {
		e.put(codec.Envelope{Kind: wire.KindInit}, e.init)
		e.put(codec.Envelope{Kind: wire.KindStop}, nil)
		e.put(codec.Envelope{Kind: wire.KindCredit, To: e.arg.Victim}, wire.Credit{Messages: -1 << 40, Bytes: 1 << 40, Gone: true})
	}
}

var goodbyeEnvelope = codec.Envelope{Kind: wire.KindGoodbye}

func goodbyeAndExit(code int) func(*enemy) {
	return func(e *enemy) {
		e.rise()
		e.put(goodbyeEnvelope, wire.Goodbye{Reason: wire.Reason{Cause: wire.Normal}})
		e.end(code)
	}
}

func (e *enemy) goodbyeAndStay() {
	e.rise()
	e.put(goodbyeEnvelope, wire.Goodbye{Reason: wire.Reason{Cause: wire.Shutdown}})
}

func (e *enemy) goodbyeAndFlood() {
	e.goodbyeAndStay()
	for {
		e.send(hostileFrame(codec.Envelope{Kind: wire.KindTell, To: e.arg.Victim, Type: typeOf("hostilePad")}, hostilePad{}))
	}
}

func (e *enemy) falseGoodbye() {
	e.rise()
	e.put(goodbyeEnvelope, wire.Goodbye{Reason: wire.Reason{Cause: wire.Killed}})
}

func (e *enemy) twice() {
	e.rise()
	for range 2 {
		e.put(codec.Envelope{Kind: wire.KindAsk, To: e.arg.Deaf, Corr: 7, Type: typeOf("hostilePing")}, hostilePing{})
	}
}

func (e *enemy) forgedSender() {
	e.rise()
	e.ignore()
	for range 100 {
		e.put(codec.Envelope{Kind: wire.KindTell, To: e.arg.Victim, From: e.arg.Peer, Type: typeOf("hostilePad")}, hostilePad{})
		e.put(codec.Envelope{Kind: wire.KindAsk, From: e.arg.Peer, Corr: e.next(), Type: []byte(wire.ServiceStop)}, codec.ID{1})
	}
}

// forgedReply acknowledges, by an answer, what was not sent.
func (e *enemy) forgedReply() {
	e.rise()
	e.put(codec.Envelope{Kind: wire.KindReply, Corr: 1, Deadline: 1 << 40, Type: []byte("string")}, "x")
}

// othersReplies answers what it was not asked: correlations as others have them.
func (e *enemy) othersReplies() {
	e.rise()
	e.ignore()
	for corr := uint64(0); ; corr++ {
		e.put(codec.Envelope{Kind: wire.KindReply, Corr: corr % 4096 << (corr % 3 * 20), Type: []byte("string")}, "x")
	}
}

func (e *enemy) answerTwice() {
	e.rise()
	e.serve(func(env *codec.Envelope) {
		for range 100 {
			_ = e.out.Push(hostileFrame(codec.Envelope{Kind: wire.KindReply, Corr: env.Corr, Type: []byte("string")}, "x"))
			_ = e.out.Push(hostileFrame(codec.Envelope{Kind: wire.KindFail, Corr: env.Corr}, &wire.Failure{Code: wire.Dead, Down: &wire.Down{ID: e.arg.Peer}}))
		}
	})
}

// floodOf is one frame again and again.
func floodOf(make func(*enemy) []byte) func(*enemy) {
	return func(e *enemy) {
		e.rise()
		e.ignore()
		for frame := make(e); ; {
			e.send(bytes.Clone(frame))
		}
	}
}

func ackFrame(n uint64) []byte { return hostileFrame(codec.Envelope{Kind: wire.KindAck}, n) }

func unknownFrame(*enemy) []byte { return hostileFrame(codec.Envelope{Kind: 99}, 1) }
func oldAck(*enemy) []byte       { return ackFrame(0) }
func cancelFrame(*enemy) []byte {
	return hostileFrame(codec.Envelope{Kind: wire.KindCancel, Corr: 77}, nil)
}

func strayReply(*enemy) []byte {
	return hostileFrame(codec.Envelope{Kind: wire.KindReply, Corr: 1 << 50, Type: []byte("string")}, "x")
}

func strayFailure(*enemy) []byte {
	return hostileFrame(codec.Envelope{Kind: wire.KindFail, Type: []byte("T")}, &wire.Failure{Text: strings.Repeat("x", 1000)})
}

func logFrame(*enemy) []byte {
	return hostileFrame(codec.Envelope{Kind: wire.KindLog}, &wire.Record{Time: time.Now(), Level: 8, Message: "x", Attrs: []wire.Attr{{Key: "k", Value: 1}}})
}

func largeLogFrame(*enemy) []byte {
	return hostileFrame(codec.Envelope{Kind: wire.KindLog}, &wire.Record{Time: time.Now(), Level: 8, Message: strings.Repeat("x", 8<<20)})
}

// asks is a service asked for again and again; read says whether the answers are.
func asks(read bool, ask func(*enemy)) func(*enemy) {
	return func(e *enemy) {
		e.rise()
		if e.plain = !read; read {
			e.ignore()
		}
		for {
			ask(e)
		}
	}
}

func (e *enemy) lookup() { e.service(wire.ServiceLookup, "nobody") }

// lookupLong has a longer answer, which makes more of them than the node keeps sooner; with the race detector
// not soon enough.
func (e *enemy) lookupLong() { e.service(wire.ServiceLookup, strings.Repeat("n", 250)) }

func (e *enemy) spawnNothing() {
	e.service(wire.ServiceSpawn, wire.Child{Actor: &wire.Spec{Type: "none"}})
}

// template is an honest actor.
func template() wire.Child {
	return wire.Child{Restart: tree.Temporary, Shutdown: time.Second, Actor: &wire.Spec{Type: "hostile", Arg: []byte{0xc0},
		Messages: 16, Bytes: 1 << 20, BootTimeout: 10 * time.Second, StartTimeout: 10 * time.Second}}
}

func (e *enemy) spawnSupervisor() {
	e.service(wire.ServiceSpawn, wire.Child{Shutdown: tree.Infinite, Supervisor: &wire.Supervisor{Strategy: tree.Dynamic, Children: []wire.Child{template()}}})
}

// spawnLarge wants a hundred supervisors whose template has an argument of 4 MiB.
func (e *enemy) spawnLarge() {
	e.rise()
	e.ignore()
	child := template()
	child.Actor.Arg = append([]byte{0xc6, 0, 0x40, 0, 0}, make([]byte, 4<<20)...)
	for range 100 {
		e.service(wire.ServiceSpawn, wire.Child{Shutdown: tree.Infinite, Supervisor: &wire.Supervisor{Strategy: tree.Dynamic, Children: []wire.Child{child}}})
	}
}

func (e *enemy) monitorNobody() {
	e.service(wire.ServiceMonitor, wire.MonitorRequest{ID: e.next(), Target: codec.ID{1}})
}

func (e *enemy) monitorVictim() {
	e.service(wire.ServiceMonitor, wire.MonitorRequest{ID: e.next(), Target: e.arg.Victim})
}

// monitorLoud watches, many times, an actor whose reason is as long as may be: an accomplice.
func (e *enemy) monitorLoud() {
	e.rise()
	born := make(chan codec.ID, 1)
	watched := make(chan struct{})
	const monitors = 20_000
	n := 0
	e.serve(func(env *codec.Envelope) {
		var id codec.ID
		if env.Kind == wire.KindReply && env.Corr == 1 && codec.Decode(env.Payload, &id) == nil {
			born <- id
		} else if n++; n == monitors {
			close(watched)
		}
	})
	child := template()
	child.Actor.Env = append(environment(), hostileAttack+"=accomplice")
	e.put(codec.Envelope{Kind: wire.KindAsk, Corr: 1, Type: []byte(wire.ServiceSpawn)}, child)
	loud := <-born
	for range monitors {
		e.service(wire.ServiceMonitor, wire.MonitorRequest{ID: e.next(), Target: loud})
	}
	<-watched
	e.put(codec.Envelope{Kind: wire.KindTell, To: loud, Type: typeOf("hostilePad")}, hostilePad{})
}

// accomplice ends with many words when it is sent something.
func (e *enemy) accomplice() {
	need(e.birth.Hello())
	e.open()
	_, err := e.in.Next()
	need(err)
	e.put(codec.Envelope{Kind: wire.KindReady}, nil)
	_, err = e.in.Next()
	need(err)
	e.put(goodbyeEnvelope, wire.Goodbye{Reason: wire.Reason{Cause: wire.Failed, Detail: strings.Repeat("x", 60<<10), Init: &wire.Failure{Text: strings.Repeat("y", 60<<10)}}})
	e.end(0)
}

func (e *enemy) linkAndUnlink() {
	e.service(wire.ServiceLink, e.arg.Victim)
	e.service(wire.ServiceUnlink, e.arg.Victim)
}

func (e *enemy) timerToVictim() {
	e.service(wire.ServiceTimer, wire.TimerRequest{ID: e.next(), To: e.arg.Victim, Every: time.Millisecond, Type: string(typeOf("hostilePad")), Payload: []byte{0x91, 0xc4, 0}})
}

func (e *enemy) timerToNobody() {
	e.service(wire.ServiceTimer, wire.TimerRequest{ID: e.next(), To: codec.ID{1}, Every: time.Millisecond, Type: "T", Payload: []byte{0xc0}})
}

func (e *enemy) exitDeaf() {
	e.service(wire.ServiceExit, wire.ExitRequest{Target: e.arg.Deaf, Reason: wire.Reason{Cause: wire.Failed, Detail: strings.Repeat("x", 60<<10)}})
}

func (e *enemy) tellItself() {
	e.rise()
	e.plain = true
	for {
		e.put(codec.Envelope{Kind: wire.KindTell, To: e.init.ID, Type: typeOf("hostilePad")}, hostilePad{make([]byte, 8<<10)})
	}
}

func (e *enemy) tellDeaf() {
	e.rise()
	e.plain = true
	for {
		e.put(codec.Envelope{Kind: wire.KindTell, To: e.arg.Deaf, Type: typeOf("hostilePad")}, hostilePad{make([]byte, 8<<10)})
	}
}

func (e *enemy) tellNobody() {
	e.rise()
	e.ignore()
	for {
		e.put(codec.Envelope{Kind: wire.KindTell, To: codec.ID{1}, Type: typeOf("hostilePad")}, hostilePad{make([]byte, 8<<10)})
	}
}

func (e *enemy) askOnce(to codec.ID) uint64 {
	corr := e.next()
	e.put(codec.Envelope{Kind: wire.KindAsk, To: to, Corr: corr, Type: typeOf("hostilePing")}, hostilePing{})
	return corr
}

func (e *enemy) askAndCancel() {
	e.rise()
	e.ignore()
	for {
		e.put(codec.Envelope{Kind: wire.KindCancel, Corr: e.askOnce(e.arg.Deaf)}, nil)
	}
}

func (e *enemy) askVictim() {
	e.rise()
	e.plain = true
	for {
		e.askOnce(e.arg.Victim)
	}
}

// tooManyAsks are to a service that takes its time, so that they stay unanswered.
func (e *enemy) tooManyAsks() {
	e.rise()
	e.ignore()
	for {
		e.service(wire.ServiceStop, e.arg.Deaf)
	}
}
