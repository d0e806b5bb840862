package actor_test

import (
	"errors"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// hostileCases are in the order of a life: before Hello, before Ready, at work, at the end.
var hostileCases []hostileCase

// protocol, and the others, say which reason an enemy is to end with.
func protocol(r actor.Reason) bool { return errors.As(r, new(actor.Protocol)) }
func unborn(r actor.Reason) bool   { return errors.As(r, new(actor.BootFailed)) }

func exits(code int) func(actor.Reason) bool {
	return func(r actor.Reason) bool { return r == actor.ExitCode{Code: code} }
}

func either(of ...func(actor.Reason) bool) func(actor.Reason) bool {
	return func(r actor.Reason) bool {
		for _, is := range of {
			if is(r) {
				return true
			}
		}
		return false
	}
}

func killed(r actor.Reason) bool { return errors.As(r, new(actor.Killed)) }

func init() { // before that of an enemy: see hostile_enemy_linux_test.go
	hostileCases = []hostileCase{
		{name: "before Hello: random bytes", attack: func(e *enemy) { e.raw(e.noise(64 << 10)) }, want: unborn},
		{name: "before Hello: frames", attack: (*enemy).earlyFrames, want: unborn},
		{name: "before Hello: nothing", attack: (*enemy).nothing, want: unborn,
			spec: func(s *actor.Spec) { s.BootTimeout = 300 * time.Millisecond }},
		{name: "before Hello: half of it", attack: func(e *enemy) { e.raw([]byte{0xc4, 0xff, 0x95}) }, want: unborn,
			spec: func(s *actor.Spec) { s.BootTimeout = 300 * time.Millisecond }},
		{name: "before Hello: exit 0", attack: func(*enemy) { syscall.Exit(0) }, want: unborn},
		{name: "Hello twice", attack: (*enemy).helloTwice, want: protocol},
		{name: "before Ready: nothing", attack: (*enemy).begin, want: unborn,
			spec: func(s *actor.Spec) { s.StartTimeout = 300 * time.Millisecond }},
		{name: "before Ready: asks of all", attack: (*enemy).earlyAsks, want: unborn,
			spec: func(s *actor.Spec) { s.StartTimeout = 300 * time.Millisecond }},
		{name: "before Ready: a long failure", attack: (*enemy).longFailure, want: func(r actor.Reason) bool { return errors.As(r, new(actor.InitFailed)) },
			spec: func(s *actor.Spec) { s.StartTimeout = 2 * time.Second }}, // it stays, and must have been able to say it
		{name: "before Ready: a failure of many codes", attack: (*enemy).codeBomb, want: protocol},
		{name: "before Ready: goodbye, and it stays", attack: (*enemy).earlyGoodbye, want: killed},

		{name: "random bytes", attack: func(e *enemy) { e.rise(); e.raw(e.noise(64 << 10)) }, want: protocol},
		{name: "random frames", attack: (*enemy).randomFrames, want: protocol},
		{name: "random bodies", attack: (*enemy).randomBodies, want: protocol},
		{name: "a length that lies", attack: func(e *enemy) { e.rise(); e.raw([]byte{0xc6, 0xff, 0xff, 0xff, 0xff, 0}) }, want: protocol},
		{name: "a frame that never ends", attack: (*enemy).endless},
		{name: "a log record of many attributes", attack: (*enemy).attributeBomb, memory: 192 << 20},
		{name: "a log record of many values", attack: (*enemy).valueBomb, memory: 192 << 20},
		{name: "a spawn of many children", attack: (*enemy).spawnBomb, want: protocol, memory: 128 << 20},
		{name: "a spawn of very many children", attack: (*enemy).childBomb, memory: 128 << 20},
		{name: "a signal of many codes", attack: (*enemy).signalBomb, want: protocol},
		{name: "a goodbye of many codes", attack: (*enemy).goodbyeBomb, want: protocol},
		{name: "kinds of the node", attack: (*enemy).nodeKinds},

		{name: "flood: unknown frames", attack: floodOf(unknownFrame)},
		{name: "flood: acks", attack: floodOf(oldAck)},
		{name: "flood: cancels", attack: floodOf(cancelFrame)},
		{name: "flood: replies that nobody waits for", attack: floodOf(strayReply)},
		{name: "flood: failures", attack: floodOf(strayFailure)},
		{name: "flood: log records", attack: floodOf(logFrame)},
		{name: "flood: large log records", attack: floodOf(largeLogFrame), memory: 128 << 20},
		{name: "flood: output", attack: (*enemy).print},
		{name: "flood: output without lines", attack: (*enemy).printBlob},
		{name: "flood: lookups", attack: asks(true, (*enemy).lookup)},
		{name: "flood: lookups, answers not read", attack: asks(false, (*enemy).lookupLong), want: protocol, may: withRace(), memory: 320 << 20},
		{name: "flood: spawns of no type", attack: asks(true, (*enemy).spawnNothing)},
		{name: "flood: spawns of supervisors", attack: asks(true, (*enemy).spawnSupervisor), memory: 256 << 20},
		{name: "flood: spawns with large arguments", attack: (*enemy).spawnLarge, memory: 320 << 20},
		{name: "flood: monitors of nobody", attack: asks(true, (*enemy).monitorNobody), want: protocol, memory: 192 << 20},
		{name: "flood: monitors of another", attack: asks(true, (*enemy).monitorVictim), want: protocol, memory: 192 << 20},
		{name: "flood: monitors of a loud end", attack: (*enemy).monitorLoud, memory: 192 << 20},
		{name: "flood: links", attack: asks(true, (*enemy).linkAndUnlink)},
		{name: "flood: timers", attack: asks(true, (*enemy).timerToVictim), memory: 192 << 20},
		{name: "flood: timers to nobody", attack: asks(true, (*enemy).timerToNobody), memory: 192 << 20},
		{name: "flood: exit signals to one that is busy", attack: asks(true, (*enemy).exitDeaf), memory: 192 << 20},
		{name: "flood: messages to itself", attack: (*enemy).tellItself, want: protocol},
		{name: "flood: messages to one that is busy", attack: (*enemy).tellDeaf, want: protocol},
		{name: "flood: messages to nobody", attack: (*enemy).tellNobody},
		{name: "flood: asks of another, cancelled", attack: (*enemy).askAndCancel, want: protocol},
		{name: "flood: asks of another, answers not read", attack: (*enemy).askVictim, want: protocol},
		{name: "flood: stops of one that is busy", attack: (*enemy).tooManyAsks},

		{name: "a correlation twice", attack: (*enemy).twice, want: protocol},
		{name: "a forged sender", attack: (*enemy).forgedSender},
		{name: "a forged acknowledgement", attack: func(e *enemy) { e.rise(); e.send(ackFrame(1 << 40)) }, want: protocol},
		{name: "a forged reply's number", attack: (*enemy).forgedReply, want: protocol},
		{name: "replies to the Asks of others", attack: (*enemy).othersReplies},
		{name: "the same answer many times", attack: (*enemy).answerTwice},

		{name: "ring: change, then garbage", attack: (*enemy).ringGarbage, want: protocol},
		{name: "ring: what is published changes", attack: (*enemy).ringChanges, want: protocol, may: true},
		{name: "ring: change without one", attack: (*enemy).ringBells},
		{name: "bells without end", attack: (*enemy).bellsWithoutEnd},
		{name: "bells without end, no ring", attack: (*enemy).roomBells},
		{name: "frames in the pipe after the change", attack: (*enemy).framesBesideRing},

		{name: "inbox closed", attack: (*enemy).closeInbox, want: protocol},
		{name: "outbox closed", attack: func(e *enemy) { e.rise(); e.out.Close() }, want: protocol},
		{name: "all pipes closed", attack: (*enemy).closeAll, want: protocol},
		{name: "pipes kept open by another", attack: abandon("left: silent", 7, false), want: exits(7)},
		{name: "bells of another after the end", attack: abandon("left: bells", 7, true), want: exits(7)},
		{name: "frames of another after the end", attack: abandon("left: frames", 7, false), want: either(exits(7), protocol)},
		{name: "the ring filled by another after the end", attack: abandon("left: ring", 7, true), want: either(exits(7), protocol)},
		{name: "descriptors exhausted", attack: (*enemy).exhaustFiles},
		{name: "forks", attack: (*enemy).forks},
		{name: "SIGSTOP of itself", attack: func(e *enemy) { e.rise(); syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) }},
		{name: "inbox never read", attack: (*enemy).rise},
		{name: "read and never answered", attack: func(e *enemy) { e.rise(); e.ignore() }},

		{name: "goodbye, exit 7", attack: goodbyeAndExit(7), want: exits(7)},
		{name: "goodbye, and it stays", attack: (*enemy).goodbyeAndStay, want: killed},
		{name: "goodbye, and a flood", attack: (*enemy).goodbyeAndFlood, want: killed},
		{name: "goodbye for a reason of the node's", attack: (*enemy).falseGoodbye, want: protocol},
		{name: "exit 2 without a crash", attack: func(e *enemy) { e.rise(); syscall.Exit(2) }, want: exits(2)},
		{name: "exit 2 with a crash that was none", attack: (*enemy).falseCrash, want: func(r actor.Reason) bool { return errors.As(r, new(actor.Panic)) }},
	}
	hostileCases = append(hostileCases, hostileCase{name: "accomplice", attack: (*enemy).accomplice, role: true},
		hostileCase{name: "computes", attack: (*enemy).compute, role: true})
	for _, w := range pageWords {
		hostileCases = append(hostileCases, hostileCase{name: "page: " + w.name, attack: w.scribble, want: protocol, may: true})
	}
}
