package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/codec"
)

// The targets of these tests, by number.
const (
	orderly   = iota
	unordered // as a pool with any route
	again     // its Spec has suspects handled again
)

func testLedger() (l *ledger, said *[]string) {
	said = new([]string)
	targets := []target{orderly: {ordered: true}, unordered: {}, again: {ordered: true, redeliver: true}}
	return newLedger(targets, func(format string, args ...any) { *said = append(*said, fmt.Sprintf(format, args...)) }), said
}

// A book has entries in the order of the journal, with the program's sends.
type book struct {
	t *testing.T
	*ledger
}

// send has the program tell a target, so often.
func (b book) send(to uint32, times int) {
	for range times {
		b.settles(b.sends(programs, to, false), false, nil)
	}
}

func (b book) begin(who uint32, lives ...uint64) {
	for _, life := range lives {
		b.take(record{Kind: booted, Who: who, Life: life, Pid: uint32(life)})
	}
}

// receive has a process receive what the program has sent.
func (b book) receive(who uint32, life uint64, seqs ...uint64) {
	for _, seq := range seqs {
		b.take(record{Kind: received, Who: who, Life: life, Peer: programs, Seq: seq, Pid: uint32(life)})
	}
}

// act has a process of a target send to another.
func (b book) act(kind recordKind, who uint32, life uint64, to uint32, seq uint64, fate actor.Fate) {
	b.take(record{Kind: kind, Who: who, Life: life, Peer: to, Seq: seq, Fate: byte(fate), Pid: uint32(life)})
}

// die makes a message a dead letter; as a suspect, of this incarnation.
func (b book) die(to uint32, seq uint64, suspect bool, incarnation uint64) {
	b.t.Helper()
	payload, err := codec.Append(nil, Work{From: programs, To: to, Seq: seq})
	if err != nil {
		b.t.Fatal(err)
	}
	b.letter(actor.DeadLetter{
		Message: &actor.Raw{Type: workType, Payload: payload}, Suspect: suspect,
		Reason: &actor.DownError{Down: actor.Down{Incarnation: incarnation}},
	})
}

// balance closes the books.
func (b book) balance() {
	open, _ := b.open()
	b.giveUp(open)
	b.ledger.close(func(int) bool { return true })
}

