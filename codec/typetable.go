package codec

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A TypeTable has a T for each Go type that it was asked for: New makes it, once. A program can make types without
// end, so what is made for those after the first [MaxTypes] is not kept. Its methods are safe for concurrent use.
type TypeTable[T any] struct {
	// New is called with a lock held, and must not ask the table itself.
	New func(reflect.Type) *T

	// recent has what was asked for last, by a part of its address: 2 ns, and a map takes 10, twice
	// for each message on either side (BenchmarkTypeTable).
	recent [recentTypes]typePlace[T]

	mu  sync.Mutex // protects the following
	all map[reflect.Type]*typeEntry[T]
}

const (
	// MaxTypes is how many types a TypeTable keeps something for.
	MaxTypes = 1000

	recentBits  = 6
	recentTypes = 1 << recentBits
)

type typeEntry[T any] struct {
	at   unsafe.Pointer // where the type is described: at one place for each
	made *T
}

type typePlace[T any] = atomic.Pointer[typeEntry[T]]

// For returns what the table has for typ, which must not be nil.
func (t *TypeTable[T]) For(typ reflect.Type) *T {
	at := (*interfaceValue)(unsafe.Pointer(&typ)).data
	if e := t.place(at).Load(); e != nil && e.at == at {
		return e.made
	}
	return t.find(at, typ)
}

// interfaceValue is how a value of an interface type lies in memory.
type interfaceValue struct{ typ, data unsafe.Pointer }

func (t *TypeTable[T]) place(at unsafe.Pointer) *typePlace[T] {
	const golden = 0x9e3779b97f4a7c15 // Knuth's multiplicative hashing: descriptions lie in a row
	return &t.recent[uint64(uintptr(at))*golden>>(64-recentBits)]
}

func (t *TypeTable[T]) find(at unsafe.Pointer, typ reflect.Type) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.all[typ]
	if e == nil {
		e = &typeEntry[T]{at, t.New(typ)}
		if len(t.all) >= MaxTypes {
			return e.made
		}
		if t.all == nil {
			t.all = make(map[reflect.Type]*typeEntry[T])
		}
		t.all[typ] = e
	}
	t.place(at).Store(e)
	return e.made
}
