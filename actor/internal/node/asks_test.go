package node

import (
	"maps"
	"slices"
	"testing"
)

// More Asks than there are slots are found, taken once, and are all there at the end.
func TestAskTable(t *testing.T) {
	var table askTable
	const n = 3 * askShards * askSlots
	if _, ok := table.take(1); ok {
		t.Error("an empty table has one")
	}
	want := make(map[uint64]uint64)
	for corr := uint64(1); corr <= n; corr++ {
		if !table.put(corr, pending{corr: corr + 1000}) {
			t.Fatalf("%d is refused", corr)
		}
		want[corr] = corr + 1000
	}
	for corr := uint64(1); corr <= n; corr += 3 {
		table.sent(corr)
		if p, ok := table.get(corr); !ok || !p.sent || p.corr != want[corr] {
			t.Errorf("%d: got %v, %v", corr, p, ok)
		}
		if p, ok := table.take(corr); !ok || p.corr != want[corr] {
			t.Errorf("%d: took %v, %v", corr, p, ok)
		}
		if _, ok := table.take(corr); ok {
			t.Errorf("%d was taken twice", corr)
		}
		table.sent(corr)
		delete(want, corr)
	}
	got := make(map[uint64]uint64)
	for corr, p := range table.all() {
		got[corr] = p.corr
		if p.sent {
			t.Errorf("%d is sent", corr)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("all are %v\nwant %v", got, want)
	}
	var rest []uint64
	for _, e := range table.close() {
		rest = append(rest, e.corr)
	}
	slices.Sort(rest)
	if !slices.Equal(rest, slices.Sorted(maps.Keys(want))) {
		t.Errorf("close returns %v", rest)
	}
	if _, ok := table.get(2); ok || table.put(2, pending{}) || len(table.close()) > 0 {
		t.Error("it is closed, and has one")
	}
}
