package node

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func TestFeed(t *testing.T) {
	var f feed[int]
	var got []string
	note := func(who string) func(int) {
		return func(n int) { got = append(got, fmt.Sprint(who, n)) }
	}
	expect := func(what string, wanted bool, want ...string) {
		t.Helper()
		if f.wanted() != wanted {
			t.Errorf("%s: wanted is %t", what, !wanted)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
		got = nil
	}
	f.publish(1)
	expect("nobody", false)
	stopA := f.subscribe(note("a"))
	f.publish(2)
	expect("a", true, "a2")
	stopB := f.subscribe(note("b"))
	stopC := f.subscribe(note("c"))
	f.publish(3)
	expect("all", true, "a3", "b3", "c3")
	stopB()
	stopB()
	f.publish(4)
	expect("without b", true, "a4", "c4")
	stopA()
	stopC()
	f.publish(5)
	expect("nobody again", false)
	defer f.subscribe(note("d"))()
	stopA()
	f.publish(6)
	expect("d", true, "d6")
}

// A subscriber may do anything to the feed but block.
func TestFeedWithin(t *testing.T) {
	var f feed[int]
	var got []int
	var stop, late func()
	stop = f.subscribe(func(n int) {
		got = append(got, n)
		switch n {
		case 1:
			f.publish(2)
		case 2:
			late = f.subscribe(func(n int) { got = append(got, -n) })
		case 3:
			stop() // not waiting for itself
			f.publish(4)
		}
	})
	f.publish(1)
	f.publish(3)
	f.publish(5)
	if want := []int{1, 2, 3, -4, -3, -5}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	late()
	if f.wanted() {
		t.Error("somebody is left")
	}
}

// Subscribers come and go at full speed, and those that stay get everything.
func TestFeedStress(t *testing.T) {
	var f feed[int]
	const publishers, each = 4, 2000
	var all atomic.Int64
	defer f.subscribe(func(int) { all.Add(1) })()
	over := make(chan bool)
	var coming, publishing sync.WaitGroup
	for range 4 {
		coming.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				f.subscribe(func(int) {})()
			}
		})
	}
	for range publishers {
		publishing.Go(func() {
			for n := range each {
				f.publish(n)
			}
		})
	}
	publishing.Wait()
	close(over)
	coming.Wait()
	if got := all.Load(); got != publishers*each {
		t.Errorf("who stayed got %d, want %d", got, publishers*each)
	}
}

func TestFeedAllocates(t *testing.T) {
	var f feed[*Event]
	e := new(Event)
	if n := testing.AllocsPerRun(100, func() {
		if f.wanted() {
			f.publish(new(Event))
		}
		f.publish(e)
	}); n != 0 {
		t.Errorf("for nobody: %v allocations", n)
	}
	defer f.subscribe(func(*Event) {})()
	if n := testing.AllocsPerRun(100, func() { f.publish(e) }); n != 0 {
		t.Errorf("for a subscriber: %v allocations", n)
	}
}