// TestLedger seeds violations, and what looks like one and is none.
func TestLedger(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(b book)
		want counts // the violations in it
	}{
		"all is well":       {func(b book) { b.send(orderly, 3); b.receive(orderly, 1, 1, 2, 3) }, counts{}},
		"the last is lost":  {func(b book) { b.send(orderly, 3); b.receive(orderly, 1, 1, 2) }, counts{Lost: 1}},
		"two are lost":      {func(b book) { b.send(orderly, 4); b.receive(orderly, 1, 1, 4) }, counts{Lost: 2}},
		"an Ask is lost":    {func(b book) { b.sends(programs, orderly, true) }, counts{Lost: 1}},
		"a duplicate":       {func(b book) { b.send(orderly, 2); b.receive(orderly, 1, 1, 1, 2) }, counts{Duplicates: 1}},
		"of another life":   {func(b book) { b.send(orderly, 1); b.receive(orderly, 1, 1); b.receive(orderly, 2, 1) }, counts{Duplicates: 1}},
		"after a balance":   {func(b book) { b.send(orderly, 1); b.receive(orderly, 1, 1); b.balance(); b.receive(orderly, 1, 1) }, counts{Duplicates: 1}},
		"redelivered":       {func(b book) { b.send(again, 1); b.receive(again, 1, 1); b.receive(again, 2, 1) }, counts{}},
		"twice to one life": {func(b book) { b.send(again, 1); b.receive(again, 1, 1, 1) }, counts{Duplicates: 1}},
		"out of order":      {func(b book) { b.send(orderly, 3); b.receive(orderly, 1, 1, 3, 2) }, counts{Order: 1}},
		"reversed":          {func(b book) { b.send(orderly, 3); b.receive(orderly, 1, 3, 2, 1) }, counts{Order: 2}},
		"no order promised": {func(b book) { b.send(unordered, 3); b.receive(unordered, 1, 3, 2, 1) }, counts{}},
		"never sent":        {func(b book) { b.send(orderly, 1); b.receive(orderly, 1, 1, 2) }, counts{Contradictions: 1}},
		"dead letter":       {func(b book) { b.send(orderly, 1); b.die(orderly, 1, false, 1) }, counts{}},
		"dead letter twice": {func(b book) { b.send(orderly, 1); b.die(orderly, 1, false, 1); b.die(orderly, 1, false, 1) }, counts{Contradictions: 1}},
		"dead and handled":  {func(b book) { b.send(orderly, 1); b.die(orderly, 1, false, 1); b.receive(orderly, 1, 1) }, counts{Contradictions: 1}},
		"suspect":           {func(b book) { b.send(orderly, 1); b.receive(orderly, 1, 1); b.die(orderly, 1, true, 1) }, counts{}},
		"two suspects of one process": {func(b book) {
			b.send(orderly, 2)
			b.receive(orderly, 1, 1, 2)
			b.die(orderly, 1, true, 1)
			b.die(orderly, 2, true, 1)
		}, counts{Contradictions: 1}},
		"two suspects of two": {func(b book) {
			b.send(orderly, 2)
			b.receive(orderly, 1, 1, 2)
			b.die(orderly, 1, true, 1)
			b.die(orderly, 2, true, 2)
		}, counts{}},
		"answered, not received": {func(b book) { b.settles(b.sends(programs, orderly, true), true, nil); b.die(unordered, 1, false, 1) }, counts{Lost: 1, Contradictions: 1}},
		"refused, and received": {func(b book) {
			m := b.sends(programs, orderly, false)
			b.settles(m, false, &actor.DeliveryError{Fate: actor.NotSent})
			b.receive(orderly, 1, 1)
		}, counts{Contradictions: 1}},
		"an actor leaves a number out": {func(b book) {
			b.act(sending, orderly, 1, again, 2, 0)
			b.act(refused, orderly, 1, again, 2, actor.NotSent)
		}, counts{Lost: 1, Contradictions: 1}},
		"an actor's message is lost": {func(b book) { b.act(sending, orderly, 1, again, 1, 0) }, counts{Lost: 1}},
		"it died with its sender": {func(b book) {
			b.send(orderly, 1)
			b.receive(orderly, 1, 1)
			b.act(sending, orderly, 1, again, 1, 0)
			b.die(orderly, 1, true, 1)
		}, counts{}},
		"a process that has not begun": {func(b book) { b.send(orderly, 1); b.receive(orderly, 3, 1) }, counts{Contradictions: 1}},
		"an actor saw it":              {func(b book) { b.take(record{Kind: amiss, Who: orderly, Life: 1, Seq: doubleDown}) }, counts{Amiss: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			l, said := testLedger()
			b := book{t, l}
			for who := range uint32(len(l.targets)) {
				b.begin(who, 1, 2)
			}
			test.do(b)
			b.balance()
			c := l.snapshot()
			got := counts{Lost: c.Lost, Duplicates: c.Duplicates, Order: c.Order, Contradictions: c.Contradictions, Amiss: c.Amiss}
			violations := got.Lost + got.Duplicates + got.Order + got.Contradictions + got.Amiss
			if got != test.want || uint64(len(*said)) != violations {
				t.Errorf("got %+v, want %+v; it said:\n%s", got, test.want, strings.Join(*said, "\n"))
			}
		})
	}
}

func TestJournal(t *testing.T) {
	path := t.TempDir() + "/journal"
	j, err := createJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want, got []record
	for i := range uint64(3000) { // more than one read
		r := record{Kind: received, Lane: timed, Fate: 3, Deed: panics, Who: 4, Pid: 5, Peer: 6, Life: 7, From: 8, Seq: i}
		r.append(f)
		want = append(want, r)
	}
	f.Write(make([]byte, recordSize-1)) // of a record under way
	take := func(r record) { got = append(got, r) }
	if err := j.drain(take); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d records, %v, want %d", len(got), err, len(want))
	}
	f.Write(make([]byte, 1))
	if err := j.drain(take); err == nil || len(got) != len(want) {
		t.Errorf("no record: got %v", err)
	}
}

// TestDeeds has a balance between a deed and the end of who did it: a closed descriptor may
// be missed late.
func TestDeeds(t *testing.T) {
	l, _ := testLedger()
	b := book{t, l}
	b.begin(orderly, 1, 2)
	for life := range uint64(2) {
		b.take(record{Kind: doing, Who: orderly, Life: life + 1, Pid: uint32(life + 1), Deed: closesOne})
	}
	l.close(func(pid int) bool { return pid == 1 })
	if got := l.deeds; len(got) != 1 || !slices.Equal(got[1], []deed{closesOne}) {
		t.Errorf("got %v, want those of process 1, which is alive", got)
	}
}
