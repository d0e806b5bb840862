//go:build unix

package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// elements is msgpack of an array of n times the same one.
func elements(n int, element byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0xdd}, uint32(n)), bytes.Repeat([]byte{element}, n)...)
}

func TestValuesAreBounded(t *testing.T) {
	for _, limit := range []int{maxValues, maxPlan} {
		for n := -1; n <= 1; n++ {
			var texts []string
			err := decode(elements(limit-1+n, 0xa0), &texts, limit) // the array is one, too
			if got, ok := errors.AsType[tooManyValues](err); ok != (n > 0) || ok && int(got) != limit {
				t.Errorf("%d values: %v", limit+n, err)
			}
		}
	}
}

// Children that are one byte each would be gigabytes. The asker is told; nothing is decoded.
func TestPlanOfTooManyValues(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	b, err := codec.Append(nil, wire.Child{Supervisor: &wire.Supervisor{Name: "here"}})
	if err != nil {
		t.Fatal(err)
	}
	supervisor, err := codec.Append(nil, wire.Supervisor{Name: "here"}) // its last byte is a nil for the children
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, supervisor) + len(supervisor)
	payload := append(append(bytes.Clone(b[:at-1]), elements(1<<20, 0xc0)...), b[at:]...)
	if err := codec.Decode(payload, new(wire.Child)); err != nil {
		t.Fatalf("no plan: %v", err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = s.self.proc.link.serve(&codec.Envelope{Kind: wire.KindAsk, Corr: 7, Type: []byte(wire.ServiceSpawn), Payload: payload})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Errorf("it counts as a breach: %v", err)
	}
	if s.self.proc.link.isAsking(7) {
		t.Error("the asker is not answered")
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated", got)
	}
}

// Of an error that is too long the asker learns that, and how long it may be.
func TestFailureSize(t *testing.T) {
	spawntest.Check(t)
	s := newStage(t)
	defer s.strike()
	failure := func(n int) []byte {
		payload, err := codec.Append(nil, &wire.Failure{Text: strings.Repeat("x", n)})
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	extra := len(failure(maxFailure/2)) - maxFailure/2
	for n := -1; n <= 1; n++ {
		corr, call := uint64(100+n), newCall()
		s.self.await(corr, pending{call: call})
		env := codec.Envelope{Kind: wire.KindFail, Corr: corr, Payload: failure(maxFailure - extra + n)}
		if len(env.Payload) != maxFailure+n {
			t.Fatalf("%d bytes", len(env.Payload))
		}
		if err := s.self.proc.link.answer(&env); err != nil {
			t.Fatal(err)
		}
		<-call.done
		if got := strings.Contains(call.failure.Text, fmt.Sprint(maxFailure)); got != (n > 0) {
			t.Errorf("an error of %d bytes: %.80q", len(env.Payload), call.failure.Text)
		}
	}
}
