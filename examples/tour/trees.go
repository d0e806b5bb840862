package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/progeny-go/progeny/actor"
)

// Scenes in which supervisors have something to do with more than one child.

func oneForAll(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "un", "panic"); err != nil {
		return err
	}
	want := append(crashes("un", "panic: on purpose"), stops("trois", "deux")...)
	return s.expect(ctx, append(want, starts("deux", "trois")...)...)
}

func restForOne(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "second", "panic"); err != nil {
		return err
	}
	want := append(crashes("second", "panic: on purpose"), stops("third")...)
	return s.expect(ctx, append(want, starts("third")...)...)
}

func byHand(ctx context.Context, s *stage) error {
	if err := s.ref("together").TerminateChild(ctx, s.ref("trois")); err != nil {
		return err
	}
	if err := s.expect(ctx, stops("trois")...); err != nil {
		return err
	}
	if err := s.die(ctx, "deux", "panic"); err != nil {
		return err
	}
	want := append(crashes("deux", "panic: on purpose"), stops("un")...)
	return s.expect(ctx, append(want, starts("un", "trois")...)...)
}

func dynamic(ctx context.Context, s *stage) error {
	crowd := s.ref("crowd")
	for _, name := range []string{"x1", "x2", "x3", "x4"} {
		if _, err := crowd.StartChild(ctx, named(name)); err != nil {
			return err
		}
		if err := s.expect(ctx, starts(name)...); err != nil {
			return err
		}
	}
	if err := s.die(ctx, "x1", "panic"); err != nil {
		return err
	}
	if err := s.expect(ctx, crashes("x1", "panic: on purpose")...); err != nil {
		return err
	}
	if err := s.die(ctx, "x2", "stop"); err != nil {
		return err
	}
	if err := s.expect(ctx, "exited x2: normal"); err != nil {
		return err
	}
	if err := s.ref("x3").Stop(ctx); err != nil {
		return err
	}
	return s.expect(ctx, stops("x3")...)
}

func pool(ctx context.Context, s *stage) error {
	ref := s.ref("pool")
	for i := range 6 {
		var err error
		if i == 2 {
			_, err = actor.Ask[actor.None](ctx, ref, Die{How: "panic"})
		} else {
			_, err = actor.Ask[uint64](ctx, ref, Who{})
		}
		var fate any = "answered"
		if lost, ok := errors.AsType[*actor.DeliveryError](err); ok {
			fate = lost.Fate
		} else if err != nil {
			return err
		}
		s.note("Ask %d: %v", i+1, fate)
	}
	return s.expect(ctx, crashes("pool/3", "panic: on purpose")...)
}

func escalate(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "cup", "panic"); err != nil {
		return err
	}
	if err := s.expect(ctx, crashes("cup", "panic: on purpose")...); err != nil {
		return err
	}
	if err := s.die(ctx, "cup", "exit"); err != nil {
		return err
	}
	want := append([]string{"exited cup: exited with status 3", "gave up fragile: exited with status 3", suspect("cup")}, stops("jug")...)
	want = append(want, "exited fragile: shutdown: too many restarts…", "restarting fragile")
	return s.expect(ctx, append(append(want, starts("cup", "jug")...), "ready fragile")...)
}

func auto(ctx context.Context, s *stage) error {
	if err := s.die(ctx, "boss", "stop"); err != nil {
		return err
	}
	return s.expect(ctx, append(stops("clerk", "job"), "exited boss: normal")...)
}

func manage(ctx context.Context, s *stage) error {
	together, un, quatre := s.ref("together"), s.ref("un"), named("quatre")
	late, err := together.StartChild(ctx, quatre)
	if err != nil {
		return err
	}
	s.note("start       quatre  ok")
	if err := s.expect(ctx, starts("quatre")...); err != nil {
		return err
	}
	for _, call := range []struct {
		what   string
		do     func() error
		want   error
		events []string
	}{
		{"start       quatre", func() error { _, err := together.StartChild(ctx, quatre); return err }, actor.ErrAlreadyStarted, nil},
		{"restart     quatre", func() error { return together.RestartChild(ctx, late) }, actor.ErrRunning, nil},
		{"delete      quatre", func() error { return together.DeleteChild(ctx, late) }, actor.ErrRunning, nil},
		{"terminate   quatre", func() error { return together.TerminateChild(ctx, late) }, nil, stops("quatre")},
		{"start       quatre", func() error { _, err := together.StartChild(ctx, quatre); return err }, actor.ErrAlreadyPresent, nil},
		{"restart     quatre", func() error { return together.RestartChild(ctx, late) }, nil, starts("quatre")},
		{"terminate   quatre", func() error { return together.TerminateChild(ctx, late) }, nil, stops("quatre")},
		{"delete      quatre", func() error { return together.DeleteChild(ctx, late) }, nil, nil},
		{"delete      quatre", func() error { return together.DeleteChild(ctx, late) }, actor.ErrNotFound, nil},
		{"start under un    ", func() error { _, err := un.StartChild(ctx, quatre); return err }, actor.ErrNotSupervisor, nil},
	} {
		if err := call.do(); !errors.Is(err, call.want) {
			return fmt.Errorf("%s: got %v, want %v", call.what, err, call.want)
		}
		s.note("%s  %v", call.what, result(call.want))
		if err := s.expect(ctx, call.events...); err != nil {
			return err
		}
	}
	return nil
}

func result(err error) string {
	if err == nil {
		return "ok"
	}
	return strings.TrimPrefix(err.Error(), "actor: ")
}

func kill(ctx context.Context, s *stage) error {
	if err := s.ref("chain").Kill(ctx); err != nil {
		return err
	}
	return s.expect(ctx, "exited first: killed…", "exited second: killed…", "exited third: killed…", "exited chain: killed…")
}
