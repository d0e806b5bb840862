package child

import "testing"

// Asks are found until they are answered, whether a Cancel has come before or not.
func TestAskList(t *testing.T) {
	var l askList
	var open []uint64
	next := uint64(0)
	look := func() {
		t.Helper()
		for corr := range next + 2 {
			a := l.find(corr)
			if want := len(open) > 0 && corr >= open[0] && corr <= next; (a != nil) != want || a != nil && a.corr != corr {
				t.Fatalf("%d of %v: got %v", corr, open, a)
			}
		}
	}
	push := func(n int) {
		for range n {
			next++
			l.push(&ask{corr: next})
			open = append(open, next)
		}
	}
	pop := func(n int) {
		for range n {
			l.pop()
			open = open[1:]
		}
	}
	look()
	push(3)
	pop(1)
	look() // makes the index
	push(2)
	pop(2)
	look()
	pop(2)
	look()
	push(askRest + askSpare)
	look()
	pop(askRest)
	if look(); len(l.open) >= askRest {
		t.Errorf("%d are kept for %d", len(l.open), len(open))
	}
	pop(len(open))
	if l.open != nil || l.first != 0 || l.index != nil {
		t.Errorf("an empty list keeps %d", cap(l.open))
	}
	push(1)
	look()
}
