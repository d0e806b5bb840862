package codec

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
)

// distinct returns n types that differ from each other.
func distinct(n int) []reflect.Type {
	types := make([]reflect.Type, n)
	for i := range types {
		types[i] = reflect.ArrayOf(i, reflect.TypeFor[byte]())
	}
	return types
}

// Each type has something of its own, which is made once, whoever asks.
func TestTypeTable(t *testing.T) {
	made := make(map[reflect.Type]int)
	table := TypeTable[reflect.Type]{New: func(t reflect.Type) *reflect.Type { made[t]++; return &t }}
	types := distinct(3 * recentTypes) // so that some share a place
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				for _, typ := range types {
					if got := *table.For(typ); got != typ {
						t.Errorf("%v has what %v has", typ, got)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, typ := range types {
		if made[typ] != 1 {
			t.Errorf("%v: made %d times", typ, made[typ])
		}
	}
}

// What is made for the first MaxTypes types is kept, and no more.
func TestTypeTableLimit(t *testing.T) {
	made := 0
	table := TypeTable[int]{New: func(reflect.Type) *int { made++; return new(made) }}
	for i, typ := range distinct(MaxTypes + 1) {
		first := table.For(typ)
		table.recent = [recentTypes]typePlace[int]{}
		if kept := first == table.For(typ); kept != (i < MaxTypes) {
			t.Fatalf("type %d: kept: %t", i+1, kept)
		}
	}
	if len(table.all) != MaxTypes {
		t.Errorf("the table has %d types, want %d", len(table.all), MaxTypes)
	}
}

// A type that comes too late never has a plan.
func TestTooManyPlans(t *testing.T) {
	full := TypeTable[planned]{New: plans.New}
	for _, typ := range distinct(MaxTypes) {
		full.For(typ)
	}
	for range 2 * planAfter {
		if p := full.For(reflect.TypeFor[counted]()); p.uses.Add(1) >= planAfter {
			t.Fatal("one more type is counted")
		}
	}
}

func BenchmarkTypeTable(b *testing.B) {
	table := TypeTable[reflect.Type]{New: func(t reflect.Type) *reflect.Type { return &t }}
	types := distinct(recentTypes)
	for _, n := range []int{1, 8, recentTypes} {
		b.Run(fmt.Sprintf("types=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				table.For(types[i%n])
			}
		})
	}
}
