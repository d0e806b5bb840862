package tree

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An env runs the commands of a transcript. A command line begins with "> ";
// what follows are the effects, one to a line. Actors and supervisors are
// written as paths, incarnations as path#n.
//
//	start [in PATH] SPEC   StartChild; nested children follow, indented
//	start in PATH =DATA    StartChild under a dynamic supervisor
//	terminate|kill|restart|delete PATH   ("all" is the root)
//	ready|ignore PATH      what became of its last Boot
//	exit PATH REASON       normal, shutdown, shutdown(x), recycled, or any abnormal cause
//	up PATH...             ready, one after the other
//	settle                 answers what is unanswered: ready, and exit as told
//	wait D                 time passes
//	tick D                 time passes, and the tree is told
//	next                   when it wants to be
//	children|count PATH
//
// A SPEC is a name and words: the names of strategies, restarts and
// auto-shutdowns, significant, and intensity=N, period=D, shutdown=D (or kill,
// infinite, forced), backoff=MIN,MAX,FACTOR,JITTER,RESET, fatal=CAUSE.
type env struct {
	*checker
	path     map[ID]string
	id       map[string]ID
	commands map[Call]string
	booted   []Boot // not answered
	stopped  []Stop // not answered
	lastCall Call
	out      strings.Builder
}

func newEnv(t testing.TB, random func() float64) *env {
	return &env{
		checker:  newChecker(t, New(Config{Random: random})),
		path:     map[ID]string{0: "all"},
		id:       map[string]ID{"all": 0},
		commands: map[Call]string{},
	}
}

func (e *env) printf(format string, args ...any) { fmt.Fprintf(&e.out, format+"\n", args...) }

// run runs one command, with the lines that continue it.
func (e *env) run(lines []string) {
	words := strings.Fields(lines[0])
	command, args := words[0], words[1:]
	switch command {
	case "start":
		e.start(lines)
	case "terminate", "kill":
		e.do(TerminateChild{Call: e.call(lines[0]), ID: e.find(args[0]), Kill: command == "kill"})
	case "restart":
		e.do(RestartChild{Call: e.call(lines[0]), ID: e.find(args[0])})
	case "delete":
		e.do(DeleteChild{Call: e.call(lines[0]), ID: e.find(args[0])})
	case "ready", "up":
		for _, path := range args {
			e.do(Ready{ID: e.find(path), Inc: e.inc[e.find(path)]})
		}
	case "ignore":
		e.do(Ignored{ID: e.find(args[0]), Inc: e.inc[e.find(args[0])]})
	case "exit":
		e.do(Exited{ID: e.find(args[0]), Inc: e.inc[e.find(args[0])], Reason: reason(strings.Join(args[1:], " "))})
	case "settle":
		e.settle()
	case "wait", "tick":
		e.now += duration(args[0])
		if command == "tick" {
			e.do(Tick{})
		}
	case "next":
		if at, ok := e.tree.Next(); ok {
			e.printf("  in %v", at-e.now)
		} else {
			e.printf("  never")
		}
	case "children":
		for i := range e.tree.Children(e.find(args[0])) {
			e.printf("  %v%s: %v", e.path[i.ID], incarnation(i.Incarnation), i.State)
		}
	case "count":
		c := e.tree.Count(e.find(args[0]))
		e.printf("  specs %d, active %d, supervisors %d, workers %d", c.Specs, c.Active, c.Supervisors, c.Workers)
	default:
		e.t.Fatalf("no such command: %s", lines[0])
	}
}

func incarnation(n uint64) string {
	if n == 0 {
		return ""
	}
	return "#" + strconv.FormatUint(n, 10)
}

func (e *env) find(path string) ID {
	id, ok := e.id[path]
	if !ok {
		return 1 << 60 // an unknown one
	}
	return id
}

func (e *env) call(line string) Call {
	e.lastCall++
	e.commands[e.lastCall] = line
	return e.lastCall
}

