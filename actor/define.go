package actor

import (
	"fmt"
	"strings"

	"github.com/progeny-go/progeny/actor/internal/child"
	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// None is the argument of an actor type that takes none.
type None struct{}

// Zero is the start function of an actor whose zero value is ready for use.
func Zero[S any](*Context, None) (*S, error) { return new(S), nil }

// A Type is an actor type with the argument type A, made by [Define]. It is
// itself something to spawn: an actor with A's zero value as its argument.
type Type[A any] struct{ def *definition }

// definition is an actor type without its type parameters.
type definition struct {
	name string
	protocol
	fatal []Reason // see Type.Fatal
	// new makes the code of one actor, in its process.
	new func(*child.Child) child.Behaviour
}

// definitions are all actor types of this program. They are defined while
// package variables are initialised, by one goroutine, and only read after.
var definitions = map[string]*definition{}

// maxTypeName is the longest name of an actor type, in bytes.
const maxTypeName = 128

// Define makes an actor type. start makes the actor's state, in its process,
// before its first message, and after every restart again; an error from it is
// Spawn's error, as [InitFailed]. One that wraps [ErrIgnore] says that there is
// nothing to run: that is no failure, and not tried again.
// The handlers are the actor's protocol: a message of any other type is refused
// at the sender with [ErrUnhandled].
//
// The name is what ps, logs and errors show, and what the new process looks the
// type up by. Define is to be called in package variables or, for a type whose
// handlers spawn that same type, in an init function: Go does not allow a variable
// to depend on itself. It panics if the
// name is empty, too long (128 bytes), not printable or defined already, and
// if two handlers take the same message type.
func Define[S, A any](name string, start func(*Context, A) (*S, error), handlers ...Handler[S]) Type[A] {
	if name == "" || len(name) > maxTypeName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		panic(fmt.Sprintf("actor.Define: %q is no name for a type: 1 to %d bytes, no control characters", name, maxTypeName))
	}
	if _, taken := definitions[name]; taken {
		panic(fmt.Sprintf("actor.Define: %q is defined already", name))
	}
	table := newTable(name, handlers)
	def := &definition{name: name, protocol: table.protocol}
	def.new = func(c *child.Child) child.Behaviour {
		return &behaviour[S, A]{child: c, start: start, table: table}
	}
	definitions[name] = def
	return Type[A]{def}
}

// Name returns the name the type was defined under.
func (t Type[A]) Name() string { return t.def.name }

// With returns the Spec of an actor with this argument. The argument travels to
// the new process as msgpack: only its exported fields do, and a [Ref] may be
// among them. One that cannot be encoded is Spawn's error.
func (t Type[A]) With(arg A) Spec { return Spec{def: t.def, arg: arg} }

func (t Type[A]) spec() Spec {
	var arg A
	return t.With(arg)
}

func (t Type[A]) child() (wire.Child, error)      { return t.spec().child() }
func (t Type[A]) label() (actorType, name string) { return t.spec().label() }

// behaviour is an actor's code and state in its process.
type behaviour[S, A any] struct {
	child *child.Child
	start func(*Context, A) (*S, error)
	table table[S]
	state *S
	spare []Context

	// Of the last message, as the next one is often of the same type and sender.
	lastType   string
	lastHandle handle[S]
	lastTell   *Context
}

// A Stopper is an actor that wants to know of its orderly end. Stop runs after
// the last message, when the actor was asked to stop or ends itself
// ([Context.Exit]); it may still send. It must return before the Spec's StopTimeout
// is over. It does not run when the process dies.
type Stopper interface {
	Stop(*Context)
}

func (b *behaviour[S, A]) Start(encoded []byte) error {
	var arg A
	if err := codec.Decode(encoded, &arg); err != nil {
		return fmt.Errorf("decode argument: %w", err)
	}
	state, err := b.start(&Context{child: b.child}, arg)
	if err != nil {
		return err
	}
	if state == nil {
		return fmt.Errorf("the start function of %s returned neither an actor nor an error", b.child.Init().Type)
	}
	b.state = state
	return nil
}

func (b *behaviour[S, A]) Handle(d *child.Delivery) ([]byte, any, error) {
	if b.lastHandle == nil || !d.Same && string(d.Type) != b.lastType {
		h := b.table.find(d.Type)
		if h == nil {
			b.lastHandle = nil // the next one is to be looked for, even if it is the Same
			return nil, nil, fmt.Errorf("%w: %s", ErrUnhandled, d.Type)
		}
		b.lastType, b.lastHandle = string(d.Type), h
	}
	if d.Asked() {
		return b.lastHandle(b.state, b.context(d.Origin), d)
	}
	// Of a Tell there is nothing that ends: those of one sender can have the same Context.
	if b.lastTell == nil || !d.Same && b.lastTell.origin != d.Origin {
		b.lastTell = b.context(d.Origin)
	}
	return b.lastHandle(b.state, b.lastTell, d)
}

// context makes Contexts a few at a time, which takes a third of the time
// that one by one does. One that is kept keeps those made with it.
func (b *behaviour[S, A]) context(o child.Origin) *Context {
	if len(b.spare) == 0 {
		b.spare = make([]Context, 8)
	}
	c := &b.spare[0]
	b.spare = b.spare[1:]
	c.child, c.origin = b.child, o
	return c
}

func (b *behaviour[S, A]) Stop() {
	if s, ok := any(b.state).(Stopper); ok {
		s.Stop(&Context{child: b.child})
	}
}
