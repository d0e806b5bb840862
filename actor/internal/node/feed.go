package node

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A feed passes values on to whoever has subscribed. The zero value has no subscribers. All
// methods are safe for concurrent use.
type feed[T any] struct {
	mu   sync.Mutex                   // serializes changes of list
	list atomic.Pointer[[]*(func(T))] // replaced, never changed; nil if there is nobody
}

// wanted reports whether anybody has subscribed: who would publish asks first, and builds
// nothing for nobody. It costs one load.
func (f *feed[T]) wanted() bool { return f.list.Load() != nil }

// publish calls all subscribers, in the order in which they came, on this goroutine. Calls
// for values that are published at the same time can overlap.
func (f *feed[T]) publish(v T) {
	if list := f.list.Load(); list != nil {
		for _, notify := range *list {
			(*notify)(v)
		}
	}
}

// subscribe has notify called with whatever is published from now on. notify must not
// block; it may publish, subscribe and stop. Calls that have begun, or were about to, can
// outlast stop.
func (f *feed[T]) subscribe(notify func(T)) (stop func()) {
	f.change(func(list []*func(T)) []*func(T) { return append(list, &notify) })
	return func() {
		f.change(func(list []*func(T)) []*func(T) {
			return slices.DeleteFunc(list, func(other *func(T)) bool { return other == &notify })
		})
	}
}

// change replaces the list by what edit makes of a copy of it.
func (f *feed[T]) change(edit func([]*func(T)) []*func(T)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*func(T)
	if old := f.list.Load(); old != nil {
		list = slices.Clone(*old)
	}
	if list = edit(list); len(list) == 0 {
		f.list.Store(nil)
		return
	}
	f.list.Store(&list)
}
