package node

import (
	"iter"
	"sync"
)

// Many goroutines ask at once, and each answer is taken by another: one map under one lock would
// be what they wait for.
const (
	askShards = 4
	askSlots  = 16 // of each at most, for as many numbers in a row
)

// An askTable holds the unanswered Asks, by the correlation that the process sees, from 1. The zero table is
// empty.
type askTable [askShards]askShard

type askShard struct {
	mu    sync.Mutex // protects the following
	over  bool
	slots []askSlot           // a power of two of them; nil before the first use
	more  map[uint64]*pending // those whose slot is taken

	_ [16]byte // to the end of the cache line
}

// askSlot is free if corr is 0.
type askSlot struct {
	corr uint64
	pending
}

func (t *askTable) shard(corr uint64) *askShard { return &t[corr%askShards] }

func (s *askShard) slot(corr uint64) *askSlot { return &s.slots[corr/askShards%uint64(len(s.slots))] }

// put reports false once the table is closed.
func (t *askTable) put(corr uint64, p pending) bool {
	s := t.shard(corr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	if s.slots == nil {
		s.slots = make([]askSlot, 1) // many are asked by nobody but one
	}
	for {
		slot := s.slot(corr)
		switch {
		case slot.corr == 0:
			*slot = askSlot{corr, p}
			return true
		case len(s.slots) < askSlots:
			s.grow()
			continue
		case s.more == nil:
			s.more = make(map[uint64]*pending)
		}
		rare := p // p itself would be on the heap each time
		s.more[corr] = &rare
		return true
	}
}

// grow doubles the slots. What was in two of the old is in two of the new.
func (s *askShard) grow() {
	old := s.slots
	s.slots = make([]askSlot, 2*len(old))
	for _, slot := range old {
		if slot.corr != 0 {
			*s.slot(slot.corr) = slot
		}
	}
}

// find returns what put was given, in its place, or nil.
func (s *askShard) find(corr uint64) *pending {
	if s.slots == nil || corr == 0 {
		return nil
	}
	if slot := s.slot(corr); slot.corr == corr {
		return &slot.pending
	}
	return s.more[corr]
}

// get returns what put was given.
func (t *askTable) get(corr uint64) (pending, bool) {
	s := t.shard(corr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(corr); p != nil {
		return *p, true
	}
	return pending{}, false
}

// take removes and returns what put was given.
func (t *askTable) take(corr uint64) (pending, bool) {
	s := t.shard(corr)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(corr)
	if found == nil {
		return pending{}, false
	}
	p := *found
	if slot := s.slot(corr); slot.corr == corr {
		*slot = askSlot{}
	} else {
		delete(s.more, corr)
	}
	return p, true
}

// sent notes that the mailbox has the Ask of a link.
func (t *askTable) sent(corr uint64) {
	s := t.shard(corr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(corr); p != nil {
		p.sent = true
	}
}

// all goes through what there is at the moment; body may use the table.
func (t *askTable) all() iter.Seq2[uint64, pending] {
	return func(yield func(uint64, pending) bool) {
		for i := range t {
			t[i].mu.Lock()
			left := t[i].list()
			t[i].mu.Unlock()
			for _, e := range left {
				if !yield(e.corr, e.pending) {
					return
				}
			}
		}
	}
}

func (s *askShard) list() []askSlot {
	var all []askSlot
	for _, slot := range s.slots {
		if slot.corr != 0 {
			all = append(all, slot)
		}
	}
	for corr, p := range s.more {
		all = append(all, askSlot{corr, *p})
	}
	return all
}

// close empties the table for good, and returns what was in it.
func (t *askTable) close() []askSlot {
	var all []askSlot
	for i := range t {
		s := &t[i]
		s.mu.Lock()
		all = append(all, s.list()...)
		s.over, s.slots, s.more = true, nil, nil
		s.mu.Unlock()
	}
	return all
}
