package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// A ledger accounts for every message. What was sent, the senders say: the program
// here, actors in the journal before they send. What was received, the journal says.
// The rest must be explained: see fates. There is one ledger per run.
type ledger struct {
	targets []target

	mu       sync.Mutex // protects the following
	streams  map[route]*stream
	lives    map[life]*lived
	exits    []exit           // since the last balance
	deeds    map[int][]deed   // of processes, by pid: those alive and those that have ended since the last balance
	suspects map[process]bool // processes with a suspect
	progress time.Time        // when a message was last accounted for
	counts   counts
	faulty   func(string, ...any) // reports a failed check
}

// life is one process of a target.
type life struct {
	who  uint32
	life uint64
}

type lived struct {
	pid    int
	last   message // what it has received last: it handles that, or waits
	closed bool    // it has closed descriptors behind the runtime's back
}

// process is one incarnation of an actor.
type process struct {
	ref         actor.Ref
	incarnation uint64
}

type exit struct {
	pid    int
	name   string
	reason actor.Reason
	at     time.Time
	linked bool // it has the reason of another
	down   *actor.Down
}

// counts are the figures of the report.
type counts struct {
	Tells, Asks              uint64 // sent by the program
	ActorTells, ActorAsks    uint64
	Timers                   uint64
	Answered, AnsweredActors uint64
	Received                 uint64 // distinct messages
	Redelivered              uint64 // received again, as their Spec wants
	Suspects                 uint64 // dead letters that were in progress
	SuspectsReceived         uint64 // of these, how many had been received
	Letters                  uint64 // dead letters whose receiver had ended for good
	OtherLetters             uint64 // of other types than Work
	Refused, Unknown         uint64
	WithSender               uint64
	Lost, Duplicates, Order  uint64
	Contradictions           uint64 // other ways in which the accounts do not fit
	Boots, Exits             uint64
	Amiss                    uint64 // what actors have seen
}

func newLedger(targets []target, faulty func(string, ...any)) *ledger {
	return &ledger{
		targets: targets, streams: map[route]*stream{}, lives: map[life]*lived{}, deeds: map[int][]deed{},
		suspects: map[process]bool{}, progress: time.Now(), faulty: faulty,
	}
}

func (l *ledger) streamLocked(r route) *stream {
	s := l.streams[r]
	if s == nil {
		s = &stream{fates: map[uint64]fates{}, lives: map[uint64]life{}, cause: map[uint64]message{}}
		l.streams[r] = s
	}
	return s
}

// sends notes that the program is about to send, and returns the message.
func (l *ledger) sends(from, to uint32, ask bool) message {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := route{from: from, to: to}
	s := l.streamLocked(r)
	s.sent++
	if ask {
		l.counts.Asks++
	} else {
		l.counts.Tells++
	}
	return message{r, s.sent}
}