func (e *env) start(lines []string) {
	words := strings.Fields(lines[0])[1:]
	s := StartChild{Call: e.call(lines[0])}
	if words[0] == "in" {
		s.Under = e.find(words[1])
		words = words[2:]
	}
	if data, ok := strings.CutPrefix(words[0], "="); ok {
		s.Data = data
	} else {
		c := e.spec1(words)
		rest := lines[1:]
		e.nested(&c, &rest, 0)
		s.Child = &c
	}
	e.do(s)
}

// nested reads the children of c: the lines indented by more than that.
func (e *env) nested(c *Child, lines *[]string, indent int) {
	for len(*lines) > 0 {
		line := (*lines)[0]
		n := len(line) - len(strings.TrimLeft(line, " "))
		if n <= indent {
			return
		}
		*lines = (*lines)[1:]
		child := e.spec1(strings.Fields(line))
		e.nested(&child, lines, n)
		if c.Supervisor == nil {
			c.Supervisor = &Supervisor{}
		}
		c.Supervisor.Children = append(c.Supervisor.Children, child)
	}
}

func (e *env) spec1(words []string) Child {
	c := Child{Name: words[0], Data: words[0]}
	if c.Name == "-" {
		c.Name, c.Data = "", nil
	}
	var s Supervisor
	var b Budget
	sup := false
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "supervisor":
			sup = true
		case "one-for-one", "one-for-all", "rest-for-one", "dynamic":
			sup = true
			s.Strategy = Strategy(slices.Index([]string{"one-for-one", "one-for-all", "rest-for-one", "dynamic"}, key))
		case "any-significant", "all-significant":
			s.AutoShutdown = AutoShutdown(1 + slices.Index([]string{"any-significant", "all-significant"}, key))
		case "transient", "permanent", "temporary":
			c.Restart = Restart(slices.Index([]string{"transient", "permanent", "temporary"}, key))
		case "significant":
			c.Significant = true
		case "intensity":
			n, err := strconv.Atoi(value)
			if err != nil {
				e.t.Fatal(err)
			}
			if b.Intensity = n; n == 0 {
				b.Intensity = NoRestarts
			}
		case "period":
			b.Period = duration(value)
		case "shutdown":
			c.Shutdown = duration(value)
		case "fatal":
			c.Fatal = append(c.Fatal, value)
		case "backoff":
			c.Backoff = backoff(value)
		default:
			e.t.Fatalf("what is %q?", w)
		}
	}
	if sup {
		s.Budget = b
		c.Supervisor = &s
	} else {
		c.Budget = b
	}
	return c
}

func backoff(s string) (b Backoff) {
	for i, v := range strings.Split(s, ",") {
		number, _ := strconv.ParseFloat(v, 64)
		switch i {
		case 0:
			b.Min = duration(v)
		case 1:
			b.Max = duration(v)
		case 2:
			b.Factor = number
		case 3:
			b.Jitter = number
		case 4:
			b.ResetAfter = duration(v)
		}
	}
	return b
}

