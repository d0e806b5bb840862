package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// The program is to be gone within goneLimit after its SIGKILL, with everything.
const goneLimit = 2 * time.Second

// longestLife is when a program is killed at the latest.
const longestLife = 3 * time.Second

// subreaper makes what outlives a program that this process has started a child of this
// process, which collects it: so nothing can hide, and no zombies are left to whoever
// is the first process. See prctl(2).
func subreaper() error {
	const setChildSubreaper = 36
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); e != 0 {
		return fmt.Errorf("prctl: become subreaper: %w", e)
	}
	return nil
}

// nodes starts the program and kills it, again and again.
func nodes(ctx context.Context, o options) error {
	if err := subreaper(); err != nil {
		return err
	}
	dice := rand.New(rand.NewPCG(o.seed, 0))
	var took []time.Duration
	var processes []int
	growing, late := 0, 0
	fmt.Fprintf(os.Stderr, "chaos: seed %d; killing a program with %d actors %d times\n", o.seed, o.actors, o.times)
	for i := range o.times {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		early := dice.Float64() // squared: more of them while the tree starts
		v, err := killOne(o, i, time.Duration(early*early*float64(longestLife)))
		if err != nil {
			return err
		}
		took = append(took, v.took)
		processes = append(processes, v.processes)
		if !v.planted {
			growing++
		}
		if v.took > goneLimit || len(v.left) > 0 {
			late++
			fmt.Fprintf(os.Stderr, "chaos: FAILED: kill %d after %v: %d processes after %v: %v\n", i+1, v.lived, len(v.left), v.took, v.left)
		}
		if (i+1)%20 == 0 {
			fmt.Fprintf(os.Stderr, "chaos: %d kills, the longest took %v\n", i+1, slices.Max(took))
		}
	}
	slices.Sort(took)
	slices.Sort(processes)
	at := func(percent int) time.Duration { return took[(len(took)-1)*percent/100].Round(10 * time.Microsecond) }
	fmt.Printf("chaos: a program with %d actors, SIGKILLed %d times, at random within its first %v, seed %d\n\n", o.actors, o.times, longestLife, o.seed)
	fmt.Printf("  %-46s %d\n", "while its tree was still starting", growing)
	fmt.Printf("  %-46s %d, %d, %d\n", "processes at the kill: least, median, most", processes[0], processes[len(processes)/2], processes[len(processes)-1])
	fmt.Printf("  %-46s %v, %v, %v, %v\n", "until all had gone: median, p90, p99, max", at(50), at(90), at(99), at(100))
	fmt.Printf("  %-46s %d\n", fmt.Sprintf("later than %v, or left", goneLimit), late)
	if late > 0 {
		return fmt.Errorf("%d of %d programs left something for more than %v", late, o.times, goneLimit)
	}
	return nil
}

// A victim is what became of one program.
type victim struct {
	lived     time.Duration
	planted   bool // its tree was up
	processes int  // at the kill
	took      time.Duration
	left      []string
}

// killOne starts a program and kills it when it has lived so long.
func killOne(o options, i int, lives time.Duration) (v victim, err error) {
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	p, err := startProgram(o, i, dir)
	if err != nil {
		return v, err
	}
	defer p.out.Close()
	time.Sleep(lives)
	v, err = p.kill(2 * goneLimit)
	v.lived = lives
	return v, err
}

// A program is one that runs, and is to be killed.
type program struct {
	process *os.Process
	pid     int      // Release makes the process forget it
	mark    string   // in the environment of all that it starts
	out     *os.File // its standard output, on which it says that its tree is up
}

// startProgram starts the i-th program, with its files in dir.
func startProgram(o options, i int, dir string) (*program, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	mark := fmt.Sprintf("%d-%d-%d", os.Getpid(), time.Now().UnixNano(), i)
	p, err := os.StartProcess(exe, []string{
		"chaos", "-victim", "-for=1h", "-actors=" + strconv.Itoa(o.actors), "-seed=" + strconv.FormatUint(o.seed+uint64(i), 10),
		fmt.Sprint("-rate=", o.rate), "-every=" + max(o.every/10, leastEvery).String(),
	}, &os.ProcAttr{Files: []*os.File{null, in, null}, Env: append(os.Environ(), markVariable+"="+mark, "TMPDIR="+dir)})
	if err != nil {
		out.Close()
		return nil, err
	}
	return &program{p, p.Pid, mark, out}, nil
}

// kill kills the program, and waits so long at most for the end of all that it has started.
// What is left then is in the victim, and killed.
func (p *program) kill(within time.Duration) (v victim, err error) {
	for _, one := range readProcesses() {
		if one.pid == p.pid || one.parent == p.pid {
			v.processes++
		}
	}
	begin := time.Now()
	if err := p.process.Signal(syscall.SIGKILL); err != nil {
		return v, fmt.Errorf("the program has ended before it was killed: %w", err)
	}
	p.process.Release()
	status, err := collect(p.pid, begin.Add(within))
	v.took = time.Since(begin)
	for _, one := range readProcesses() {
		if one.state != 'Z' && marked(one.pid, p.mark) {
			v.left = append(v.left, fmt.Sprintf("%d (%s)", one.pid, one.name))
			syscall.Kill(one.pid, syscall.SIGKILL)
		}
	}
	if said, _ := io.ReadAll(p.out); len(said) > 0 { // all writers are gone
		v.planted = true
	}
	if err == nil && !status.Signaled() {
		err = fmt.Errorf("the program ended by itself, with status %d", status.ExitStatus())
	}
	return v, err
}

// collect waits until this process has no children any more, at most until the
// deadline, and returns the status of one of them.
func collect(pid int, deadline time.Time) (of syscall.WaitStatus, err error) {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return of, nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return of, err
		case got == pid:
			of = status
		case got <= 0:
			if time.Now().After(deadline) {
				return of, nil
			}
			time.Sleep(200 * time.Microsecond)
		}
	}
}