// settles notes what the program's sender has got.
func (l *ledger) settles(m message, ask bool, err error) {
	f := fateOf(err)
	if err == nil && !ask {
		return // it is in the mailbox, and that is all
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f == fAnswered {
		l.counts.Answered++
	}
	l.noteLocked(m, f)
}

// take takes an entry of the journal.
func (l *ledger) take(r record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	me := life{r.Who, r.Life}
	who := l.lives[me]
	if who == nil {
		if r.Kind != booted {
			l.contradictLocked("%s: kind %d by a process that has not begun, pid %d", name(r.Who), r.Kind, r.Pid)
		}
		who = &lived{pid: int(r.Pid)}
		l.lives[me] = who
	}
	out := message{route{r.Who, r.Life, r.Peer, r.Lane}, r.Seq}
	switch r.Kind {
	case booted:
		l.counts.Boots++
	case received:
		who.last = message{route{r.Peer, r.From, r.Who, r.Lane}, r.Seq}
		l.receivedLocked(who.last, me)
	case sending, asking:
		switch {
		case r.Lane == timed:
			l.counts.Timers++
		case r.Kind == asking:
			l.counts.ActorAsks++
		default:
			l.counts.ActorTells++
		}
		s := l.streamLocked(out.route)
		if r.Seq != s.sent+1 {
			l.contradictLocked("%v: sent after %d", out, s.sent)
		}
		s.sent = r.Seq
		if !s.fates[r.Seq].accounted() {
			s.cause[r.Seq] = who.last
		}
	case refused:
		if f := fateFrom(actor.Fate(r.Fate)); f != 0 {
			l.noteLocked(out, f)
		}
	case replied:
		l.counts.AnsweredActors++
		l.noteLocked(out, fAnswered)
	case doing:
		l.deeds[who.pid] = append(l.deeds[who.pid], r.Deed)
		who.closed = who.closed || r.Deed == closesAll || r.Deed == closesOne
	case amiss:
		l.counts.Amiss++
		l.faulty("%s, pid %d, has seen what must not be: %s", name(r.Who), r.Pid, sights[r.Seq])
	}
}

// receivedLocked notes a receipt, and judges it.
func (l *ledger) receivedLocked(m message, by life) {
	s := l.streams[m.route]
	if s == nil || m.seq > s.sent || m.seq == 0 {
		l.contradictLocked("%v was received by %v but not sent, or balanced before", m, by)
		return
	}
	f := s.of(m.seq)
	again := f&fReceived != 0
	redeliver := l.targets[m.to].redeliver
	if redeliver {
		if again && s.lives[m.seq] != by {
			l.counts.Redelivered++
			again = false
			s.mark(m.seq, fAgain)
		}
		s.lives[m.seq] = by
	}
	if again {
		l.counts.Duplicates++
		l.faulty("%v was received twice", m)
		return
	}
	if l.targets[m.to].ordered && m.lane == direct {
		if m.seq < s.last {
			l.counts.Order++
			l.faulty("%v was received after %d", m, s.last)
		}
		s.last = max(s.last, m.seq)
	}
	if f&fReceived == 0 {
		l.counts.Received++
	}
	l.noteLocked(m, fReceived)
}

// letter takes a dead letter.
func (l *ledger) letter(d actor.DeadLetter) {
	var w Work
	if d.Message.Type != workType || d.Message.Decode(&w) != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.counts.OtherLetters++
		l.suspectLocked(d)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.suspectLocked(d)
	f := fLetter
	if d.Suspect {
		f = fSuspect
	}
	l.noteLocked(w.message(), f)
}

// suspectLocked holds the rule: one suspect for one process that ended.
func (l *ledger) suspectLocked(d actor.DeadLetter) {
	if !d.Suspect {
		return
	}
	e, ok := errors.AsType[*actor.DownError](d.Reason)
	if !ok {
		l.contradictLocked("%v: a suspect without a death", d)
		return
	}
	p := process{e.Down.Ref, e.Down.Incarnation}
	if l.suspects[p] {
		l.contradictLocked("%v: the second suspect of one process", d)
	}
	l.suspects[p] = true
}

// noteLocked notes a fate, and checks that it fits those before.
func (l *ledger) noteLocked(m message, f fates) {
	s := l.streamLocked(m.route)
	before := s.of(m.seq)
	if m.seq <= s.base && f&(fAnswered|fReceived) == 0 {
		l.contradictLocked("%v: told %v after the books were closed", m, f)
		return
	}
	now := before | f
	switch {
	case f == fSuspect && before&fSuspect != 0, f == fLetter && before&fLetter != 0:
		l.contradictLocked("%v is a dead letter twice: %v", m, now)
	case now&fReceived != 0 && now&(fLetter|fRefused) != 0 && !l.targets[m.to].redeliver:
		l.contradictLocked("%v was handled, and is said not to be: %v", m, now)
	case now&fAnswered != 0 && now&(fSuspect|fLetter|fRefused) != 0:
		l.contradictLocked("%v was answered, and is said to be dead: %v", m, now)
	}
	if now == before {
		return
	}
	l.progress = time.Now()
	c := &l.counts
	for bit, n := range map[fates]*uint64{fSuspect: &c.Suspects, fLetter: &c.Letters, fRefused: &c.Refused, fUnknown: &c.Unknown, fWithSender: &c.WithSender} {
		if f == bit {
			*n++
		}
	}
	if now&fReceived != 0 && now&fSuspect != 0 && (before&fReceived == 0 || before&fSuspect == 0) {
		c.SuspectsReceived++
	}
	s.fates[m.seq] = now
	if now.accounted() {
		delete(s.cause, m.seq)
	}
	s.advance()
}

// exited notes how a process ended.
func (l *ledger) exited(e actor.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Exits++
	linked := e.Down != nil && !e.Down.Via.IsZero()
	l.exits = append(l.exits, exit{pid: e.Pid, name: e.Name, reason: e.Reason, at: e.Time, linked: linked, down: e.Down})
}

func (l *ledger) contradictLocked(format string, args ...any) {
	l.counts.Contradictions++
	l.faulty(format, args...)
}

// open returns the messages that nothing explains yet, in order.
func (l *ledger) open() (open []message, progress time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, s := range l.streams {
		for n := s.floor + 1; n <= s.sent; n++ {
			if s.of(n).accounted() {
				continue
			}
			m := message{r, n}
			if cause, ok := s.cause[n]; ok && (l.interruptedLocked(cause) || l.sabotagedLocked(life{r.from, r.life})) {
				l.noteLocked(m, fWithSender)
				continue
			}
			open = append(open, m)
		}
	}
	slices.SortFunc(open, func(a, b message) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.life, b.life), cmp.Compare(a.to, b.to), cmp.Compare(a.seq, b.seq))
	})
	return open, l.progress
}

