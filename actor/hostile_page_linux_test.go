package actor_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/progeny-go/progeny/actor/internal/wire"
	"github.com/progeny-go/progeny/codec"
)

// What an enemy does with its memory, its pipes and its process.

func environment() []string { return os.Environ() }

// end exits when all that was put is on its way.
func (e *enemy) end(code int) {
	need(e.out.Flush(context.Background()))
	syscall.Exit(code)
}

// A pageWord is what an enemy scribbles over while it works as it should.
type pageWord struct {
	name    string
	offsets []int
}

var pageWords = []pageWord{
	{"begun", []int{pageBegun}},
	{"finished", []int{pageFinished}},
	{"notes", noteWords()},
	{"inbox tail", []int{ringInbox + ringTail}},
	{"inbox origin", []int{ringInbox + ringOrigin}},
	{"inbox short", []int{ringInbox + ringShort}},
	{"inbox head", []int{ringInbox + ringHead}},
	{"inbox asleep", []int{ringInbox + ringAsleep}},
	{"outbox tail", []int{ringOutbox + ringTail}},
	{"outbox origin", []int{ringOutbox + ringOrigin}},
	{"outbox short", []int{ringOutbox + ringShort}},
	{"outbox head", []int{ringOutbox + ringHead}},
	{"outbox asleep", []int{ringOutbox + ringAsleep}},
	{"tail and origin", []int{ringOutbox + ringTail, ringOutbox + ringOrigin}},
	{"all words", append(noteWords(), pageBegun, pageFinished, ringInbox+ringTail, ringInbox+ringOrigin, ringInbox+ringShort, ringInbox+ringHead,
		ringInbox+ringAsleep, ringOutbox+ringTail, ringOutbox+ringOrigin, ringOutbox+ringShort, ringOutbox+ringHead, ringOutbox+ringAsleep)},
}

func noteWords() (offsets []int) {
	for at := pageNotes; at < pageNotes+8*96; at += 8 {
		offsets = append(offsets, at)
	}
	return offsets
}

func (w pageWord) scribble(e *enemy) {
	e.rise()
	e.obey()
	go func() { // so that there is traffic which nobody waits for
		for i := uint64(0); ; i++ {
			e.send(unknownFrame(e))
			time.Sleep(50 * time.Microsecond)
		}
	}()
	time.Sleep(20 * time.Millisecond) // the rings are in use
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		for _, at := range w.offsets {
			e.word(at).Store(e.lie(e.word(at).Load()))
		}
		time.Sleep(time.Duration(e.random.IntN(50)) * time.Microsecond)
	}
}

// lie is a number that is likely to hurt in place of n.
func (e *enemy) lie(n uint64) uint64 {
	switch e.random.IntN(10) {
	case 0:
		return 0
	case 1:
		return math.MaxUint64
	case 2:
		return math.MaxUint64 &^ (hostileRing - 1)
	case 3:
		return 1 << 63
	case 4:
		return n + hostileRing
	case 5:
		return n - hostileRing
	case 6:
		return n + 1
	case 7:
		return n - 1
	case 8:
		return (n + hostileRing) &^ (hostileRing - 1)
	}
	return e.random.Uint64()
}

// change leaves the pipe for the ring, by hand.
func (e *enemy) change() { e.raw([]byte{0xc1}) }

// publish puts b into the ring, and rings if the node sleeps.
func (e *enemy) publish(b []byte) {
	tail := e.word(ringOutbox + ringTail)
	at := tail.Load()
	for i, c := range b {
		e.memory[4096+hostileRing+int(at+uint64(i))%hostileRing] = c
	}
	tail.Store(at + uint64(len(b)))
	if e.word(ringOutbox+ringAsleep).Swap(0) != 0 {
		e.raw([]byte{0xc1})
	}
}

func (e *enemy) ringGarbage() {
	e.rise()
	e.change()
	e.publish(e.noise(64 << 10))
}

// ringChanges changes what it has published, all the time.
func (e *enemy) ringChanges() {
	e.rise()
	e.ignore()
	e.change()
	data := e.memory[4096+hostileRing:]
	go func() {
		for {
			for i := range data {
				data[i] ^= byte(i)
			}
		}
	}()
	f := hostileFrame(codec.Envelope{Kind: wire.KindAsk, Corr: 1, Type: []byte(wire.ServiceLookup)}, strings.Repeat("x", 4<<10))
	for {
		if e.word(ringOutbox+ringTail).Load()-e.word(ringOutbox+ringHead).Load() < hostileRing/2 {
			e.publish(f)
		}
	}
}

// ringBells says that there is something in the ring, and there is nothing.
func (e *enemy) ringBells() {
	e.rise()
	for {
		e.raw([]byte{0xc1})
		time.Sleep(10 * time.Microsecond)
	}
}

func (e *enemy) bellsWithoutEnd() {
	e.rise()
	e.change()
	for bells := bytes.Repeat([]byte{0xc1, 0xc0}, 1<<10); ; {
		e.raw(bells)
	}
}

func (e *enemy) roomBells() {
	e.rise()
	for bells := bytes.Repeat([]byte{0xc0}, 1<<10); ; {
		e.raw(bells)
	}
}

func (e *enemy) framesBesideRing() {
	e.rise()
	e.change()
	for f := unknownFrame(e); ; {
		e.raw(f)
	}
}

// closeInbox does so before Ready: it shows when something is written, and whoever has asked before writes no more.
func (e *enemy) closeInbox() {
	e.begin()
	e.in.Close()
	e.put(codec.Envelope{Kind: wire.KindReady}, nil)
}

func (e *enemy) closeAll() {
	e.rise()
	e.in.Close()
	e.out.Close()
	syscall.Close(1)
	syscall.Close(2)
}

// abandon leaves a process with its pipes and its page, after the change if ring, and exits.
func abandon(left string, code int, ring bool) func(*enemy) {
	return func(e *enemy) {
		e.rise()
		if ring {
			e.change()
		}
		e.leave(left)
		time.Sleep(100 * time.Millisecond) // until that one is at it
		syscall.Exit(code)
	}
}

// print writes lines to standard output and error.
func (e *enemy) print() {
	e.rise()
	line := []byte("panic: not really\n")
	go func() {
		for {
			syscall.Write(2, line)
		}
	}()
	for {
		syscall.Write(1, bytes.Repeat(line, 100))
	}
}

func (e *enemy) printBlob() {
	e.rise()
	for blob := bytes.Repeat([]byte{0}, 64<<10); ; {
		syscall.Write(1, blob)
	}
}

// compute is no attack: it takes the processors, all of them.
func (e *enemy) compute() {
	e.rise()
	for range runtime.GOMAXPROCS(runtime.NumCPU()) {
		go func() {
			//lint:ignore SA5002 that is the point
			for {
			}
		}()
	}
}

func (e *enemy) exhaustFiles() {
	e.rise()
	e.obey()
	for {
		if _, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0); err != nil {
			return
		}
	}
}

// forks leaves fifty processes in its group.
func (e *enemy) forks() {
	e.rise()
	for range 50 {
		_, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{})
		need(err)
	}
}

// falseCrash ends as if it had panicked: with the crash text in place.
func (e *enemy) falseCrash() {
	e.rise()
	for fd := 3; fd < 64; fd++ {
		if name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && strings.Contains(name, "crash") {
			syscall.Pwrite(fd, []byte("panic: a lie\n\ngoroutine 1 [running]:\n"), 0)
		}
	}
	syscall.Exit(2)
}
