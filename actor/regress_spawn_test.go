//go:build unix

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
)

// maxChildren is how many children of supervisors one request may start.
const maxChildren = 4096

// regLate is a context that ends as soon as somebody waits for it.
type regLate struct {
	context.Context
	end context.CancelFunc
}

func newRegLate() regLate {
	ctx, cancel := context.WithCancel(context.Background())
	return regLate{ctx, cancel}
}

func (c regLate) Done() <-chan struct{} {
	c.end()
	return c.Context.Done()
}

// regHatch spawns so many that are refused, and gives each up at once.
type regHatch struct{ N int }

// A hatcher spawns its own type, hence the init function.
type regHatcher struct{}

var hatchers actor.Type[int]

func init() {
	hatchers = actor.Define("hatcher", func(*actor.Context, int) (*regHatcher, error) { return new(regHatcher), nil },
		actor.On((*regHatcher).Hatch), actor.On((*regHatcher).Echo))
}

func (*regHatcher) Hatch(c *actor.Context, m regHatch) (int, error) {
	failed := 0
	for range m.N {
		if _, err := c.Spawn(newRegLate(), regRefused()); err != nil {
			failed++
		}
	}
	return failed, nil
}

func (*regHatcher) Echo(_ *actor.Context, m Echo) (string, error) { return m.Text, nil }

// regRefused is an actor that no tree takes: it is significant to nobody.
func regRefused() actor.Spec {
	spec := hatchers.With(0)
	spec.Significant = true
	return spec
}

// regBranch is a supervisor of others.
func regBranch(name string, children ...actor.Child) actor.Supervisor {
	return actor.Supervisor{Name: name, Children: children}
}

// regLeaves are supervisors that have no children and no names.
func regLeaves(n int) []actor.Child { return slices.Repeat([]actor.Child{actor.Supervisor{}}, n) }

// regFree checks that nobody has these names, and that each can be had.
func regFree(t *testing.T, sys *actor.System, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := sys.Lookup(name); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("lookup %q: got %v, want ErrNoActor", name, err)
		}
		ref, err := sys.Spawn(t.Context(), regBranch(name))
		if err != nil {
			t.Errorf("the name %q is lost: %v", name, err)
			continue
		}
		if err := ref.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A Spawn that is given up ends what it has started, and nothing else.
func TestRegressSpawnGivenUp(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	bystander := svSpawn(t, sys, hatchers.With(0))
	watch := sys.Watch(bystander)
	const n = 100 // whether the answer or the end of the context is seen first is chance
	for range n {
		for _, what := range []actor.Child{regRefused(), regBranch("", regRefused()), regBranch("x", regBranch("x"))} {
			if _, err := sys.Spawn(newRegLate(), what); err == nil {
				t.Fatalf("%+v was spawned", what)
			}
		}
	}
	if failed := ask[int](t, bystander, regHatch{n}); failed != n {
		t.Errorf("by an actor: %d of %d failed", failed, n)
	}
	// Those that take time to start.
	for _, what := range []actor.Child{hatchers.With(0).Named("x"), regBranch("x", hatchers.With(0))} {
		if _, err := sys.Spawn(newRegLate(), what); err == nil {
			t.Fatalf("%+v was spawned", what)
		}
		regFree(t, sys, "x")
	}
	if got := ask[string](t, bystander, Echo{"alive"}); got != "alive" {
		t.Errorf("got %q", got)
	}
	svQuiet(t, "Down", watch.C)
	for c := range sys.Children() {
		if c.Ref != bystander {
			t.Errorf("%v is left", c)
		}
	}
}

// A start that fails gives back every name in it, of whatever was up and whatever never was.
func TestRegressNamesOfAFailedStart(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	bad := prober.With(probeArg{Fail: "no"})
	good := func(name string) actor.Child { return survivors.With(svArg{}).Named(name) }
	refused := survivors.With(svArg{})
	refused.Significant = true
	for name, tree := range map[string]actor.Child{
		"the first":        regBranch("A", bad, regBranch("B", regBranch("C"), good("D"))),
		"the last":         regBranch("A", regBranch("B", good("C")), regBranch("D"), bad),
		"in the middle":    regBranch("A", regBranch("B"), regBranch("C", bad), good("D")),
		"deep":             regBranch("A", regBranch("B", regBranch("C", bad, regBranch("D")))),
		"of the plan":      regBranch("A", regBranch("B", regBranch("C")), regBranch("D", refused)),
		"a name twice":     regBranch("A", regBranch("B"), regBranch("C"), good("D"), regBranch("", regBranch("B"))),
		"an actor's twice": regBranch("A", regBranch("B"), regBranch("C", good("D")), regBranch("", good("D"))),
		"of a template":    regBranch("A", regBranch("B"), regBranch("C"), regBranch("D"), actor.Supervisor{Strategy: actor.Dynamic}),
	} {
		t.Run(name, func(t *testing.T) {
			if ref, err := sys.Spawn(t.Context(), tree); err == nil {
				t.Fatalf("it was started: %v", ref)
			}
			regFree(t, sys, "A", "B", "C", "D")
		})
		t.Run(name+", as a child", func(t *testing.T) {
			sup := svSpawn(t, sys, regBranch("top", regBranch("other")))
			if ref, err := sup.StartChild(t.Context(), tree); err == nil {
				t.Fatalf("it was started: %v", ref)
			}
			regFree(t, sys, "A", "B", "C", "D")
			if _, err := sys.Lookup("other"); err != nil {
				t.Errorf("its sibling: %v", err)
			}
			if err := sup.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			regFree(t, sys, "top", "other")
		})
	}
}

