package tree

import (
	"errors"
	"fmt"
	"slices"
)

// maxDepth is how deep supervisors may nest. More means that a supervisor
// contains itself.
const maxDepth = 100

// Check reports what is wrong with c as it would be started under no
// supervisor: everything in it, down to the last nested child. A tree never
// starts a part of a specification that does not pass.
func (c *Child) Check() error {
	if c.Significant {
		return c.wrong("significant without a supervisor")
	}
	if c.isSupervisor() && c.Budget != (Budget{}) {
		return c.wrong("Budget belongs into its Supervisor")
	}
	if err := c.Budget.check(); err != nil {
		return c.wrong("%w", err)
	}
	return c.check(0)
}

// checkUnder is Check for a child of s.
func (c *Child) checkUnder(s *Supervisor, depth int) error {
	switch {
	case c.Name == "" && s.Strategy != Dynamic:
		return errors.New("a child has no name")
	case c.Budget != (Budget{}):
		return c.wrong("Budget: its supervisor's counts")
	case c.Significant && c.Restart == Permanent:
		return c.wrong("significant and permanent")
	case c.Significant && s.AutoShutdown == Never:
		return c.wrong("significant, but its supervisor's AutoShutdown is never")
	}
	return c.check(depth)
}

func (c *Child) check(depth int) error {
	switch {
	case depth > maxDepth:
		return c.wrong("nested more than %d deep, or in itself", maxDepth)
	case c.Restart > Temporary:
		return c.wrong("invalid Restart %d", c.Restart)
	case c.Shutdown < ForcedInfinite:
		return c.wrong("negative Shutdown %v", c.Shutdown)
	case c.Shutdown == Infinite && !c.isSupervisor():
		return c.wrong("infinite Shutdown is for supervisors (or ForcedInfinite)")
	case slices.Contains(c.Fatal, ""):
		return c.wrong("empty cause in Fatal")
	}
	if err := c.Backoff.check(); err != nil {
		return c.wrong("%w", err)
	}
	if c.Supervisor == nil {
		return nil
	}
	if err := c.Supervisor.check(depth + 1); err != nil {
		return c.wrong("%w", err)
	}
	return nil
}

func (s *Supervisor) check(depth int) error {
	switch {
	case s.Strategy > Dynamic:
		return fmt.Errorf("invalid Strategy %d", s.Strategy)
	case s.AutoShutdown > AllSignificant:
		return fmt.Errorf("invalid AutoShutdown %d", s.AutoShutdown)
	case s.Strategy == Dynamic && s.AutoShutdown != Never:
		return errors.New("a dynamic supervisor has no AutoShutdown")
	case s.Strategy == Dynamic && len(s.Children) != 1:
		return fmt.Errorf("a dynamic supervisor has exactly one child as template, not %d", len(s.Children))
	}
	if err := s.Budget.check(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(s.Children))
	for i := range s.Children {
		c := &s.Children[i]
		if err := c.checkUnder(s, depth); err != nil {
			return err
		}
		if seen[c.Name] {
			return c.wrong("a second child of that name")
		}
		seen[c.Name] = true
	}
	return nil
}

func (b Budget) check() error {
	switch {
	case b.Intensity < NoRestarts:
		return fmt.Errorf("negative Intensity %d", b.Intensity)
	case b.Period < 0:
		return fmt.Errorf("negative Period %v", b.Period)
	}
	return nil
}

func (b Backoff) check() error {
	switch {
	case b.Min < 0, b.Max < 0, b.ResetAfter < 0:
		return errors.New("negative time in Backoff")
	case b.Max != 0 && b.Max < b.Min:
		return fmt.Errorf("Backoff.Max %v is less than Min %v", b.Max, b.Min)
	case !(b.Factor == 0 || b.Factor >= 1): // NaN too
		return fmt.Errorf("Backoff.Factor %v is less than 1", b.Factor)
	case !(b.Jitter >= 0 && b.Jitter <= 1):
		return fmt.Errorf("Backoff.Jitter %v is not within 0 to 1", b.Jitter)
	case b.Min == 0 && b != (Backoff{}):
		return errors.New("Backoff without Min")
	}
	return nil
}

func (c *Child) wrong(format string, args ...any) error {
	return fmt.Errorf("child %q: %w", c.Name, fmt.Errorf(format, args...))
}
