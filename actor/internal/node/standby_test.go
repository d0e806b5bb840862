//go:build unix

package node

import (
	"runtime"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/tree"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/spawn"
)

// idleStandbys are n standbys without processes: enough to be roused.
func idleStandbys(n int) *standbys {
	s := newStandbys(nil, n)
	for range n {
		p := newProcess(nil)
		p.os = new(spawn.Process)
		s.waiting = append(s.waiting, p)
	}
	return s
}

// Each standby is roused once, in the order in which they are taken, and for no Spec that it cannot serve.
func TestRouse(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("with one processor none is roused")
	}
	s := idleStandbys(2)
	for i, step := range []struct {
		spec wire.Spec
		want [2]bool
	}{
		{wire.Spec{Procs: 2}, [2]bool{}},
		{wire.Spec{Env: []string{}}, [2]bool{}},
		{wire.Spec{}, [2]bool{true, false}},
		{wire.Spec{}, [2]bool{true, true}},
		{wire.Spec{}, [2]bool{true, true}},
	} {
		s.rouse(&step.spec)
		if got := [2]bool{s.waiting[0].roused, s.waiting[1].roused}; got != step.want {
			t.Errorf("step %d: roused are %v, want %v", i, got, step.want)
		}
	}
}

// A standby is roused after an end that is likely to be followed by a restart.
func TestRouseAfter(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("with one processor none is roused")
	}
	for _, test := range []struct {
		restart tree.Restart
		ordered bool
		want    bool
	}{
		{tree.Permanent, false, true},
		{tree.Transient, false, true},
		{tree.Temporary, false, false},
		{tree.Permanent, true, false},
	} {
		s := idleStandbys(1)
		p := newProcess(nil)
		p.cell = &Cell{spec: new(wire.Spec), member: &member{spec: &tree.Child{Restart: test.restart}}}
		p.ordered.Store(test.ordered)
		s.rouseAfter(p)
		if got := s.waiting[0].roused; got != test.want {
			t.Errorf("%+v: roused is %t", test, got)
		}
	}
}
