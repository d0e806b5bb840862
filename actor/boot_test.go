//go:build unix

package actor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
	"github.com/progeny-go/progeny/actor/actortest"
	"github.com/progeny-go/progeny/spawn/spawntest"
)

// roleVariable says in the environment whose main this process is to run.
const roleVariable = "ACTOR_TEST_ROLE"

// roles are the mains of other programs, for which the test binary stands in.
var roles = map[string]func(){
	"forgetful": forgetfulMain,
	"mute":      muteMain,
	"brief":     func() {},
	"exit7":     func() { os.Exit(7) },
}

// addRole is for those of other files, in package variables.
func addRole(name string, main func()) struct{} {
	roles[name] = main
	return struct{}{}
}

// TestMain boots first, which some of these mains must not have done: hence
// they run in an init function.
func init() {
	if role, ok := roles[os.Getenv(roleVariable)]; ok {
		role()
		os.Exit(0)
	}
}

// program returns the command that runs one of the roles.
func program(t testing.TB, role string, env ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), roleVariable+"="+role), env...)
	cmd.Stderr = t.Output()
	return cmd
}

// as is the environment of an actor that runs a role's main instead of booting.
func as(role string) []string { return append(os.Environ(), roleVariable+"="+role) }

const censusVariable = "ACTOR_TEST_CENSUS"

// enrol adds this process to the census: one byte in a file.
func enrol() {
	f, err := os.OpenFile(os.Getenv(censusVariable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(".")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	f.Close()
}

// forgetfulMain is what a user writes who has not read the manual.
func forgetfulMain() {
	enrol()
	sys, err := actor.NewSystem(actor.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, err = sys.Spawn(context.Background(), rigger)
	fmt.Println(errors.Is(err, actor.ErrNotBooted), err)
	if err := sys.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
}

// muteMain never boots and does not end.
func muteMain() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR2)
	<-never
}

// A main that forgets to boot gets a clear error, in one child and no more.
func TestForgottenBoot(t *testing.T) {
	spawntest.Check(t)
	census := filepath.Join(t.TempDir(), "census")
	cmd := program(t, "forgetful", censusVariable+"="+census)
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "true ") || bytes.Count(out, []byte("\n")) != 1 {
		t.Errorf("the program ended with %v and said %q", err, out)
	}
	count, err := os.ReadFile(census)
	if err != nil || len(count) != 2 {
		t.Errorf("%d processes ran main (%v), want the program and one actor's", len(count), err)
	}
}

// Spawn says what went wrong with a main that is not what it should be.
func TestSpawnOfOtherMains(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct{ role, detail string }{
		{"mute", "no Hello within"},
		{"brief", "before Hello"},
		{"exit7", "before Hello"},
	} {
		t.Run(test.role, func(t *testing.T) {
			spec := rigger.With(rigArg{}).Named("never")
			spec.Env = as(test.role)
			if test.role == "mute" {
				spec.BootTimeout = 50 * time.Millisecond
			}
			_, err := sys.Spawn(t.Context(), spec)
			boot, ok := errors.AsType[actor.BootFailed](err)
			if !ok || !strings.Contains(boot.Detail, test.detail) {
				t.Errorf("got %v, want BootFailed with %q", err, test.detail)
			}
			if e, ok := errors.AsType[*actor.SpawnError](err); !ok || e.Type != "rig" || e.Name != "never" || e.Down == nil {
				t.Errorf("got %#v, want a SpawnError with names and a Down", err)
			}
			if _, err := sys.Lookup("never"); !errors.Is(err, actor.ErrNoActor) {
				t.Errorf("lookup: %v", err)
			}
		})
	}
	t.Run("forgetful", func(t *testing.T) {
		spec := rigger.With(rigArg{})
		spec.Env = append(as("forgetful"), censusVariable+"="+os.DevNull)
		if _, err := sys.Spawn(t.Context(), spec); !errors.Is(err, actor.ErrNotBooted) {
			t.Errorf("got %v, want ErrNotBooted", err)
		}
	})
	if n := sys.Stats().Actors; n != 0 {
		t.Errorf("%d actors are left", n)
	}
}

// A signal that the program ignores has its default effect on an actor.
func TestIgnoredSignalIsDefault(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	ref := spawnRig(t, sys, rigArg{})
	m := sys.Monitor(ref)
	tell(t, ref, Raise{syscall.SIGHUP})
	if s, ok := ended(t, m).Reason.(actor.Signal); !ok || s.Signal != syscall.SIGHUP {
		t.Errorf("got %v, want SIGHUP", s)
	}
}

