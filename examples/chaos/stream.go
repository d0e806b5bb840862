package main

import (
	"errors"
	"fmt"

	"github.com/progeny-go/progeny/actor"
)

// A route is a stream's identity: numbers are counted from 1 on each.
type route struct {
	from uint32
	life uint64 // of the sender; 0 for the program
	to   uint32
	lane lane
}

// A lane keeps apart what has an order and what has none.
type lane byte

const (
	direct lane = iota // Tells and Asks
	timed              // timers' messages
)

// A message is one of them.
type message struct {
	route
	seq uint64
}

// fates are what has become of a message, or is said of it.
type fates uint8

const (
	fReceived   fates = 1 << iota // it is in the journal
	fAgain                        // more than once, as its Spec wants it after a death
	fSuspect                      // a dead letter that was in progress
	fLetter                       // another dead letter: its receiver ended for good
	fRefused                      // the sender was told that it was not sent
	fUnknown                      // the sender was told that nothing is known
	fWithSender                   // its sender died in the handler that sent it, or had closed its descriptors
	fAnswered                     // its Ask was answered; that does not account for it
)

const unexplained = fates(0)

// accounted reports whether no more need come.
func (f fates) accounted() bool { return f&^fAnswered != unexplained }

// A stream is what one process, or one goroutine of the program, sends to one target.
type stream struct {
	sent  uint64
	floor uint64           // all up to it are accounted for
	base  uint64           // all up to it were, at the last balance
	last  uint64           // the latest received
	fates map[uint64]fates // of those over the floor, and of those below that were not just received
	lives map[uint64]life  // who received it: of those that may come again
	cause map[uint64]message
}

// of returns what has become of a number.
func (s *stream) of(seq uint64) fates {
	f, special := s.fates[seq]
	if !special && seq <= s.floor {
		return fReceived
	}
	return f
}

func (s *stream) mark(seq uint64, f fates) { s.fates[seq] = s.of(seq) | f }

// advance raises the floor, and forgets what was simply received.
func (s *stream) advance() {
	for {
		f, ok := s.fates[s.floor+1]
		if !ok || !f.accounted() {
			return
		}
		s.floor++
		if f&^fAnswered == fReceived {
			delete(s.fates, s.floor)
		}
	}
}

// fateOf is what an answer says about the message.
func fateOf(err error) fates {
	if e, ok := errors.AsType[*actor.DeliveryError](err); ok { // first: the Down in it may have a RemoteError
		return fateFrom(e.Fate)
	}
	if _, ok := errors.AsType[*actor.RemoteError](err); ok || err == nil {
		return fAnswered
	}
	return fUnknown
}

func fateFrom(f actor.Fate) fates {
	switch f {
	case actor.NotSent:
		return fRefused
	case actor.NotBegun, actor.InProgress:
		return 0 // there must be a dead letter too, and that will tell
	}
	return fUnknown
}

func (m message) String() string {
	return fmt.Sprintf("%s→%s #%d (lane %d, life %d)", name(m.from), name(m.to), m.seq, m.lane, m.life)
}
