package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/progeny-go/progeny/actor"
)

// scenes are the tour. Each can be played alone.
var scenes = []scene{
	dies("panic", "A handler panics. Nothing recovers it: its process dies, the program does not. The message that was in\nprogress is a dead letter.",
		"ann", "panic: on purpose"),
	dies("goroutine", "The same in a goroutine that the actor has started, where no recover can reach.",
		"ann", "panic: in a goroutine"),
	dies("nilmap", "A write to a nil map.",
		"ann", "panic: assignment to entry in nil map"),
	dies("overflow", "A recursion without an end. For Go that is a fatal error, not a panic.",
		"ann", "panic: fatal error: stack overflow"),
	dies("exit", "A library calls os.Exit(3).",
		"ann", "exited with status 3"),
	dies("exit0", "A library calls os.Exit(0). That is no orderly end: an actor that ends in order says so first.",
		"ann", "exited with status 0, without a goodbye"),
	dies("goexit", "A handler calls runtime.Goexit, as t.FailNow does. The actor would be deaf from then on.",
		"ann", "panic: the actor called runtime.Goexit"),
	{"error", "An actor ends itself with an error, by Context.Exit: it cannot go on, and knows it.", func(ctx context.Context, s *stage) error {
		if err := s.die(ctx, "ann", "error"); err != nil {
			return err
		}
		return s.expect(ctx, comesBack("ann", "failed: disk full")...)
	}},
	{"sigkill", "Somebody runs kill -9.", func(ctx context.Context, s *stage) error {
		if err := s.signal(ctx, "ann", syscall.SIGKILL); err != nil {
			return err
		}
		return s.expect(ctx, comesBack("ann", "signal: killed")...)
	}},
	{"sigsegv", "A segmentation fault; here somebody sends the signal.", func(ctx context.Context, s *stage) error {
		if err := s.signal(ctx, "ann", syscall.SIGSEGV); err != nil {
			return err
		}
		return s.expect(ctx, comesBack("ann", "signal: segmentation fault")...)
	}},
	{"signal", "Another actor, or the program, sends an exit signal, by Ref.Exit.", func(ctx context.Context, s *stage) error {
		if err := s.ref("ann").Exit(ctx, errors.New("enough")); err != nil {
			return err
		}
		return s.expect(ctx, comesBack("ann", "failed: enough")...)
	}},
	{"link", "ann links herself to bob. bob dies, and ann of the same reason.", link},
	{"parent", "mia has started max and moe. When she dies, so do they; the new mia starts new ones.", parent},
	{"start", "eve dies, and her start function fails twice before it works again. She has a backoff: each\nattempt waits twice as long as the one before.", start},
	{"hang", "bob hangs in his handler. He has 100 ms to stop, then he gets SIGTERM. What is stopped by hand stays so,\nuntil somebody restarts it.", hang("hang")},
	{"deaf", "bob hangs and ignores SIGTERM. A second later he gets SIGKILL.", hang("deaf")},
	{"stop", "Actors end in order, by Context.Stop. One that is transient stays down; pat, who is permanent, comes back.", stop},
	{"shutdown", "The same with a word of farewell, by Context.Exit(Shutdown).", func(ctx context.Context, s *stage) error {
		if err := s.die(ctx, "pat", "shutdown"); err != nil {
			return err
		}
		return s.expect(ctx, comesBack("pat", "shutdown: closing time")...)
	}},
	{"temporary", "tim is temporary: he is not restarted, and his supervisor forgets him.", temporary},
	{"fatal", "gus ends with a status that his type calls fatal: no restart can mend it. RestartChild still can.", fatal},
	{"poison", "A message kills kit. It may be redelivered once (Redeliver: 2), kills kit again, and is a dead letter.", poison},
	{"mailbox", "A message kills ann; three Asks stand behind it. It comes to nothing, the others are\nanswered by the next process.", mailbox},
	{"all", "One for all: un dies. The others are stopped, the last first, and all are started again.", oneForAll},
	{"rest", "Rest for one: second dies, and takes along who was started after it.", restForOne},
	{"byhand", "trois is stopped by hand. A restart of the group starts it again, as in OTP.", byHand},
	{"dynamic", "A dynamic supervisor starts children on demand. x1 crashes, x2 leaves, x3 is stopped.", dynamic},
	{"pool", "Six Asks to a pool, of which the third kills its worker.", pool},
	{"escalate", "cup dies twice, and one restart is all that fragile has. It gives up: it stops jug, and ends.\nIts own supervisor starts it afresh.", escalate},
	{"auto", "boss is significant: when the work is done its supervisor stops everybody, and ends.", auto},
	{"manage", "What can be done by hand, and what is refused.", manage},
	{"kill", "A whole supervisor is killed, without notice.", kill},
}