func duration(s string) time.Duration {
	switch s {
	case "kill":
		return Kill
	case "infinite":
		return Infinite
	case "forced":
		return ForcedInfinite
	case "0":
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

func reason(s string) Reason {
	switch {
	case s == "normal":
		return Reason{Class: Normal}
	case s == "shutdown":
		return shutdown
	case s == "recycled":
		return Reason{Class: Recycled}
	case strings.HasPrefix(s, "shutdown("):
		return Reason{Class: Shutdown, Cause: strings.TrimSuffix(strings.TrimPrefix(s, "shutdown("), ")")}
	}
	return Reason{Cause: s}
}

// settle answers Boots and Stops until none is left, the oldest first.
func (e *env) settle() {
	for {
		e.booted = slices.DeleteFunc(e.booted, func(b Boot) bool {
			n := e.tree.nodes[b.ID]
			return e.live[b.ID] != b.Inc || n.state != Booting
		})
		e.stopped = slices.DeleteFunc(e.stopped, func(s Stop) bool { return e.live[s.ID] != s.Inc })
		switch {
		case len(e.stopped) > 0:
			s, why := e.stopped[0], "shutdown"
			if s.Timeout == Kill {
				why = KilledCause
			}
			e.printf("  < exit %s %s", e.path[s.ID], why)
			e.do(Exited{ID: s.ID, Inc: s.Inc, Reason: reason(why)})
		case len(e.booted) > 0:
			b := e.booted[0]
			e.printf("  < ready %s", e.path[b.ID])
			e.do(Ready{ID: b.ID, Inc: b.Inc})
		default:
			return
		}
	}
}

func (e *env) do(event Event) {
	for _, f := range e.step(e.now, event) {
		e.print(f)
	}
}

func (e *env) print(f Effect) {
	who := func(id ID, inc uint64) string { return e.path[id] + incarnation(inc) }
	switch f := f.(type) {
	case Added:
		path := f.Spec.Name
		if data, ok := f.Data.(string); ok && path == "" {
			path = data
		}
		if path == "" {
			path = strconv.FormatUint(uint64(f.ID), 10)
		}
		if f.Parent != 0 {
			path = e.path[f.Parent] + "/" + path
		}
		e.path[f.ID], e.id[path] = path, f.ID
	case Boot:
		e.booted = append(e.booted, f)
		e.printf("  boot %s", who(f.ID, f.Inc))
	case Stop:
		e.stopped = append(e.stopped, f)
		switch f.Timeout {
		case Kill:
			e.printf("  kill %s", who(f.ID, f.Inc))
		case Infinite:
			e.printf("  stop %s, no limit", who(f.ID, f.Inc))
		default:
			e.printf("  stop %s within %v", who(f.ID, f.Inc), f.Timeout)
		}
	case Started:
		e.printf("  started %s", who(f.ID, f.Inc))
	case Declined:
		e.printf("  declined %s", who(f.ID, f.Inc))
	case Ended:
		e.printf("  ended %s: %v%s", who(f.ID, f.Inc), f.Reason, ended(f))
	case Restarting:
		if f.In == 0 {
			e.printf("  restarting %s", e.path[f.ID])
		} else {
			e.printf("  restarting %s in %v", e.path[f.ID], f.In)
		}
	case Stays:
		e.printf("  stays down: %s", e.path[f.ID])
	case GaveUp:
		e.printf("  gave up %s: %v", e.path[f.ID], f.Reason)
	case Gone:
		e.printf("  gone %s", e.path[f.ID])
		if e.id[e.path[f.ID]] == f.ID {
			delete(e.id, e.path[f.ID])
		}
	case Reply:
		command := strings.Join(strings.Fields(e.commands[f.Call]), " ")
		words := strings.Fields(command)
		if words[0] == "start" && words[1] != "in" {
			command = "start " + words[1]
		} else if words[0] == "start" {
			command = strings.Join(words[:4], " ")
		}
		delete(e.commands, f.Call)
		if f.Err != nil {
			e.printf("  reply to %s: error: %v", command, f.Err)
		} else {
			e.printf("  reply to %s: ok", command)
		}
	}
}

func ended(f Ended) string {
	s := ""
	if f.Starting {
		s += ", while starting"
	}
	switch {
	case f.Unexpected:
		s += ", when told to stop (unexpected)"
	case f.Told:
		s += ", as told"
	}
	if f.Restarting {
		s += "; to be restarted"
	}
	return s
}

// pending returns the calls without a reply.
func (e *env) pending() []string {
	calls := slices.SortedFunc(maps.Keys(e.commands), cmp.Compare)
	var s []string
	for _, c := range calls {
		s = append(s, e.commands[c])
	}
	return s
}
