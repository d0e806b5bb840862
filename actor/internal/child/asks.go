package child

import "sync"

const (
	// askSpare is how many answered Asks may stand before the others in the list.
	askSpare = 64

	// askRest is the longest list that an empty one keeps its memory of.
	askRest = 1024
)

// An askList holds the Asks that were read and are not answered, for a Cancel to find. They are
// answered in the order in which they came, so there is nothing to look for but by a Cancel:
// those are rare, and only from the first on, until all is answered, there is an index.
type askList struct {
	mu    sync.Mutex // protects the following
	open  []*ask     // open[first:], oldest first
	first int
	index map[uint64]*ask // of open, by correlation; nil if there is none
}

func (l *askList) push(a *ask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, a)
	if l.index != nil {
		l.index[a.corr] = a
	}
}

// pop removes the oldest.
func (l *askList) pop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.open[l.first]
	l.open[l.first] = nil
	l.first++
	switch left := len(l.open) - l.first; {
	case left == 0:
		l.index = nil
		if l.open, l.first = l.open[:0], 0; cap(l.open) > askRest {
			l.open = nil
		}
		return
	case l.first >= max(askSpare, left):
		copy(l.open, l.open[l.first:])
		clear(l.open[left:])
		l.open, l.first = l.open[:left], 0
	}
	if l.index != nil {
		delete(l.index, a.corr)
	}
}

// find returns nil if corr is answered, or was never asked.
func (l *askList) find(corr uint64) *ask {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == len(l.open) {
		return nil
	}
	if l.index == nil {
		l.index = make(map[uint64]*ask, len(l.open)-l.first)
		for _, a := range l.open[l.first:] {
			l.index[a.corr] = a
		}
	}
	return l.index[corr]
}