// What is stopped has no names, and has them again when it is started by hand.
func TestRegressNamesOfAStoppedTree(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	sup := svSpawn(t, sys, regBranch("top", regBranch("A", regBranch("B", survivors.With(svArg{}).Named("C")))))
	a, err := sys.Lookup("A")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sup.TerminateChild(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		regFree(t, sys, "A", "B", "C")
		if err := sup.RestartChild(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"A", "B", "C"} {
			if _, err := sys.Lookup(name); err != nil {
				t.Errorf("after the restart: %v", err)
			}
		}
		if again, _ := sys.Lookup("A"); again != a {
			t.Errorf("got %v, want %v", again, a)
		}
	}
	if err := errors.Join(sup.TerminateChild(t.Context(), a), sup.DeleteChild(t.Context(), a)); err != nil {
		t.Fatal(err)
	}
	regFree(t, sys, "A", "B", "C")
}

// Under a supervisor that is not dynamic no two children have the same ID, whatever they are called.
func TestRegressIDs(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	plain, named := actor.Supervisor{}, func(name string) actor.Child { return regBranch(name) }
	sup := svSpawn(t, sys, regBranch("top", plain, named("supervisor-2"), plain, plain, named("supervisor-3"),
		survivors.With(svArg{}), survivors.With(svArg{}), survivors.With(svArg{}).Named("survivor-2")))
	want := 8
	for _, what := range []actor.Child{plain, named("supervisor-9"), plain, survivors} {
		if _, err := sup.StartChild(t.Context(), what); err != nil {
			t.Fatal(err)
		}
		want++
	}
	ids := make(map[string]actor.Ref)
	children, err := sup.Children(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for c := range children {
		if other, twice := ids[c.ID]; twice || c.ID == "" || c.Name != "" && c.Name != c.ID {
			t.Errorf("got %+v; %v has that ID", c, other)
		}
		ids[c.ID] = c.Ref
	}
	if len(ids) != want {
		t.Errorf("%d IDs of %d children: %v", len(ids), want, ids)
	}
}

// Of a template there may be many, so that there is no name in it, however deep.
func TestRegressNamesInATemplate(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for what, template := range map[string]actor.Child{
		"itself":          survivors.With(svArg{}).Named("inner"),
		"a supervisor":    regBranch("inner"),
		"under it":        regBranch("", regBranch("inner")),
		"an actor":        regBranch("", survivors.With(svArg{}).Named("inner")),
		"deep":            regBranch("", regBranch("", regBranch("", survivors), regBranch("inner"))),
		"a pool":          actor.Pool{Supervisor: actor.Supervisor{Name: "inner"}, Of: survivors, Size: 1},
		"another dynamic": actor.Supervisor{Strategy: actor.Dynamic, Children: []actor.Child{regBranch("inner")}},
	} {
		dynamic := actor.Supervisor{Strategy: actor.Dynamic, Children: []actor.Child{template}}
		for _, tree := range []actor.Child{dynamic, regBranch("", dynamic)} {
			if _, err := sys.Spawn(t.Context(), tree); err == nil || !strings.Contains(err.Error(), `"inner"`) {
				t.Errorf("%s: got %v, want an error that says which name", what, err)
			}
		}
	}
	regFree(t, sys, "inner")
	// Without one each is another, down to the last.
	sup := svSpawn(t, sys, actor.Supervisor{Strategy: actor.Dynamic, Children: []actor.Child{regBranch("", regBranch("", actor.Supervisor{}))}})
	refs := make(map[actor.Ref]bool)
	for range 3 {
		ref, err := sup.StartChild(t.Context(), nil)
		for range 3 {
			if err != nil || ref.IsZero() || refs[ref] {
				t.Fatalf("got %v, %v; there are %v", ref, err, refs)
			}
			refs[ref] = true
			below, err := ref.Children(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for c := range below {
				ref = c.Ref
			}
		}
	}
}

// One request starts so many children of supervisors, of all levels together, and no more.
func TestRegressTooManyChildren(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	top := svSpawn(t, sys, regBranch("top"))
	for shape, tree := range map[string]func(n int) actor.Child{
		"flat": func(n int) actor.Child { return regBranch("x", regLeaves(n)...) },
		"nested": func(n int) actor.Child {
			return regBranch("x", regBranch("", regLeaves(n/2-1)...), regBranch("", regLeaves(n-n/2-1)...))
		},
	} {
		for _, n := range []int{maxChildren - 1, maxChildren, maxChildren + 1} {
			ref, err := sys.Spawn(t.Context(), tree(n))
			switch {
			case n > maxChildren && err == nil:
				t.Errorf("%s, %d: it was started", shape, n)
			case n > maxChildren && !strings.Contains(err.Error(), fmt.Sprint(maxChildren)):
				t.Errorf("%s, %d: got %v, want an error that names the limit", shape, n, err)
			case n <= maxChildren && err != nil:
				t.Errorf("%s, %d: got %v", shape, n, err)
			}
			if err == nil {
				if err := ref.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	}
	// Workers are children, too; a child of what is there is no child of the request.
	workers := func(size int) actor.Child {
		return actor.Pool{Of: prober.With(probeArg{Fail: "one that is started"}), Size: size}
	}
	for _, test := range []struct {
		tree actor.Child
		many bool
	}{
		{regBranch("x", workers(1024), workers(1024), workers(1024), workers(1024), workers(1)), true},
		{regBranch("x", workers(1024), workers(1024), workers(1024), workers(1024-4)), false},
		{regBranch("x", workers(1024), workers(1024), workers(1024), workers(1024-4), actor.Supervisor{}), true},
	} {
		_, err := top.StartChild(t.Context(), test.tree)
		if err == nil || strings.Contains(err.Error(), fmt.Sprint(maxChildren)) != test.many {
			t.Errorf("got %v; too many: %t", err, test.many)
		}
	}
	regFree(t, sys, "x")
}