// interruptedLocked reports whether a process ended while it handled m.
func (l *ledger) interruptedLocked(m message) bool {
	s := l.streams[m.route]
	return s != nil && s.of(m.seq)&(fSuspect|fAgain) != 0
}

// sabotagedLocked reports whether a sender has ended that had closed descriptors: what it
// sent after that may have gone nowhere, although it finished the message in which it sent it.
func (l *ledger) sabotagedLocked(sender life) bool {
	who := l.lives[sender]
	return who != nil && who.closed && slices.ContainsFunc(l.exits, func(e exit) bool { return e.pid == who.pid })
}

// close closes the books, when nothing is open: what is in them can come again
// only by mistake. It forgets processes that are not alive.
func (l *ledger) close(alive func(pid int) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, s := range l.streams {
		for n, f := range s.fates {
			if f&fAnswered != 0 && f&fReceived == 0 {
				l.contradictLocked("%v was answered and not received", message{r, n})
			}
			delete(s.fates, n)
		}
		s.floor, s.base = s.sent, s.sent
		clear(s.cause)
		clear(s.lives)
	}
	for id, one := range l.lives {
		if !alive(one.pid) {
			delete(l.lives, id)
		}
	}
	for r := range l.streams {
		if r.life != 0 && l.lives[life{r.from, r.life}] == nil {
			delete(l.streams, r)
		}
	}
	l.exits = nil
	maps.DeleteFunc(l.deeds, func(pid int, _ []deed) bool { return !alive(pid) })
	clear(l.suspects)
}

// giveUp counts what is open as lost.
func (l *ledger) giveUp(open []message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, m := range open {
		l.counts.Lost++
		if i < 20 {
			s := l.streams[m.route]
			from := l.lives[life{m.from, m.life}]
			if from == nil {
				from = new(lived) // the program
			}
			l.faulty("lost: %v of %d, fate %v, sent by pid %d while handling %v; ends since the last pause: %s",
				m, s.sent, s.of(m.seq), from.pid, s.cause[m.seq], l.endsLocked(m.from, m.to))
		}
	}
}

// endsLocked tells of those that have ended of late.
func (l *ledger) endsLocked(who ...uint32) string {
	var b strings.Builder
	for _, e := range l.exits {
		if slices.ContainsFunc(who, func(n uint32) bool { return e.name == name(n) }) {
			fmt.Fprintf(&b, "%s pid %d at %v: %.80v, by a link: %t; ", e.name, e.pid, e.at.Format("05.000"), e.reason, e.linked)
		}
	}
	return b.String()
}

func (l *ledger) snapshot() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}
