package main

import (
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
)

func TestBacklog(t *testing.T) {
	b := make(backlog, lettersLimit)
	for n := 1; n <= lettersLimit+1; n++ {
		err := b.put(actor.DeadLetter{Attempts: n})
		if (err != nil) != (n > lettersLimit) {
			t.Fatalf("letter %d of %d: got %v", n, lettersLimit, err)
		}
		if n > lettersLimit && (err != error(overload{lettersLimit}) || !strings.Contains(err.Error(), "16384")) {
			t.Errorf("got %v, want an overload that names the limit", err)
		}
	}
	if got := len(b); got != lettersLimit {
		t.Errorf("%d letters are in it, want %d", got, lettersLimit)
	}
	if first := <-b; first.Attempts != 1 {
		t.Errorf("the first is number %d", first.Attempts)
	}
	if err := b.put(actor.DeadLetter{}); err != nil {
		t.Errorf("there is room again: got %v", err)
	}
}
