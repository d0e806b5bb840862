package main

import (
	"fmt"
	"strings"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// The outcomes that need no explanation. The others are a few words.
const (
	// contained: the program and the bystander live, the victim was replaced or, by a stop, ended for good,
	// and nothing was lost but the message in progress. Where nothing was to end: all was as it should be.
	contained   = "contained"
	programDied = "program died"
	runsOn      = "runs on" // what was stopped
)

// A result is one field of the table.
type result struct {
	Fault   string `json:"fault"`
	System  string `json:"system"`
	Outcome string `json:"outcome"`
}

// judge says what an observation amounts to, the same for all systems.
func judge(f fault.Fault, o observation) string {
	switch {
	case o.built != nil:
		return "not built"
	case o.Error != "":
		return "not observed: " + firstLine(o.Error)
	case o.Without != "":
		return o.Without
	case !o.Ready:
		return "not started"
	case !o.Done:
		return judgeEnd(f, o)
	}
	switch f.ID {
	case fault.Spin:
		switch {
		case o.Burning:
			return runsOn
		case !o.Stopped:
			return "ends, but the stop hangs"
		case !o.Bystander:
			return "the others hang"
		}
	case fault.Blocked:
		if !o.Bystander {
			return "times out"
		}
	case fault.Burst:
		if o.Arrived < o.Sent {
			return fmt.Sprintf("lost %d of %d", o.Sent-o.Arrived, o.Sent)
		}
	case fault.Order:
		if o.InOrder < o.Rounds {
			return fmt.Sprintf("overtakes in %d of %d rounds", o.Rounds-o.InOrder, o.Rounds)
		}
	default:
		return judgeCrash(f, o)
	}
	return contained
}

// judgeEnd is for programs that ended before they had said all.
func judgeEnd(f fault.Fault, o observation) string {
	switch {
	case o.late:
		return "program hangs"
	case f.Words == "" || !strings.Contains(fmt.Sprintf("%v\n%s", o.exit, o.stderr), f.Words):
		return "program died, not of this: " + firstLine(o.stderr)
	}
	return programDied
}

// judgeCrash is for programs that have survived the fault of an actor.
func judgeCrash(f fault.Fault, o observation) string {
	switch {
	case !o.Bystander:
		return "the others hang"
	case o.Victim == fault.Same && f.ID == fault.Memory:
		return "no limit"
	case o.Victim == fault.Same:
		return "goes on with the same state"
	case o.Victim == fault.Gone:
		return "contained, no restart"
	case o.Victim != fault.Replaced:
		return "the victim hangs"
	case o.Arrived < o.Sent:
		return fmt.Sprintf("restarted, lost %d of %d in its mailbox", o.Sent-o.Arrived, o.Sent)
	}
	return contained
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