// dies is a scene of an actor that dies while it handles a message, and comes back.
func dies(how, about, who, reason string) scene {
	return scene{how, about, func(ctx context.Context, s *stage) error {
		if err := s.die(ctx, who, how); err != nil {
			return err
		}
		return s.expect(ctx, crashes(who, reason)...)
	}}
}

// crashes is what is to be expected of one that dies while it handles a message, and
// is restarted.
func crashes(who, reason string) []string {
	return append(comesBack(who, reason), suspect(who))
}

// suspect is the message that is to be expected as a dead letter.
func suspect(who string) string { return "dead letter " + who + ": Die, which was in progress" }

// comesBack is what is to be expected of one that is restarted at once.
func comesBack(who, reason string) []string {
	return []string{"exited " + who + ": " + reason, "restarting " + who, "started " + who, "ready " + who}
}

// starts is what is to be expected of those that are started.
func starts(whom ...string) (want []string) {
	for _, who := range whom {
		want = append(want, "started "+who, "ready "+who)
	}
	return want
}

// stops is what is to be expected of those that are told to stop.
func stops(whom ...string) (want []string) {
	for _, who := range whom {
		want = append(want, "exited "+who+": shutdown")
	}
	return want
}

func link(ctx context.Context, s *stage) error {
	if _, err := actor.Ask[actor.None](ctx, s.ref("ann"), Link{s.ref("bob")}); err != nil {
		return err
	}
	if err := s.die(ctx, "bob", "panic"); err != nil {
		return err
	}
	return s.expect(ctx, append(crashes("bob", "panic: on purpose"), comesBack("ann", "panic: on purpose")...)...)
}

func parent(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "mia", "panic"); err != nil {
		return err
	}
	want := append(crashes("mia", "panic: on purpose"), stops("max", "moe")...)
	return s.expect(ctx, append(want, starts("max", "moe")...)...)
}

func start(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "eve", "panic"); err != nil {
		return err
	}
	const failed = "start function failed: the database is down"
	return s.expect(ctx,
		"exited eve: panic: on purpose", suspect("eve"),
		"restarting eve: in 20ms", "started eve", "exited eve: "+failed,
		"restarting eve: in 40ms", "started eve", "exited eve: "+failed,
		"restarting eve: in 80ms", "started eve", "ready eve")
}

// hang has bob hang, stops him, and starts him again.
func hang(how string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		if err := s.hang(ctx, "bob", how); err != nil {
			return err
		}
		single, bob := s.ref("single"), s.ref("bob")
		if err := single.TerminateChild(ctx, bob); err != nil {
			return err
		}
		if err := s.expect(ctx, "exited bob: killed: it did not stop within 100ms", suspect("bob")); err != nil {
			return err
		}
		if err := single.RestartChild(ctx, bob); err != nil {
			return err
		}
		return s.expect(ctx, starts("bob")...)
	}
}

func stop(ctx context.Context, s *stage) error {
	single, ann := s.ref("single"), s.ref("ann")
	if err := s.die(ctx, "ann", "stop"); err != nil {
		return err
	}
	if err := s.expect(ctx, "exited ann: normal"); err != nil {
		return err
	}
	if err := s.die(ctx, "pat", "stop"); err != nil {
		return err
	}
	if err := s.expect(ctx, comesBack("pat", "normal")...); err != nil {
		return err
	}
	if err := single.RestartChild(ctx, ann); err != nil {
		return err
	}
	return s.expect(ctx, starts("ann")...)
}

func temporary(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "tim", "panic"); err != nil {
		return err
	}
	return s.expect(ctx, "exited tim: panic: on purpose", suspect("tim"))
}

func fatal(ctx context.Context, s *stage) error {
	single, gus := s.ref("single"), s.ref("gus")
	if err := s.die(ctx, "gus", "licence"); err != nil {
		return err
	}
	if err := s.expect(ctx, "exited gus: exited with status 64", "gave up gus: exited with status 64", suspect("gus")); err != nil {
		return err
	}
	if err := single.RestartChild(ctx, gus); err != nil {
		return err
	}
	return s.expect(ctx, starts("gus")...)
}

func poison(ctx context.Context, s *stage) error {
	if err := s.ref("kit").Tell(ctx, Die{How: "panic"}); err != nil {
		return err
	}
	death := comesBack("kit", "panic: on purpose")
	return s.expect(ctx, append(append(death, death...), "dead letter kit: Die, which ended 2 processes")...)
}

func mailbox(ctx context.Context, s *stage) error {
	ann := s.ref("ann")
	if err := ann.Tell(ctx, Die{How: "panic"}); err != nil {
		return err
	}
	var answers []uint64
	for range 3 {
		process, err := actor.Ask[uint64](ctx, ann, Who{})
		if err != nil {
			return err
		}
		answers = append(answers, process)
	}
	if err := s.expect(ctx, crashes("ann", "panic: on purpose")...); err != nil {
		return err
	}
	s.note("answers came from process #%d, #%d and #%d", answers[0], answers[1], answers[2])
	return nil
}
