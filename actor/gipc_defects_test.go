//go:build unix

package actor_test

// What gipc 1.8 and multiprocessing get wrong, and where that is tested:
//
//	gipc: a receive's time-out covers only the first byte  DefectTimeoutInFrame; mailbox.TestReaderCloseWakes
//	a send cancelled in mid-frame desynchronises           DefectCancelledSend…; mailbox.TestPutGivesUp, TestStress
//	EOF right after a header looks like a clean EOF        DefectCutOff; mailbox.TestReaderEnds
//	a negative length is accepted                          DefectLengths; codec.TestSplitRefuses
//	2³¹ bytes fail obscurely                               DefectTooLarge, DefectLengths
//	an error after the start loses the child               BadArguments, DefectFailedStart
//	a starved event loop leaves zombies                    DefectStarved
//	a foreign waitpid loses the status and hangs           DefectForeignWait; reaper.TestForeignWait, TestStolenStatus
//	children inherit their elder siblings' descriptors     LinuxHundredth
//	SIGTERM never escalates                                DefectEscalation
//	busy children survive a SIGKILL of the parent          TestHostKilled; spawn.TestParentKilled
//	multiprocessing: fork with threads deadlocks           ResolverAndPool
//	a forgotten main guard respawns for ever               TestForgottenBoot
//	join before drain deadlocks above 64 KiB               DefectJoinBeforeDrain
//	EOF never comes: somebody else holds the descriptor    DefectHeldOpen; mailbox.TestDrainWithGrandchild
//	one dead worker breaks the pool, without an exit code  DefectDeadWorker
//	orphans, zombies                                       TestHostKilled, DefectStarved
//	messages over 2 GiB                                    DefectTooLarge
//	resource tracker noise                                 DefectNoise
//
// Names without a package are TestGipc… if they do not begin with Test.

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// vandal is an actor that misbehaves.
type vandal struct{}

type (
	// scrawl writes Bytes where frames are expected, prints "scrawled", and
	// then exits with status 0 or hangs.
	scrawl struct {
		Bytes []byte
		Exit  bool
	}
	// deafen makes it survive SIGTERM, and tell To of the first.
	deafen struct{ To actor.Ref }
	// hang tells To so and never returns.
	hang struct{ To actor.Ref }
	// litter leaves a process behind that has all the actor's pipes open and
	// its own session, tells To its pid, and exits.
	litter struct{ To actor.Ref }
	// heap is answered with a reply of so many MiB.
	heap struct{ MiB int }
	// waver tells To items; most of them with a context that is over, or is
	// soon. It is answered with the numbers of those that were taken.
	waver struct {
		To      actor.Ref
		Over    int // so many with a context that is over
		N, Size int // so many that give up after waverPatience
	}
)

// waverPatience is long enough for a slow machine to send one item.
const waverPatience = 2 * time.Second

// outbox is the descriptor on which an actor writes frames.
const outbox = 4

var vandals = actor.Define("vandal", actor.Zero[vandal],
	actor.OnTell((*vandal).scrawl), actor.OnTell((*vandal).deafen), actor.OnTell((*vandal).hang),
	actor.OnTell((*vandal).litter), actor.On((*vandal).heap), actor.On((*vandal).waver))

func (*vandal) scrawl(_ *actor.Context, m scrawl) error {
	if _, err := syscall.Write(outbox, m.Bytes); err != nil {
		return err
	}
	os.Stdout.WriteString("scrawled\n")
	if m.Exit {
		os.Exit(0)
	}
	select {}
}

func (*vandal) deafen(_ *actor.Context, m deafen) error {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGTERM)
	go func() {
		<-caught
		m.To.Tell(context.Background(), retire{}) // the handler's context has ended
	}()
	return nil
}

func (*vandal) hang(c *actor.Context, m hang) error {
	if err := m.To.Tell(c, knock{}); err != nil {
		return err
	}
	select {}
}

func (*vandal) litter(c *actor.Context, m litter) error {
	fd, err := syscall.Dup(outbox)
	if err != nil {
		return err
	}
	cmd := exec.Command("sleep", "3600")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "outbox")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := m.To.Tell(c, forward{N: cmd.Process.Pid}); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

// mebibytes is so large when it is encoded, and small in memory.
func mebibytes(n int) []string { return slices.Repeat([]string{strings.Repeat("x", 1<<20)}, n) }

func (*vandal) heap(_ *actor.Context, m heap) ([]string, error) { return mebibytes(m.MiB), nil }

func (*vandal) waver(c *actor.Context, m waver) (taken []int, err error) {
	if err := m.To.Tell(c, newItem(0, 0, m.Size)); err != nil {
		return nil, err
	}
	taken = []int{0}
	over, cancel := context.WithCancel(c)
	cancel()
	for i := range m.Over + m.N {
		ctx, cancel := over, func() {}
		if i >= m.Over {
			ctx, cancel = context.WithTimeout(c, waverPatience)
		}
		err := m.To.Tell(ctx, newItem(0, 1+i, m.Size))
		cancel()
		switch {
		case err == nil:
			taken = append(taken, 1+i)
		case fate(err) != actor.NotSent:
			return nil, err
		case i >= m.Over:
			return taken, nil // there is no room any more
		}
	}
	return taken, errors.New("there was room for everything")
}

func spawnVandal(t testing.TB, sys *actor.System) (actor.Ref, *actor.Monitor) {
	t.Helper()
	spec := temporary(vandals.With(actor.None{}))
	spec.StopTimeout = 1 // a nanosecond: it is not expected to stop by itself
	ref, err := sys.Spawn(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return ref, sys.Monitor(ref)
}
