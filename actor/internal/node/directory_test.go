package node

import (
	"fmt"
	"sync"
	"testing"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// aTarget returns a target that is no other.
func aTarget() target { return new(Inbox) }

// TestDirectory checks addresses that share a place among the recent ones.
func TestDirectory(t *testing.T) {
	var d directory
	id := func(n int) codec.ID { return codec.ID{0: byte(n % 2 * recentListings), 1: byte(n), 2: byte(n >> 8)} }
	all := map[codec.ID]target{}
	check := func(when string) {
		t.Helper()
		for range 2 { // found in all, then among the recent
			for n := range 100 {
				got, ok := d.Load(id(n))
				if want, known := all[id(n)]; got != want || ok != known {
					t.Fatalf("%s: %d: got %v, %v; want %v, %v", when, n, got, ok, want, known)
				}
			}
		}
	}
	check("empty")
	for n := range 100 {
		all[id(n)] = aTarget()
		d.Store(id(n), all[id(n)])
	}
	check("full")
	for n := 0; n < 100; n += 3 {
		all[id(n)] = aTarget()
		d.Store(id(n), all[id(n)])
	}
	check("replaced")
	for n := 0; n < 100; n += 2 {
		delete(all, id(n))
		d.Delete(id(n))
		d.Delete(id(n))
	}
	check("half of them deleted")
	for n := range 100 {
		all[id(n)] = aTarget()
		d.Store(id(n), all[id(n)])
	}
	check("full again")
}

// TestDirectoryAtOnce checks that whoever has seen a change, sees nothing older any more.
func TestDirectoryAtOnce(t *testing.T) {
	var d directory
	id := codec.ID{1}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					d.Load(id)
				}
			}
		})
	}
	for n := range 20000 {
		want := aTarget()
		d.Store(id, want)
		if got, ok := d.Load(id); !ok || got != want {
			t.Fatalf("round %d: got %v after Store", n, got)
		}
		d.Delete(id)
		if got, ok := d.Load(id); ok {
			t.Fatalf("round %d: got %v after Delete", n, got)
		}
	}
	close(stop)
	readers.Wait()
}

// BenchmarkDirectory looks up one of so many addresses in turn.
func BenchmarkDirectory(b *testing.B) {
	for _, n := range []int{1, 16, 4096} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var d directory
			ids := make([]codec.ID, n)
			for i := range ids {
				ids[i] = wire.NewID()
				d.Store(ids[i], aTarget())
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := d.Load(ids[i%n]); !ok {
					b.Fatal("not found")
				}
				i++
			}
		})
	}
}
