//go:build unix

package actor_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// A Ref can be written down and read again.
func TestRefNotation(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref := spawnRig(t, sys, rigArg{})
	if got, err := actor.ParseRef(ref.String()); err != nil || got != ref {
		t.Errorf("parse %q: got %v, %v", ref, got, err)
	}
	text, err := ref.MarshalText()
	var fromText, fromBinary actor.Ref
	if err == nil {
		err = fromText.UnmarshalText(text)
	}
	if err != nil || fromText != ref || string(text) != ref.String() {
		t.Errorf("as text %q: got %v, %v; want %v", text, fromText, err, ref)
	}
	binary, err := ref.MarshalBinary()
	if err == nil {
		err = fromBinary.UnmarshalBinary(binary)
	}
	if err != nil || fromBinary != ref || len(binary) != 16 {
		t.Errorf("in binary %x: got %v, %v; want %v", binary, fromBinary, err, ref)
	}
	if ref.IsZero() || !(actor.Ref{}).IsZero() {
		t.Error("IsZero is wrong")
	}
	const uuid = "4fb58a3d-6e5b-4c1a-9d4a-3a0e4b1c7f11"
	for _, bad := range []string{
		"", "actor", "actor:", uuid, "actor:" + uuid[1:], "actor:" + uuid + "0", "actor:x" + uuid[1:],
		"Actor:" + uuid, " actor:" + uuid, "actor:" + uuid + "\n", "actor:{" + uuid + "}", "actor:urn:uuid:" + uuid,
		"actor:" + strings.ReplaceAll(uuid, "-", ""),
	} {
		if got, err := actor.ParseRef(bad); err == nil {
			t.Errorf("parsed %q as %v", bad, got)
		}
	}
	for _, n := range []int{0, 15, 17} {
		if err := new(actor.Ref).UnmarshalBinary(make([]byte, n)); err == nil {
			t.Errorf("took %d bytes", n)
		}
	}
}

// Refs travel in messages, replies and arguments, as values and as keys.
func TestRefsTravel(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	a, b := spawnRig(t, sys, rigArg{}), spawnRig(t, sys, rigArg{})
	inbox := newInbox(t, sys)
	probe := spawnProbe(t, sys, probeArg{Kin: a, Greet: inbox.Ref()})
	if m, _ := receive[*actor.Raw](t, inbox); m.From != probe {
		t.Errorf("greeted by %v, want %v", m.From, probe)
	}
	if got := ask[actor.Ref](t, probe, Kin{}); got != a {
		t.Errorf("in an argument: got %v, want %v", got, a)
	}
	tell(t, probe, Introduce{b})
	if got := ask[actor.Ref](t, probe, Kin{}); got != b {
		t.Errorf("in a message: got %v, want %v", got, b)
	}
	tell(t, probe, Introduce{})
	if got := ask[actor.Ref](t, probe, Kin{}); !got.IsZero() {
		t.Errorf("got %v, want the zero Ref", got)
	}
	sum := ask[Sum](t, a, Sum{map[actor.Ref]int{a: 1, b: 2, {}: 3}})
	if want := (map[actor.Ref]int{a: 2, b: 3, {}: 4}); !maps.Equal(sum.Of, want) {
		t.Errorf("as keys: got %v, want %v", sum.Of, want)
	}
	if got := ask[actor.Ref](t, a, Introduce{b}); !got.IsZero() {
		t.Errorf("the program's messages come from %v", got)
	}
}

// A Ref read from text works like the one it was written from, and after the
// end of the actor it is nobody's.
func TestParsedRefWorks(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	ref, err := actor.ParseRef(spawnRig(t, sys, rigArg{}).String())
	if err != nil {
		t.Fatal(err)
	}
	if got := ask[string](t, ref, Echo{"x"}); got != "x" {
		t.Errorf("got %q", got)
	}
	if err := ref.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next := spawnRig(t, sys, rigArg{}); next == ref {
		t.Error("an address was given twice")
	}
}
