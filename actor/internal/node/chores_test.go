package node

import (
	"slices"
	"testing"
)

// Chores are done in order, once each, by the timer if nobody does them before.
func TestChores(t *testing.T) {
	var c chores
	var done []int
	note := func(i int) func() { return func() { done = append(done, i) } }
	c.later(note(1))
	c.later(note(2))
	c.do()
	c.do()
	if want := []int{1, 2}; !slices.Equal(done, want) {
		t.Errorf("done are %v, want %v", done, want)
	}
	byTimer := make(chan struct{})
	c.later(func() { close(byTimer) })
	<-byTimer
}

// Whoever does the chores may count on those that somebody else is at.
func TestChoresWaits(t *testing.T) {
	var c chores
	begun, end, ended := make(chan struct{}), make(chan struct{}), false
	c.later(func() { close(begun); <-end; ended = true })
	<-begun
	go close(end)
	if c.do(); !ended {
		t.Error("do has returned before the chore had ended")
	}
}

// One chore may leave another.
func TestChoresOfChores(t *testing.T) {
	var c chores
	second := make(chan struct{})
	c.later(func() { c.later(func() { close(second) }) })
	<-second
}
