package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor"
)

// do does a deed.
func (w *Worker) do(c *actor.Context, d deed, dice *rand.Rand) error {
	if d == nothing {
		return nil
	}
	w.note(record{Kind: doing, Deed: d})
	switch d {
	case panics:
		panic(onPurpose)
	case goroutinePanics:
		go panic(onPurpose)
		select {}
	case nilMap:
		var visits map[string]int
		//lint:ignore SA5000 on purpose
		visits["here"]++
	case overflows:
		debug.SetMaxStack(1 << 20) // to be there sooner
		return fmt.Errorf("%d", deeper(1))
	case exits:
		os.Exit(3)
	case exitsZero:
		os.Exit(0)
	case goexits:
		runtime.Goexit()
	case fails:
		return errors.New(onPurpose)
	case failsForGood:
		c.Exit(errors.New(onPurpose))
	case stops:
		c.Stop()
	case hangs:
		select {}
	case spins:
		//lint:ignore SA5002 on purpose
		for {
		}
	case leaks:
		w.leak()
	case closesAll:
		w.closeFDs(func(int) bool { return true })
	case closesOne:
		one := dice.IntN(20)
		w.closeFDs(func(int) bool { one--; return one == 0 })
	case stopsItself:
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case floodsMessages:
		w.flood(c, dice)
	case floodsLogs:
		for i := range 20_000 {
			c.Logger().Info("flood", "n", i)
		}
	case floodsOutput:
		line := make([]byte, 100)
		for i := range line {
			line[i] = 'x'
		}
		line[99] = '\n'
		for range 50_000 {
			os.Stdout.Write(line)
		}
	case bears:
		return exec.Command("sleep", "1000").Start()
	case bearsFar:
		if !w.arg.Grouped {
			return nil // nothing could reach it then
		}
		far := exec.Command("sleep", "1000")
		far.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return far.Start()
	case bearsAndDies:
		err := exec.Command("sleep", "1000").Start()
		if err != nil {
			return err
		}
		panic(onPurpose)
	}
	return nil
}

//go:noinline
func deeper(n int) int {
	if n == 0 { // it never is
		return 0
	}
	return deeper(n+1) + n
}

// leakLimit is when a leak ends and the handler just hangs.
const leakLimit = 192 << 20

// leak takes and uses memory, a megabyte at a time.
func (w *Worker) leak() {
	for range leakLimit >> 20 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		w.waste = append(w.waste, b)
		time.Sleep(time.Millisecond)
	}
	select {}
}

// closeFDs closes descriptors behind the runtime's back, but not the journal.
func (w *Worker) closeFDs(which func(fd int) bool) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, path := range fds {
		fd, err := strconv.Atoi(filepath.Base(path))
		file, _ := os.Readlink(path)
		if err == nil && file != w.arg.Journal && which(fd) {
			syscall.Close(fd)
		}
	}
}

// flood sends one target hundreds of messages, as fast as it can.
func (w *Worker) flood(c *actor.Context, dice *rand.Rand) {
	to, ok := w.peer(c, dice)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	for range floodSize {
		m := w.next(to, direct, 0, dice)
		w.note(record{Kind: sending, Peer: to, Seq: m.Seq})
		if err := w.peers[to].Tell(ctx, m); err != nil {
			w.sentTo(m, err)
			return
		}
	}
}
