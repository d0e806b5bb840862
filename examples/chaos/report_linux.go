package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// progress prints a line.
func (r *runner) progress() {
	c := r.ledger.snapshot()
	r.watch.mu.Lock()
	var s sample
	if n := len(r.watch.points); n > 0 {
		s = r.watch.points[n-1]
	}
	r.watch.mu.Unlock()
	r.mu.Lock()
	wrong := r.wrong
	r.mu.Unlock()
	fmt.Fprintf(os.Stderr, "chaos: %v: %d faults, %d processes ended, %d received, %d suspects; %d fds, %d goroutines, RSS %s, heap %s, children %d with %s; %d failed checks\n",
		time.Since(r.started).Round(time.Second), r.faults.Load(), c.Exits, c.Received, c.Suspects, s.FDs, s.Goroutines, mib(s.RSS), mib(s.Heap), s.Children, mib(s.PSS), wrong)
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// report prints everything, after the end.
func (r *runner) report(w io.Writer) {
	growth := r.growth()
	c := r.ledger.snapshot()
	r.mu.Lock()
	defer r.mu.Unlock()
	line := func(name string, value any) { fmt.Fprintf(w, "  %-46s %v\n", name, value) }
	fmt.Fprintf(w, "chaos: %v with %d actors, seed %d\n\n", time.Since(r.started).Round(time.Second), r.forest.actors, r.seed)

	fmt.Fprintln(w, "faults")
	for _, name := range slices.SortedFunc(maps.Keys(r.struck), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.struck[b], r.struck[a]), cmp.Compare(a, b))
	}) {
		line(name, r.struck[name])
	}
	line("in all", r.faults.Load())
	fmt.Fprintln(w, "\nprocesses")
	line("begun", c.Boots)
	line("ended, before the end", c.Exits)
	for _, name := range slices.Sorted(maps.Keys(r.ends)) {
		line("  "+name, r.ends[name])
	}
	fmt.Fprintln(w, "\nmessages")
	line("told by the program", c.Tells)
	line("asked by the program, answered", fmt.Sprintf("%d, %d", c.Asks, c.Answered))
	line("told by actors", c.ActorTells)
	line("asked by actors, answered", fmt.Sprintf("%d, %d", c.ActorAsks, c.AnsweredActors))
	line("sent by durable timers", c.Timers)
	line("sent in all", c.Tells+c.Asks+c.ActorTells+c.ActorAsks+c.Timers)
	line("received", c.Received)
	line("received again, as Redeliver wants", c.Redelivered)
	line("dead letters: suspects, of which received", fmt.Sprintf("%d, %d", c.Suspects, c.SuspectsReceived))
	line("dead letters: their receiver ended for good", c.Letters)
	line("dead letters of other types", c.OtherLetters)
	line("died with their sender before they were out", c.WithSender)
	line("refused, and the sender was told", c.Refused)
	line("given up by the sender, fate unknown", c.Unknown)
	line("dead letters that waited at once, limit", fmt.Sprintf("%d, %d", r.backlog, lettersLimit))
	line("lines and records that were printed or logged", r.quiet.records.Load())
	fmt.Fprintln(w, "\nto be zero")
	line("lost", c.Lost)
	line("duplicates", c.Duplicates)
	line("order violations", c.Order)
	line("dead letters beyond the backlog's limit", r.overload)
	line("other contradictions in the books", c.Contradictions)
	line("wrong answers and Downs seen by actors", c.Amiss)
	line("zombies", r.watch.zombies)
	line("orphans", r.watch.orphans)
	line("processes left after Close", r.watch.left)
	fmt.Fprintln(w, "\nto be flat: the first pause, the last, the most in a pause, the most ever")
	if n := len(r.watch.points); n > 0 {
		first, last := r.watch.points[0], r.watch.points[n-1]
		most := func(of func(sample) int64) int64 {
			return of(slices.MaxFunc(r.watch.points, func(a, b sample) int { return cmp.Compare(of(a), of(b)) }))
		}
		line("descriptors", fmt.Sprint(first.FDs, last.FDs, most(func(s sample) int64 { return int64(s.FDs) }), r.watch.most.FDs))
		line("goroutines", fmt.Sprint(first.Goroutines, last.Goroutines, most(func(s sample) int64 { return int64(s.Goroutines) }), r.watch.most.Goroutines))
		line("children", fmt.Sprint(first.Children, last.Children, most(func(s sample) int64 { return int64(s.Children) }), r.watch.most.Children))
		line("control groups", fmt.Sprint(first.Groups, last.Groups, most(func(s sample) int64 { return int64(s.Groups) })))
		line("live heap", fmt.Sprint(mib(first.Heap), ", ", mib(last.Heap), ", ", mib(most(func(s sample) int64 { return s.Heap }))))
		line("RSS of the program", fmt.Sprint(mib(first.RSS), ", ", mib(last.RSS), ", ", mib(most(func(s sample) int64 { return s.RSS })), ", ", mib(r.watch.most.RSS)))
		line("PSS of all actors", fmt.Sprint(mib(first.PSS), ", ", mib(last.PSS), ", ", mib(most(func(s sample) int64 { return s.PSS }))))
		line("growth of memory", growth)
		line("pauses", n)
	}
	line("Close took", r.watch.closed.Round(time.Millisecond))
	fmt.Fprintf(w, "\nfailed checks: %d\n", r.wrong)
	for _, text := range r.faulty {
		fmt.Fprintln(w, "  "+text)
	}
}

// leastPauses is with how many the growth of memory can be judged: the first ones are
// those in which heaps and buffers reach their size.
const leastPauses = 9

// growth checks that memory is flat: the median of the last third of the pauses is
// not over that of the first third by more than a tenth and a few megabytes. It returns
// what it found in a few words.
func (r *runner) growth() string {
	r.watch.mu.Lock()
	points := r.watch.points
	r.watch.mu.Unlock()
	if len(points) == 0 {
		r.fault("there was no pause in which everything was counted")
	}
	if len(points) < leastPauses {
		return fmt.Sprintf("not judged: that takes %d pauses", leastPauses)
	}
	verdict := "none"
	third := len(points) / 3
	for _, what := range []struct {
		name  string
		of    func(sample) int64
		slack int64
	}{
		{"live heap", func(s sample) int64 { return s.Heap }, 4 << 20},
		{"RSS of the program", func(s sample) int64 { return s.RSS }, 16 << 20},
		{"PSS of all actors", func(s sample) int64 { return s.PSS }, int64(r.forest.actors) << 18},
	} {
		first, last := median(points[:third], what.of), median(points[len(points)-third:], what.of)
		if last > first+first/10+what.slack {
			r.fault("%s grew from %s to %s", what.name, mib(first), mib(last))
			verdict = "yes"
		}
	}
	return verdict
}

func median(points []sample, of func(sample) int64) int64 {
	var values []int64
	for _, p := range points {
		values = append(values, of(p))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