// Other children of the program keep their exit status.
func TestForeignChild(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				cmd := program(t, "exit7")
				err := cmd.Run()
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 {
					t.Errorf("foreign child: got %v, want exit status 7", err)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				ref, err := sys.Spawn(t.Context(), rigger)
				if err == nil {
					err = ref.Kill(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// What is wrong with a Spec is refused before a process exists.
func TestSpawnRefusals(t *testing.T) {
	const limit = 64 << 10
	sys := actortest.New(t, actor.Options{MaxMessage: limit})
	holder, err := sys.Spawn(t.Context(), rigger.With(rigArg{}).Named("taken"))
	if err != nil {
		t.Fatal(err)
	}
	census := filepath.Join(t.TempDir(), "census")
	named := func(name string) actor.Spec { return rigger.With(rigArg{}).Named(name) }
	with := func(change func(*actor.Spec)) actor.Spec {
		spec := rigger.With(rigArg{})
		change(&spec)
		return spec
	}
	for _, test := range []struct {
		name string
		what actor.Spec
		is   error // or nil for any
	}{
		{"zero spec", actor.Spec{}, nil},
		{"unencodable argument", unencodable.With(unencodableArg{F: func() {}}), nil},
		{"argument too large", rigger.With(rigArg{Pad: make([]byte, limit)}), actor.ErrTooLarge},
		{"name taken", named("taken"), actor.ErrNameTaken},
		{"name too long", named(strings.Repeat("x", 256)), nil},
		{"name with newline", named("a\nb"), nil},
		{"negative procs", with(func(s *actor.Spec) { s.Procs = -1 }), nil},
		{"negative time-out", with(func(s *actor.Spec) { s.StopTimeout = actor.ForcedInfinity - 1 }), nil},
		{"infinite time-out, not forced", with(func(s *actor.Spec) { s.StopTimeout = actor.Infinity }), nil},
		{"negative time-out of the start", with(func(s *actor.Spec) { s.StartTimeout = -1 }), nil},
		{"negative mailbox", with(func(s *actor.Spec) { s.Mailbox.Bytes = -1 }), nil},
		{"no such restart", with(func(s *actor.Spec) { s.Restart = actor.Temporary + 1 }), nil},
		{"negative intensity", with(func(s *actor.Spec) { s.Intensity = actor.NoRestarts - 1 }), nil},
		{"negative period", with(func(s *actor.Spec) { s.Period = -1 }), nil},
		{"backoff without a minimum", with(func(s *actor.Spec) { s.Backoff.Max = time.Second }), nil},
		{"significant for nobody", with(func(s *actor.Spec) { s.Significant = true }), nil},
		{"negative redelivery", with(func(s *actor.Spec) { s.Redeliver = -1 }), nil},
		{"no such way with asks", with(func(s *actor.Spec) { s.Asks = actor.AsksQueue + 1 }), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.what.Env = append(as("forgetful"), censusVariable+"="+census)
			_, err := sys.Spawn(t.Context(), test.what)
			e, ok := errors.AsType[*actor.SpawnError](err)
			if !ok || e.Down != nil || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("got %v, want a SpawnError without a Down (%v)", err, test.is)
			}
		})
	}
	if _, err := os.Stat(census); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a process was started (%v)", err)
	}
	if got, err := sys.Lookup("taken"); err != nil || got != holder {
		t.Errorf("lookup: got %v, %v; want %v", got, err, holder)
	}
	if n := sys.Stats().Actors; n != 1 {
		t.Errorf("%d actors, want 1", n)
	}
}

// A start function that fails in whatever way is Spawn's error, with its kind.
func TestStartFunctionFails(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	for _, test := range []struct {
		name string
		arg  probeArg
		want func(actor.Reason) bool
	}{
		{"error", probeArg{Fail: "no"}, func(r actor.Reason) bool {
			f, ok := r.(actor.InitFailed)
			return ok && errors.Is(f, errProbe) && f.Err.Error() == "no: probe refused"
		}},
		{"panic", probeArg{Die: "panic"}, func(r actor.Reason) bool {
			p, ok := r.(actor.Panic)
			return ok && p.Value == "on purpose"
		}},
		{"exit", probeArg{Die: "exit3"}, func(r actor.Reason) bool { return r == actor.ExitCode{Code: 3} }},
		{"kill", probeArg{Die: "kill"}, func(r actor.Reason) bool {
			s, ok := r.(actor.Signal)
			return ok && s.Signal == syscall.SIGKILL
		}},
		{"hang", probeArg{Hang: true}, func(r actor.Reason) bool {
			b, ok := r.(actor.BootFailed)
			return ok && strings.Contains(b.Detail, "start function")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := prober.With(test.arg).Named("never")
			if test.arg.Hang {
				spec.StartTimeout = 50 * time.Millisecond
			}
			_, err := sys.Spawn(t.Context(), spec)
			e, ok := errors.AsType[*actor.SpawnError](err)
			if !ok || e.Down == nil {
				t.Fatalf("got %v, want a SpawnError with a Down", err)
			}
			if r, ok := e.Err.(actor.Reason); !ok || !test.want(r) || !test.want(e.Down.Reason) {
				t.Errorf("got %#v, in the Down %#v", e.Err, e.Down.Reason)
			}
			if test.name == "error" && !errors.Is(err, errProbe) {
				t.Errorf("got %v, want one that is the registered error", err)
			}
			if ref, err := sys.Spawn(t.Context(), prober.With(probeArg{}).Named("never")); err != nil {
				t.Errorf("the name is not free: %v", err)
			} else if err := ref.Kill(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A Spawn that is given up leaves nothing, however far it has come.
func TestSpawnGivenUp(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	inbox := newInbox(t, sys)
	cause := errors.New("changed my mind")
	given := func(spec actor.Spec, wait func()) {
		t.Helper()
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := sys.Spawn(ctx, spec.Named("never"))
			done <- err
		}()
		wait()
		cancel(cause)
		if err := within(t, done); !errors.Is(err, cause) {
			t.Errorf("got %v, want %v", err, cause)
		}
		if _, err := sys.Lookup("never"); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("lookup: %v", err)
		}
		if n := sys.Stats().Actors; n != 0 {
			t.Errorf("%d actors are left", n)
		}
	}
	given(rigger.With(rigArg{}), func() {}) // at any moment
	given(rigger.With(rigArg{Gate: inbox.Ref(), Hang: true}), func() { receive[Held](t, inbox) })
	mute := rigger.With(rigArg{})
	mute.Env = as("mute")
	given(mute, func() { eventually(t, "an actor boots", func() bool { return sys.Stats().Actors == 1 }) })
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := sys.Spawn(gone, rigger); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
}

// Any goroutine may spawn while others do.
func TestConcurrentSpawns(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	const n = 100
	refs := make([]actor.Ref, n)
	var wg sync.WaitGroup
	for i := range refs {
		wg.Go(func() {
			spec := rigger.With(rigArg{}).Named(fmt.Sprint("rig ", i))
			spec.BootTimeout, spec.StartTimeout = patience, patience
			ref, err := sys.Spawn(t.Context(), spec)
			if err != nil {
				t.Error(err)
				return
			}
			refs[i] = ref
			if got, err := actor.Ask[string](t.Context(), ref, Echo{fmt.Sprint(i)}); err != nil || got != fmt.Sprint(i) {
				t.Errorf("got %q, %v; want %d", got, err, i)
			}
		})
	}
	wg.Wait()
	for i, ref := range refs {
		if got, err := sys.Lookup(fmt.Sprint("rig ", i)); err != nil || got != ref {
			t.Errorf("lookup %d: got %v, %v; want %v", i, got, err, ref)
		}
	}
	if got := sys.Stats().Actors; got != n {
		t.Errorf("%d actors, want %d", got, n)
	}
	for _, ref := range refs { // all at once is quicker than one after the other
		wg.Go(func() { ref.Kill(t.Context()) })
	}
	wg.Wait()
}

// Env, Dir and Procs of a Spec are those of the process.
func TestSpecOfProcess(t *testing.T) {
	sys := actortest.New(t, actor.Options{})
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	spec := rigger.With(rigArg{})
	spec.Env = append(os.Environ(), "ACTOR_TEST_ENV=first", "ACTOR_TEST_ENV=last")
	spec.Dir = dir
	spec.Procs = 3
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	want := Facts{Pid: ask[Facts](t, ref, Facts{}).Pid, Dir: dir, Procs: 3, Env: "last"}
	if got := ask[Facts](t, ref, Facts{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	plain := spawnRig(t, sys, rigArg{})
	want = Facts{Pid: ask[Facts](t, plain, Facts{}).Pid, Dir: here, Procs: 1}
	if got := ask[Facts](t, plain, Facts{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	nowhere := rigger.With(rigArg{})
	nowhere.Dir = filepath.Join(dir, "nowhere")
	if _, err := sys.Spawn(t.Context(), nowhere); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v, want an error about the directory", err)
	}
}
