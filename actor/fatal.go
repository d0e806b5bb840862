package actor

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/progeny-go/progeny/actor/internal/wire"
)

// Fatal says which ends of an actor of this type no restart can mend: after one
// of them it stays down, whatever its Restart and its budget say. Its siblings
// are left alone. t is changed and returned, for use where it is defined:
//
//	var server = actor.Define("server", start, handlers...).Fatal(actor.ExitCode{Code: 64})
//
// An end matches a reason of the same type in which every field that is not zero
// is equal; [InitFailed] and [Failed] match by errors.Is, for which the error has
// to be registered ([RegisterError]). So Fatal(actor.InitFailed{}) is for whatever
// the start function returns. It panics if a reason is nil or a normal end.
//
// Like Define it is for package variables and init functions.
func (t Type[A]) Fatal(reasons ...Reason) Type[A] {
	for _, r := range reasons {
		if r == nil || r.IsNormal() {
			panic(fmt.Sprintf("actor.Type.Fatal: %q: %v is no abnormal end", t.def.name, r))
		}
	}
	t.def.fatal = append(t.def.fatal, reasons...)
	return t
}

// Fatal reports whether no restart can mend this end.
func (d *definition) Fatal(w *wire.Reason) bool {
	if len(d.fatal) == 0 {
		return false
	}
	r := newReason(*w)
	for _, pattern := range d.fatal {
		if matches(r, pattern) {
			return true
		}
	}
	return false
}

func matches(r, pattern Reason) bool {
	got, want := reflect.ValueOf(r), reflect.ValueOf(pattern)
	if got.Type() != want.Type() {
		return false
	}
	for i := range want.NumField() {
		switch g, w := got.Field(i), want.Field(i); {
		case w.IsZero():
		case w.Kind() == reflect.Interface: // Err
			if !errors.Is(g.Interface().(error), w.Interface().(error)) {
				return false
			}
		case !g.Equal(w):
			return false
		}
	}
	return true
}
